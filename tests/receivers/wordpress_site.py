"""A real WordPress on loopback: Debian's package unpacked, MariaDB on a socket, PHP-FPM behind nginx.

The plugin under test is a copy of docker/wordpress/elementor-sync; Elementor Pro is paid, so two stand-ins take
its place: a constant, and its three tables as Elementor Pro 3 makes them.
"""
import http.client, os, pathlib, shutil, signal, subprocess, sys

import pymysql
from pymysql.constants import CLIENT

from processes import Processes, children, connects, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "stack"))
from ports import free_ports

HERE = pathlib.Path(__file__).resolve().parent
PLUGIN = HERE.parents[1] / "docker/wordpress/elementor-sync/elementor-sync.php"
ROUTE = "/wp-json/elementor-sync/v1/orders"
WORKERS = 4

MARIADB = """[mariadbd]
datadir={folder}/data
socket={folder}/db.sock
pid-file={folder}/db.pid
log-error={folder}/mariadb.log
skip-networking
innodb_buffer_pool_size=64M
innodb_log_file_size=32M
# No test pulls the plug of the machine: what a killed process wrote is there.
innodb_flush_log_at_trx_commit=2
innodb_flush_method=nosync
character-set-server=utf8mb4
"""

FPM = """[global]
error_log = {folder}/fpm.log
daemonize = no
[www]
listen = {folder}/fpm.sock
pm = static
pm.max_children = {workers}
catch_workers_output = yes
clear_env = no
php_admin_value[error_log] = {folder}/php.log
php_admin_flag[log_errors] = on
php_admin_flag[display_errors] = off
"""

NGINX = """daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
worker_processes 1;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        index index.php;
        location / {{ try_files $uri $uri/ /index.php?$args; }}
        location ~ \\.php$ {{
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_param SCRIPT_NAME $fastcgi_script_name;
            fastcgi_param REQUEST_URI $request_uri;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param SERVER_PROTOCOL $server_protocol;
            fastcgi_param SERVER_NAME 127.0.0.1;
            fastcgi_param SERVER_PORT $server_port;
            fastcgi_param REMOTE_ADDR $remote_addr;
            fastcgi_pass unix:{folder}/fpm.sock;
        }}
    }}
}}
"""

CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', '{user}'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{folder}/db.sock'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', 'http://127.0.0.1:{port}'); define('WP_SITEURL', WP_HOME);
define('DISABLE_WP_CRON', true); define('AUTOMATIC_UPDATER_DISABLED', true); define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTH_KEY', 'a'); define('SECURE_AUTH_KEY', 'b'); define('LOGGED_IN_KEY', 'c'); define('NONCE_KEY', 'd');
define('AUTH_SALT', 'e'); define('SECURE_AUTH_SALT', 'f'); define('LOGGED_IN_SALT', 'g'); define('NONCE_SALT', 'h');
define('TEST_FAULT', '{folder}/fault');
if (is_file('{folder}/key')) define('ELEMENTOR_SYNC_KEYS', file_get_contents('{folder}/key'));
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""

# The steps that a shop's owner does by hand: the installer, an order taker's account, the plugin, pretty permalinks.
INSTALL = """<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1:{port}'; $_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1'; $_SERVER['REQUEST_URI'] = '/';
require '{root}/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';
wp_install('Shop', 'admin', 'admin@example.com', false, '', 'admin-password');
wp_insert_user(array('user_login' => 'editor', 'user_pass' => 'editor-password', 'role' => 'editor'));
update_option('permalink_structure', '/%postname%/');
$result = activate_plugin('elementor-sync/elementor-sync.php');
if (is_wp_error($result)) {{ fwrite(STDERR, $result->get_error_message()); exit(1); }}
echo 'installed';
"""

TIMES = "created_at_gmt DATETIME NOT NULL, updated_at_gmt DATETIME NOT NULL, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL"
ELEMENTOR_TABLES = f"""
CREATE TABLE wp_e_submissions (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, type VARCHAR(60), hash_id VARCHAR(60) NOT NULL UNIQUE,
  main_meta_id BIGINT UNSIGNED NOT NULL, post_id BIGINT UNSIGNED NOT NULL, referer VARCHAR(500) NOT NULL, referer_title VARCHAR(300),
  element_id VARCHAR(20) NOT NULL, form_name VARCHAR(60) NOT NULL, campaign_id BIGINT UNSIGNED NOT NULL, user_id BIGINT UNSIGNED,
  user_ip VARCHAR(46) NOT NULL, user_agent TEXT NOT NULL, actions_count INT DEFAULT 0, actions_succeeded_count INT DEFAULT 0,
  status VARCHAR(20) NOT NULL, is_read TINYINT(1) NOT NULL DEFAULT 0, meta TEXT, {TIMES});
CREATE TABLE wp_e_submissions_values (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, submission_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
  `key` VARCHAR(60), value LONGTEXT, KEY (submission_id));
CREATE TABLE wp_e_submissions_actions_log (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, submission_id BIGINT UNSIGNED NOT NULL,
  action_name VARCHAR(60) NOT NULL, action_label VARCHAR(60), status VARCHAR(20) NOT NULL, log TEXT, {TIMES}, KEY (submission_id));
"""


class Site(Processes):
    def __init__(self, parts, key, plugin=PLUGIN):
        """parts: WordPress' files, php-fpm and nginx; plugin: a file, perhaps a mutated one."""
        super().__init__("elementor-sync-wordpress")
        (self.files, self.fpm_program, self.nginx_program), [self.port] = (pathlib.Path(p).resolve() for p in parts), free_ports(1)
        self.address, self.root = ("127.0.0.1", self.port), self.folder / "www"
        self.url = f"http://127.0.0.1:{self.port}{ROUTE}"
        self.connections = {}
        self.user = "root" if os.getuid() == 0 else os.environ["USER"]
        try:
            self._copy_files(plugin)
            self.set_key_constant(key)
            self.start_database(install=True)
            self.sql("CREATE DATABASE wordpress CHARACTER SET utf8mb4", database="")
            self._install()
            self.start_php()
            self._start_nginx()
        except BaseException:
            self.close()
            raise

    def _write(self, name, text, **more):
        path = self.folder / name
        path.write_text(text.format(folder=self.folder, port=self.port, root=self.root, user=self.user, workers=WORKERS, **more))
        return path

    def _copy_files(self, plugin):
        shutil.copytree(self.files, self.root, symlinks=True,
                        ignore=shutil.ignore_patterns("wp-content", "ID3", ".htaccess", "*.map"))
        content = self.root / "wp-content"
        (content / "plugins/elementor-sync").mkdir(parents=True)
        (content / "mu-plugins").mkdir()
        (content / "themes").mkdir()
        shutil.copy(plugin, content / "plugins/elementor-sync/elementor-sync.php")
        shutil.copy(HERE / "faults.php", content / "mu-plugins/faults.php")
        self.fault_file = self.folder / "fault"
        self._write("www/wp-config.php", CONFIG)

    def set_key_constant(self, text):
        """ELEMENTOR_SYNC_KEYS in wp-config.php; None: it is not there."""
        if text is None:
            (self.folder / "key").unlink()
        else:
            (self.folder / "key").write_text(text)

    # ---- the parts ----

    def start_database(self, install=False):
        config = self._write("my.cnf", MARIADB)
        if install:
            subprocess.run(["mariadb-install-db", f"--defaults-file={config}", f"--user={self.user}", "--skip-test-db",
                            "--auth-root-authentication-method=normal"], check=True, capture_output=True)
        self.database = self.start("mariadbd", ["/usr/sbin/mariadbd", f"--defaults-file={config}", f"--user={self.user}"])
        wait_for("MariaDB", lambda: connects(self.folder / "db.sock"))

    def _install(self):
        script = self._write("install.php", INSTALL)
        done = subprocess.run(["php", script], capture_output=True, text=True)
        assert done.stdout.endswith("installed"), done.stdout[-2000:] + done.stderr[-2000:]
        self.sql(ELEMENTOR_TABLES)

    def start_php(self):
        scan = subprocess.run(["php", "-r", "echo PHP_CONFIG_FILE_SCAN_DIR;"], check=True, capture_output=True, text=True).stdout
        self.fpm = self.start("php-fpm", [self.fpm_program, "-R", "-y", self._write("fpm.conf", FPM)], env={"PHP_INI_SCAN_DIR": scan})
        wait_for("PHP-FPM", lambda: connects(self.folder / "fpm.sock"))

    def _start_nginx(self):
        self.start("nginx", [self.nginx_program, "-c", self._write("nginx.conf", NGINX), "-p", self.folder, "-e", self.folder / "nginx.log"])
        wait_for("nginx", lambda: connects(self.address))

    # ---- what tests do to it ----

    def fault(self, text):
        """Sets the fault that faults.php raises from now on; "" for none."""
        fresh = self.folder / "fault.new"
        fresh.write_text(text)
        fresh.replace(self.fault_file)

    def kill_worker(self, rng):
        """One of them, perhaps at work; false when there is none, or it was gone already."""
        workers = children(self.fpm.pid)
        if not workers:
            return False
        try:
            os.kill(rng.choice(workers), signal.SIGKILL)
            return True
        except ProcessLookupError:
            return False

    def kill_database(self):
        self.end(self.database, signal.SIGKILL)
        self.connections.clear()

    def sql(self, text, database="wordpress"):
        """Runs statements; the last one's rows as lists."""
        if not self.connections.get(database):
            self.connections[database] = pymysql.connect(unix_socket=str(self.folder / "db.sock"), user=self.user, database=database or None,
                                                         charset="utf8mb4", autocommit=True, client_flag=CLIENT.MULTI_STATEMENTS)
        with self.connections[database].cursor() as cursor:
            cursor.execute(text)
            while cursor.nextset():
                pass
            return [list(row) for row in cursor.fetchall()]

    def number(self, text):
        return int(self.sql(text)[0][0] or 0)

    def empty(self):
        self.sql("".join(f"DELETE FROM wp_{table};" for table in (
            "elementor_sync_claims", "e_submissions", "e_submissions_values", "e_submissions_actions_log")) + "DELETE m FROM wp_postmeta m JOIN wp_posts p ON p.ID = m.post_id WHERE p.post_type = 'elementor_sync_order';"
                 "DELETE FROM wp_posts WHERE post_type = 'elementor_sync_order'; DELETE FROM wp_options WHERE option_name LIKE 'handled-%'")

    def post(self, body, headers, path=ROUTE):
        """(status, text, headers); status 0: no answer."""
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            connection.request("POST", path, body.encode(), {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        except (OSError, http.client.HTTPException):
            return 0, "", {}
        finally:
            connection.close()
