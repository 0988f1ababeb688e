"""docker/proxy/: the dashboard behind nginx, Caddy and Apache, each with the file that it includes there.

usage: proxies.py ELEMENTOR_SYNC TOOLS NGINX CADDY APACHE
  TOOLS: the folder of mock_kafka; the others: the servers' binaries

Only the port behind them is another one than in the file. Through each: the page and all that it loads, calls with an
order's key that has a slash in it, changes by the page's own origin, and events as they come.
"""
import contextlib, http.client, json, os, pathlib, re, socket, sys, tempfile, zlib
from html.parser import HTMLParser

import jwt

from dashboard import PATIENCE_S, SECRET, Dashboard, Kafka, Process, await_true, call, claims_of

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "stack"))
from ports import free_ports

FILES = pathlib.Path(__file__).resolve().parents[2] / "docker" / "proxy"
MODULES = pathlib.Path("/usr/lib/apache2/modules")
SYNC = "/functions/v1/sync-order-elementor"
KEY = "orders.public.orders/0/é 7%"
ENCODED_KEY = "orders.public.orders%2F0%2F%C3%A9%207%25"
OPERATOR = jwt.encode(claims_of(role="service_role", sub="olga"), SECRET, algorithm="HS256")


def snippet(folder, name, port):
    """The file as it stands in docker/proxy, with the dashboard's real port."""
    text = (FILES / name).read_text()
    assert "127.0.0.1:8080" in text, name
    path = folder / ("included-" + name)
    path.write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{port}"))
    return path


def nginx(binary, folder, port, location):
    (folder / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxied; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; {location} }}
}}""")
    return Process([binary, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")])


def caddy(binary, folder, port, included):
    (folder / "Caddyfile").write_text(f"""{{
	admin off
}}
http://127.0.0.1:{port} {{
	import {included}
}}
""")
    return Process([binary, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")],
                   env={"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "PATH": os.environ["PATH"]})


def apache(binary, folder, port, included):
    modules = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n"
                      for name in ("mpm_event", "authz_core", "proxy", "proxy_http"))
    (folder / "apache.conf").write_text(f"""
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
ServerName localhost
Listen 127.0.0.1:{port}
ErrorLog /dev/stderr
{modules}
User nobody
Group nogroup
<VirtualHost 127.0.0.1:{port}>
Include {included}
</VirtualHost>
""")
    return Process([binary, "-X", "-f", str(folder / "apache.conf")])


# ---- what a browser does ----

class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.found += [given[name] for name in ("src", "href") if name in given and not given[name].startswith("#")]


def page_loads(port):
    """The page, and by it all its files: none leads past the prefix."""
    moved = call(port, "GET", "/orders")
    assert moved.status in (301, 302, 307, 308), moved.status
    assert re.sub(r"^http://[^/]+", "", moved.headers["Location"]) == "/orders/", moved.headers["Location"]
    page = call(port, "GET", "/orders/")
    assert page.status == 200 and "script-src 'self'" in page.headers["Content-Security-Policy"], page.status
    links = Links()
    links.feed(page.body.decode())
    waiting, loaded = list(links.found), {}
    while waiting:
        name = waiting.pop()
        if name in loaded:
            continue
        assert "://" not in name and not name.startswith("/"), f"{name} would lead past the prefix"
        answer = loaded[name] = call(port, "GET", "/orders/" + name)
        assert answer.status == 200, (name, answer.status)
        if name.endswith(".js"):
            folder = name.rpartition("/")[0] + "/"
            waiting += [folder + found for found in re.findall(r"(?:from |import\()'\./([^']+)'", answer.body.decode())]
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable", (name, answer.headers)
    assert len(loaded) > 15, sorted(loaded)
    etag = page.headers["ETag"]
    assert call(port, "GET", "/orders/", If_None_Match=etag).status == 304
    return len(loaded)


def calls_work(port):
    answer = call(port, "GET", "/orders/api/v1/session", OPERATOR)
    assert answer.status == 200 and answer.json()["operator"] is True, (answer.status, answer.body)
    answer = call(port, "GET", f"/orders/api/v1/orders/{ENCODED_KEY}", OPERATOR)
    assert answer.status == 200 and answer.json()["key"] == KEY, (answer.status, answer.body)
    answer = call(port, "GET", "/orders/api/v1/orders?q=orders.public&limit=1", OPERATOR)
    assert answer.json()["orders"][0]["key"] == KEY, answer.body
    answer = call(port, "POST", "/orders" + SYNC, OPERATOR, {"order_id": KEY})
    assert answer.status == 200 and answer.json()["success"] is True, (answer.status, answer.body)
    assert answer.json()["status_url"].startswith("/orders" + SYNC), answer.json()
    assert call(port, "GET", answer.json()["status_url"], OPERATOR).status == 200
    assert call(port, "GET", "/orders/api/v1/session").status == 401


def changes_are_the_pages_own(port, own):
    body = {"order_id": KEY}
    assert call(port, "POST", "/orders" + SYNC, OPERATOR, body, Origin=own).status == 200
    for other in ("https://evil.example", own + ".evil.example", "null"):
        answer = call(port, "POST", "/orders" + SYNC, OPERATOR, body, Origin=other)
        assert answer.status == 403, (other, answer.status)


def events_come_at_once(port, kafka, order):
    """The first event without a second one behind it; then one for a change, on the same answer. Compressed once."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", "/orders/api/v1/events", headers={"Authorization": "Bearer " + OPERATOR,
                                                                "Accept-Encoding": "gzip, deflate, br"})
    response = connection.getresponse()
    assert response.status == 200 and response.headers["Content-Type"] == "text/event-stream", response.status
    assert response.headers.get_all("Content-Encoding") == ["gzip"], response.headers
    lines = unpacked_lines(response)
    read_until(lines, lambda event, data: event == "status")
    kafka.deliver(order)
    read_until(lines, lambda event, data: event == "order" and data["key"] == order)
    connection.close()


def unpacked_lines(response):
    """Each as soon as its bytes are here."""
    unpacker, rest = zlib.decompressobj(16 + zlib.MAX_WBITS), b""
    while piece := response.read1(65536):
        *lines, rest = (rest + unpacker.decompress(piece)).split(b"\n")
        yield from (line.decode() for line in lines)


def read_until(lines, is_it):
    event = None
    for text in lines:
        if text.startswith("event: "):
            event = text.removeprefix("event: ")
        elif text.startswith("data: ") and is_it(event, json.loads(text.removeprefix("data: "))):
            return
    raise AssertionError("the stream ended")


# ---- the tests ----

@contextlib.contextmanager
def behind(program, kafka, start, file=None, url="/orders"):
    """A dashboard behind the server that `start` makes; yields its port and its page's origin."""
    [port] = free_ports(1)
    own = f"http://127.0.0.1:{port}"
    options = {"DASHBOARD_URL": own + url} if url is not None else {}
    with tempfile.TemporaryDirectory() as folder, Dashboard(program, kafka, **options) as dashboard:
        folder = pathlib.Path(folder)
        os.chmod(folder, 0o755)
        included = snippet(folder, file, dashboard.port) if file else dashboard.port
        with start(folder, port, included) as server:
            await_true("the server listens", lambda: listens(port, server))
            yield port, own


def listens(port, server):
    assert server.child.poll() is None, "".join(server.log)
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def through(program, kafka, name, start, file):
    with behind(program, kafka, start, file) as (port, own):
        count = page_loads(port)
        calls_work(port)
        changes_are_the_pages_own(port, own)
        events_come_at_once(port, kafka, f"through-{name}")
    print(f"ok    {name} with docker/proxy/{file}: the page's {count} files, calls, changes, events", flush=True)


def shortest_location(program, kafka, binary):
    """The location that people write: nginx then sends its own Host, so the page's origin looks foreign."""
    location = lambda folder, port, behind_it: nginx(
        binary, folder, port, f"location / {{ proxy_pass http://127.0.0.1:{behind_it}; }}")
    with behind(program, kafka, location, url=None) as (port, own):
        answer = call(port, "POST", SYNC, OPERATOR, {"order_id": KEY}, Origin=own)
        assert answer.status == 403, answer.status
        assert own in answer.json()["detail"] and "dashboard.url" in answer.json()["detail"], answer.json()
    with behind(program, kafka, location, url="") as (port, own):
        assert call(port, "POST", SYNC, OPERATOR, {"order_id": KEY}, Origin=own).status == 200
        assert call(port, "GET", "/").status == 200
    print("ok    nginx with its shortest location: refused with the reason, taken with dashboard.url", flush=True)


def main(program, tools, nginx_binary, caddy_binary, apache_binary):
    with Kafka(pathlib.Path(tools)) as kafka:
        kafka.deliver(KEY)
        through(program, kafka, "nginx", lambda folder, port, file: nginx(nginx_binary, folder, port, f"include {file};"),
                "nginx.conf")
        through(program, kafka, "caddy", lambda *given: caddy(caddy_binary, *given), "elementor-sync.caddy")
        through(program, kafka, "apache", lambda *given: apache(apache_binary, *given), "apache.conf")
        shortest_location(program, kafka, nginx_binary)


if __name__ == "__main__":
    main(*sys.argv[1:])
