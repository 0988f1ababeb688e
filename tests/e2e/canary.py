"""The canary: secrets and a customer's phone are told to the endpoint, and turn up nowhere else."""
import base64, http.server, pathlib, re, subprocess, threading, urllib.parse, urllib.request

from harness import wait_for

PATH_SECRET = "canary-path-7f3a9c"
QUERY_SECRET = "canary-query-51d0e2"
HEADER_SECRET = "canary-header-c84b17"
PASSWORD = "canary-password-2e6f90"
KEY = base64.b64encode(b"canary-signing-key-0123456789abcdef").decode()
PHONE = "+213555010203"
SECRETS = [PATH_SECRET, QUERY_SECRET, HEADER_SECRET, PASSWORD, KEY, KEY[:20]]
PERSONAL = [PHONE, PHONE[4:], "Canary Client", "13 rue du Canari"]


class Parrot:
    """An endpoint that repeats in its answer all that it was told; it resets the first connection,
    and refuses orders of the product "refused"."""

    def __init__(self):
        self.delivered, self.asked = [], 0
        parrot = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                parrot.asked += 1
                if parrot.asked == 1:
                    self.close_connection = True
                    return
                refused = '"product_name":"refused"' in body
                said = "\n".join([f"cannot take {self.path}", urllib.parse.quote(self.path, safe=""),
                                  str(self.headers), KEY, body]).encode()
                self.send_response(422 if refused else 200)
                self.send_header("X-Said", self.path)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)
                if not refused:
                    parrot.delivered.append(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return (f"http://127.0.0.1:{self.server.server_port}/hook/{PATH_SECRET}"
                f"?key={QUERY_SECRET}")


def topic_dump(t, topic):
    """Everything of every record: key, value, headers."""
    return subprocess.run(["kcat", "-C", "-q", "-b", t.stack.env["KAFKA_BROKERS"], "-t", topic, "-o",
                           "beginning", "-e", "-f", "%k\\n%h\\n%s\\n"], check=True,
                          capture_output=True).stdout.decode(errors="replace")


def headers_dump(t, topic):
    return subprocess.run(["kcat", "-C", "-q", "-b", t.stack.env["KAFKA_BROKERS"], "-t", topic, "-o",
                           "beginning", "-e", "-f", "%h\\n"], check=True,
                          capture_output=True).stdout.decode(errors="replace")


def scrape(program):
    port = re.search(r'event="ops port".* port=(\d+)', program.log.read_text())[1]
    return urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()


def secrets_are_told_to_the_endpoint_alone(t):
    parrot = Parrot()
    own = {f"{name.upper()}_TOPIC": f"{t.group}.{name}"
           for name in ("parked", "deliveries", "retry", "members", "control")}
    secret_file = t.folder / "url"
    secret_file.write_text(parrot.url + "\n")
    config = t.folder / "shop.yaml"
    config.write_text(f"webhook:\n  headers:\n    X-Token: {HEADER_SECRET}\n")
    environment = t.env(**own, WEBHOOK_SIGNING_KEYS=f"whsec_{KEY}", REGISTRY_USER="canaryuser",
                        REGISTRY_PASSWORD=PASSWORD, LOG_LEVEL="debug", OPS_LISTEN="127.0.0.1:0",
                        ELEMENTOR_WEBHOOK_URL_FILE=str(secret_file))
    del environment["ELEMENTOR_WEBHOOK_URL"]
    t.env = lambda **more: {**environment, **more}
    program = t.start("run", "--config", str(config))
    wait_for("six partitions assigned", lambda: program.count("partition assigned") >= 6)
    person = {"client_phone": PHONE, "client_name": "Canary Client",
              "client_address": "13 rue du Canari"}
    good = t.stack.order("CANARY-1", **person)
    refused = t.stack.order("CANARY-2", **person, product_name="refused")
    invalid = t.stack.order("CANARY-3", **person, product_name=" ")
    for order in (good, refused, invalid):
        t.stack.confirm(order)
    wait_for("the good one is delivered", lambda: any(good in body for body in parrot.delivered))
    wait_for("both others are parked", lambda: program.count('event=parked') +
             program.count('event="parked"') >= 2)
    deliveries = wait_for("three outcomes", lambda: (lambda dump: dump if all(
        order in dump for order in (good, refused, invalid)) else None)(
            topic_dump(t, own["DELIVERIES_TOPIC"])))
    assert any(PHONE in body for body in parrot.delivered), "the endpoint itself must be told"
    process = pathlib.Path(f"/proc/{program.process.pid}")
    limits = (process / "limits").read_text()
    places = {
        "metrics": scrape(program),
        "command line": (process / "cmdline").read_text(),
        "deliveries topic": deliveries,
        "members topic": topic_dump(t, own["MEMBERS_TOPIC"]),
        "parked headers": headers_dump(t, own["PARKED_TOPIC"]),
    }
    assert "elementor-sync.response" in places["parked headers"], places["parked headers"]
    assert re.search(r"Max core file size +0 ", limits), "core dumps would hold every secret"
    assert program.stop() == 0
    places["log"] = program.log.read_text()
    for place, text in places.items():
        assert text, f"{place}: nothing to look at"
        for secret in SECRETS + PERSONAL:
            assert secret not in text, f"{secret} in the {place}: {around(text, secret)}"
    parrot.server.shutdown()


def around(text, secret):
    at = text.index(secret)
    return text[max(0, at - 80):at + 120]


TESTS = [secrets_are_told_to_the_endpoint_alone]
