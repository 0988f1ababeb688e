"""The network between: the way to the webhook by real parts, as `check --ping-webhook` words it.

usage: network.py PROGRAM NGINX TINYPROXY
  PROGRAM: elementor-sync; NGINX, TINYPROXY: their binaries

openssl makes the certificates, nginx and Python's ssl serve them, tinyproxy stands between. Each case is
one ping: what the program says of it, and what the server or the proxy saw.
"""
import concurrent.futures, contextlib, datetime, json, os, pathlib, re, shutil, socket, ssl, subprocess, sys, \
    tempfile, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "stack"))
from ports import free_ports

SECRET_PATH = "/secret-path-canary"
FOREIGN_PROXY = {"https_proxy": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1",
                 "all_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1",
                 "http_proxy": "http://127.0.0.1:1"}


# ---- certificates ----

class Authority:
    """Roots, an intermediate and leaves, by the openssl command."""

    def __init__(self, folder):
        self.folder = folder
        self.self_signed("root", "Test Root", "CA:TRUE")
        self.self_signed("other", "Other Root", "CA:TRUE")
        self.signed("intermediate", "root", "Test Intermediate", "basicConstraints=critical,CA:TRUE")
        local = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        self.signed("good", "intermediate", "localhost", local)
        self.signed("expired", "intermediate", "localhost", local, "240101000000Z", "250203000000Z")
        self.signed("early", "intermediate", "localhost", local, "490101000000Z", "491231000000Z")
        self.signed("elsewhere", "intermediate", "shop.example", "subjectAltName=DNS:shop.example,DNS:www.shop.example")
        self.self_signed("alone", "localhost", "CA:FALSE", local)
        self.signed("client", "root", "the-shop", "extendedKeyUsage=clientAuth")
        self.signed("client2", "root", "the-shop-next-year", "extendedKeyUsage=clientAuth")
        for leaf in ("good", "expired", "early", "elsewhere"):
            self.write(f"{leaf}.chain.pem", self.read(f"{leaf}.pem") + self.read("intermediate.pem"))
        self.run("pkey", "-in", "client.key", "-aes256", "-passout", "pass:x", "-out", "client.locked.key")

    def run(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def read(self, name):
        return (self.folder / name).read_text()

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def path(self, name):
        return str(self.folder / name)

    def self_signed(self, name, subject, constraints, names=None):
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                 "-out", f"{name}.pem", "-subj", f"/CN={subject}", "-days", "30",
                 "-addext", f"basicConstraints=critical,{constraints}", *(["-addext", names] if names else []))

    def signed(self, name, by, subject, extension, begins=None, ends=None):
        now = datetime.datetime.now(datetime.timezone.utc)
        form = "%y%m%d%H%M%SZ"
        self.run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                 "-out", f"{name}.csr", "-subj", f"/CN={subject}")
        self.write(f"{name}.ext", extension + "\n")
        self.write("ca.cnf", "[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\n"
                             "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
        self.write("index.txt", "")
        self.run("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", f"{by}.pem", "-keyfile", f"{by}.key",
                 "-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", f"{name}.ext",
                 "-startdate", begins or (now - datetime.timedelta(days=1)).strftime(form),
                 "-enddate", ends or (now + datetime.timedelta(days=30)).strftime(form))


# ---- servers ----

@contextlib.contextmanager
def nginx(binary, folder, authority):
    """One server for each certificate; it answers with what it knows of the client and its headers."""
    names = ("good", "expired", "early", "elsewhere", "alone", "bare", "asks", "asks13", "old", "plain")
    ports = dict(zip(names, free_ports(len(names))))

    def block(name, certificate, *more):
        return (f"server {{ listen 127.0.0.1:{ports[name]} ssl; ssl_certificate {authority.path(certificate)}.pem;"
                f" ssl_certificate_key {authority.path(certificate.split('.')[0])}.key; {' '.join(more)}"
                ' location / { default_type text/plain; return 200'
                ' "client=$ssl_client_s_dn tls=$ssl_protocol proxied=$http_proxy_authorization"; } }')

    asks = f"ssl_verify_client on; ssl_client_certificate {authority.path('root')}.pem;"
    lines = [block("good", "good.chain"), block("expired", "expired.chain"), block("early", "early.chain"),
             block("elsewhere", "elsewhere.chain"), block("alone", "alone"), block("bare", "good"),
             block("asks", "good.chain", asks), block("asks13", "good.chain", asks, "ssl_protocols TLSv1.3;"),
             block("old", "good.chain", "ssl_protocols TLSv1.2;"),
             f"server {{ listen 127.0.0.1:{ports['plain']}; location / {{ return 200 plain; }} }}"]
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = folder / "nginx.conf"
    config.write_text(f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
                      f"events {{}}\nhttp {{ ssl_protocols TLSv1.2 TLSv1.3; access_log {folder}/access.log; {temporary}\n" + "\n".join(lines) + "\n}\n")
    with started([binary, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)], ports["plain"]):
        yield ports


@contextlib.contextmanager
def tinyproxy(binary, folder, name, *lines):
    [port], log = free_ports(1), folder / f"{name}.log"
    config = folder / f"{name}.conf"
    config.write_text("\n".join([f"Port {port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "LogLevel Connect",
                                 f'LogFile "{log}"', "Timeout 20", *lines]) + "\n")
    with started([binary, "-d", "-c", str(config)], port):
        yield port, log


@contextlib.contextmanager
def started(command, port):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None:
                raise SystemExit(f"{command[0]} ended with {process.returncode}")
            time.sleep(0.05)
        else:
            raise SystemExit(f"{command[0]} does not listen")
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def python_tls(authority):
    """OpenSSL's own server, by Python: it wants a client certificate within the handshake, where nginx answers 400."""
    listener = socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.path("good.chain.pem"), authority.path("good.key"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.path("root.pem"))

    def serve(connection):
        with contextlib.suppress(OSError), connection:
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(65536)
                name = dict(part[0] for part in tls.getpeercert()["subject"])["commonName"]
                body = f"client={name}".encode()
                tls.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextlib.contextmanager
def answering(text):
    """Answers each connection's first bytes with `text`, and keeps what came."""
    listener, seen = socket.create_server(("127.0.0.1", 0)), []

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection = listener.accept()[0]
                with connection:
                    seen.append(connection.recv(65536))
                    connection.sendall(text)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1], seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


# ---- pings ----

class Pinger:
    def __init__(self, program, folder, ca_file):
        self.program, self.ca_file = program, ca_file
        self.config = folder / "shop.yaml"
        self.config.write_text("kafka: {brokers: '127.0.0.1:1', topic: shop.public.orders, start: latest}\n"
                               "registry.url: http://127.0.0.1:1\nwebhook.timeout: 5s\n")
        self.config.chmod(0o600)

    def ping(self, url, options, variables):
        clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        options = {"webhook.ca_file": self.ca_file, **options} if url.startswith("https:") else options
        sets = [word for name, value in options.items() if value for word in ("--set", f"{name}={value}")]
        run = subprocess.run([self.program, "check", "--json", "--ping-webhook", "--config", str(self.config), *sets],
                             env={**clean, **variables, "WEBHOOK_URL": url + SECRET_PATH}, capture_output=True, text=True,
                             timeout=120)
        assert "canary" not in run.stdout + run.stderr, run.stdout + run.stderr
        try:
            rows = [row for row in json.loads(run.stdout)["findings"] if row["name"] == "ping" or row["level"] == "fail"]
        except ValueError:
            return run.stderr
        ours = [row["text"] for row in rows if row["area"] in ("webhook", "configuration")]
        return "\n".join(ours) or str(rows)


def cases(ports, asking, plain_words, proxies, authority):
    """(name, URL, options, variables, words of the ping: a regular expression)"""
    def https(name):
        return f"https://localhost:{ports[name]}"

    def identity(name, key=None):
        return {"webhook.cert_file": authority.path(f"{name}.pem"), "webhook.key_file": authority.path(f"{key or name}.key")}

    def proxy(name, user=None):
        login = {"webhook.proxy_user": user} if user else {}
        return {"webhook.proxy": f"http://127.0.0.1:{proxies[name]}", **login}

    password = {"WEBHOOK_PROXY_PASSWORD": "right-canary"}
    system = {"webhook.ca_file": None}
    good = r"answered 200 in \d+ ms \(text/plain, server nginx.*client=- tls=TLSv1.3 proxied=-"
    return [
        ("as it should be", https("good"), {}, {}, good.replace("=-", "=")),
        ("DNS", "https://no-such-host.invalid", {}, {}, "no answer: the host's name has no address in DNS"),
        ("refused", "https://localhost:1", {}, {}, "connection refused: nothing listens"),
        ("expired", https("expired"), {}, {}, "the endpoint's certificate expired on 2025-02-03"),
        ("not yet valid", https("early"), {}, {}, "is not valid before 2049-01-01: is this machine's clock right?"),
        ("wrong host", https("elsewhere"), {}, {}, "certificate is for shop.example, www.shop.example, not for the URL's host"),
        ("self-signed", https("alone"), {}, {}, "is self-signed: to trust it, name it in ca_file"),
        ("no intermediate", https("bare"), {}, {}, 'the certificate of "Test Intermediate", which issued the endpoint\'s '
         "certificate, was not sent and is not known here: the endpoint must send its intermediate"),
        ("unknown authority", https("good"), {"webhook.ca_file": authority.path("other.pem")}, {},
         'which issued a certificate of an authority in the endpoint\'s chain, was not sent.*|authority, "Test Root", is not trusted'),
        ("the system's authorities", https("good"), system, {}, "Test Root"),
        ("client certificate wanted, nginx", https("asks"), {}, {}, "answered 400: the endpoint wants a client certificate.*webhook.cert_file"),
        ("client certificate wanted, TLS 1.3", f"https://localhost:{asking}", {}, {},
         r"a client certificate \(cert_file, key_file\)"),
        ("client certificate shown", https("asks"), identity("client"), {}, "client=CN=the-shop "),
        ("client certificate shown, TLS 1.3", f"https://localhost:{asking}", identity("client"), {}, "client=the-shop$"),
        ("client certificate refused", f"https://localhost:{asking}", identity("alone"), {},
         "the endpoint refuses our client certificate|it may refuse our client certificate"),
        ("another's key", https("asks"), identity("client", "client2"), {}, "key_file: .*client2.key is not the key of"),
        ("a locked key", https("asks"), identity("client", "client.locked"), {}, "key_file: .* needs a passphrase"),
        ("no key file", https("asks"), identity("client", "none"), {}, "key_file: .*none.key cannot be read: No such file"),
        ("least TLS", https("old"), {"webhook.tls_min": "1.3"}, {}, r"no TLS version in common: here TLS 1.3 is the least"),
        ("TLS 1.2", https("old"), {}, {}, "tls=TLSv1.2"),
        ("http on an https port", https("good").replace("https", "http"), {}, {}, "answered 400: the port is one for https://"),
        ("http on an https port, Python", f"http://localhost:{asking}", {}, {}, "a port for https:// would do so"),
        ("https on an http port", https("plain"), {}, {}, "the port does not speak TLS: it may be one for http://"),
        ("IPv6 alone", https("good"), {"webhook.ip": "6"}, {}, "refused|no IPv6 address"),
        ("IPv4 alone", https("good"), {"webhook.ip": "4"}, {}, "answered 200"),
        ("the environment's proxies", https("good"), {}, FOREIGN_PROXY, "answered 200"),
        ("through the proxy", https("good"), proxy("open"), {}, "answered 200.*proxied=$"),
        ("through the proxy, whatever no_proxy says", https("good"), {"webhook.proxy": "http://127.0.0.1:1"},
         {"no_proxy": "*", "NO_PROXY": "*"}, "the proxy cannot be reached: Connection refused"),
        ("a proxy's unknown name", https("good"), {"webhook.proxy": "http://no-such-proxy.invalid:3128"}, {},
         "the proxy's name has no address in DNS"),
        ("the proxy wants credentials", https("good"), proxy("locked"), {},
         r"the proxy wants credentials \(407\): proxy_user and proxy_password"),
        ("the proxy refuses them", https("good"), proxy("locked", "shop"), {"WEBHOOK_PROXY_PASSWORD": "wrong-canary"},
         r"the proxy refuses proxy_user and proxy_password \(40[17]\)"),
        ("the proxy takes them", https("good"), proxy("locked", "shop"), password, "answered 200.*proxied=$"),
        ("the proxy takes them, from a file", https("good"), proxy("locked", "shop"),
         {"WEBHOOK_PROXY_PASSWORD_FILE": authority.path("proxy-password")}, "answered 200.*proxied=$"),
        ("the proxy forbids the port", https("good"), proxy("narrow"), {}, "the proxy refuses to CONNECT to the endpoint: it answers 403"),
        ("the proxy cannot reach it", "https://localhost:1", proxy("open"), {}, "the proxy cannot reach the endpoint: it answers CONNECT with 50"),
        ("a proxy that is none", https("good"), {"webhook.proxy": f"http://127.0.0.1:{plain_words}"}, {},
         r"the proxy gives no answer to CONNECT: is it an HTTP proxy\?"),
        ("no keys of the connection are written", https("good"), {}, {"SSLKEYLOGFILE": authority.path("tls-keys")}, "answered 200"),
        ("expired, behind the proxy", https("expired"), proxy("open"), {}, "certificate expired on 2025-02-03"),
        ("a password without a proxy", https("good"), {}, password, "of no use without webhook.proxy"),
        ("a proxy with a password in it", https("good"), {"webhook.proxy": "http://me:canary@127.0.0.1:3128"}, {},
         "must not hold a user or a password"),
    ]


def main(program, nginx_binary, tinyproxy_binary):
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        authority = Authority(folder)
        authority.write("proxy-password", "right-canary\n")
        for secret in folder.glob("*.key"):
            secret.chmod(0o600)
        ports = stack.enter_context(nginx(nginx_binary, folder, authority))
        asking = stack.enter_context(python_tls(authority))
        words, _ = stack.enter_context(answering(b"HELO\r\n"))
        opened, log = stack.enter_context(tinyproxy(tinyproxy_binary, folder, "open"))
        locked, _ = stack.enter_context(tinyproxy(tinyproxy_binary, folder, "locked", "BasicAuth shop right-canary"))
        narrow, _ = stack.enter_context(tinyproxy(tinyproxy_binary, folder, "narrow", "ConnectPort 443"))
        pinger = Pinger(program, folder, authority.path("root.pem"))
        rows = cases(ports, asking, words, {"open": opened, "locked": locked, "narrow": narrow}, authority)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            said = list(pool.map(lambda row: pinger.ping(row[1], row[2], row[3]), rows))
        wrong = [f"{row[0]}: {text}\n  instead of {row[4]}" for row, text in zip(rows, said) if not re.search(row[4], text)]
        proxied = log.read_text()
        if f"CONNECT localhost:{ports['good']}" not in proxied or "canary" in proxied or "webhook" in proxied:
            wrong.append(f"the proxy saw:\n{proxied}")
        if (folder / "tls-keys").exists():
            wrong.append("SSLKEYLOGFILE: the keys of the connection to the webhook were written to it")
    print("\n".join(wrong) or f"{len(rows)} cases")
    return 1 if wrong else 0


if __name__ == "__main__":
    if shutil.which("openssl") is None:
        raise SystemExit("openssl is missing")
    sys.exit(main(*sys.argv[1:]))
