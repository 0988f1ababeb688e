"""The dashboard on the real stack: the shop's call, retries, kills, the view, its API as described."""
import base64, hashlib, hmac, json, os, socket, sqlite3, subprocess, time
import urllib.error, urllib.request

from harness import HERE, wait_for

SECRET = "a secret of the shop for tests, 0123456789"
SCHEMATHESIS = HERE.parent.parent / "build" / "venv" / "bin" / "schemathesis"


def jwt(**claims):
    part = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")
    text = b".".join(part(json.dumps(p).encode()) for p in (
        {"alg": "HS256", "typ": "JWT"}, {"exp": int(time.time()) + 6 * 3600, "sub": "u-1", **claims}))
    return (text + b"." + part(hmac.new(SECRET.encode(), text, hashlib.sha256).digest())).decode()


SERVICE_KEY = "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz"
OPERATOR = jwt(role="service_role", sub="olga")
CUSTOMER = jwt(role="authenticated", aud="authenticated")


class Dashboard:
    def __init__(self, t, name, **env):
        self.t, self.name, self.env = t, name, env
        self.database = t.folder / f"{name}.db"
        self.start()

    def start(self):
        log = self.t.folder / self.name
        before = log.read_text().count("dashboard listens") if log.exists() else 0
        self.program = self.t.start("dashboard", log=self.name, AUTH_HS256_SECRET=SECRET,
                                    DASHBOARD_LISTEN="127.0.0.1:0", DASHBOARD_WAIT="20s",
                                    DASHBOARD_DATABASE=str(self.database), **self.env)
        wait_for("the dashboard listens",
                 lambda: self.program.count("dashboard listens") > before)
        lines = [l for l in self.program.log.read_text().splitlines() if "dashboard listens" in l]
        self.url = "http://" + lines[-1].rsplit("address=", 1)[1]

    def caught_up(self):
        wait_for("the view has caught up", lambda: self.call("GET", "/readyz")[0] == 200)
        return self

    def call(self, method, path, body=None, token=OPERATOR, **headers):
        """(status, body) of one call; JSON where it is JSON."""
        request = urllib.request.Request(self.url + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        if token:
            request.add_header("Authorization", "Bearer " + token)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            answer = urllib.request.urlopen(request, timeout=40)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read()
        return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else text

    def sync(self, order, token=CUSTOMER, **more):
        return self.call("POST", "/functions/v1/sync-order-elementor", {"order_id": order, **more},
                         token)

    def state(self, order):
        status, body = self.call("GET", f"/api/v1/orders/{order}")
        return body["state"] if status == 200 else None


def parked_orders(t, prefix, count):
    """Orders that the endpoint refused; it takes them from now on."""
    t.receiver.control(status=422)
    orders = []
    for n in range(count):
        orders.append(t.stack.order(f"{prefix}-{n}"))
        t.stack.confirm(orders[-1])
    wait_for("the refusals", lambda: len(t.receiver.journal()) >= count)
    return orders


def shops_call_syncs_an_order(t):
    t.started()
    one, two = Dashboard(t, "one").caught_up(), Dashboard(t, "two").caught_up()
    [order] = parked_orders(t, "D", 1)
    for dashboard in (one, two):
        wait_for("parked", lambda: dashboard.state(order) == "parked")
    t.receiver.control(status=200)
    status, body = one.sync(order)
    assert (status, body["success"], body["status"]) == (200, True, "delivered"), (status, body)
    wait_for("the other dashboard sees it", lambda: two.state(order) == "delivered")
    status, body = two.sync(order)
    assert (status, body["success"]) == (200, True), (status, body)
    assert t.receiver.delivered() == [order], "it was sent again"
    status, body = two.sync(order, OPERATOR, force=True)
    assert (status, body["success"]) == (200, True), (status, body)
    assert t.receiver.delivered() == [order, order]
    ids = {dict(e["headers"])["webhook-id"] for e in t.receiver.journal()}
    assert len(ids) == 1, ids
    assert one.sync("no-such-order", OPERATOR, force=True)[0] == 404
    assert one.sync(order, force=True)[0] == 403, "force is the operators'"
    assert one.sync(order, confirmed_at="2020-01-01T00:00:00Z")[0] == 409
    for token, expected in ((None, 401), ("x.y.z", 401), (jwt(role="anon"), 403),
                            (jwt(role="authenticated", is_anonymous=True), 403),
                            (jwt(role="authenticated", exp=1), 401)):
        assert one.sync(order, token)[0] == expected, expected
    assert one.call("GET", "/api/v1/orders", token=CUSTOMER)[0] == 403
    assert "personal" not in one.program.log.read_text() and one.program.says("level=audit")
    assert len(t.receiver.delivered()) == 2, "a refused call changed something"


def shops_call_takes_what_shops_have(t):
    """PostgreSQL's own row as a database webhook sends it, an id as code spells it, a service's key."""
    t.started()
    dashboard = Dashboard(t, "callers", AUTH_SERVICE_KEYS=SERVICE_KEY).caught_up()
    order = t.stack.order("CMD-CALLERS")
    t.stack.confirm(order)
    wait_for("delivered", lambda: dashboard.state(order) == "delivered")
    for name in (order, order.upper(), f" {order}\n"):
        status, body = dashboard.sync(name)
        assert (status, body["order_id"], body["success"]) == (200, order, True), (name, status, body)
    status, body = dashboard.sync("cmd-callers", OPERATOR)
    assert (status, body["order_id"]) == (200, order), (status, body)
    row = t.stack.sql("SELECT json_build_object('type', 'UPDATE', 'table', 'orders', 'schema', 'public', 'record', "
                      f"row_to_json(o), 'old_record', row_to_json(o)) FROM orders o WHERE id = '{order}'")
    path = "/functions/v1/sync-order-elementor?forceFunctionRegion=eu-west-3"
    for token, headers in ((SERVICE_KEY, {}), (None, {"apikey": SERVICE_KEY})):
        status, body = dashboard.call("POST", path, json.loads(row), token, **headers)
        assert (status, body["order_id"], body["success"]) == (200, order, True), (status, body)
    assert dashboard.call("POST", path + "&apikey=" + SERVICE_KEY, json.loads(row), None)[0] == 401
    assert t.receiver.delivered() == [order], "it was sent again"
    log = dashboard.program.log.read_text()
    assert SERVICE_KEY not in log and 'error="it has no Authorization"' in log, log[-2000:]


def what_is_sent_is_read_from_kafka(t):
    """Rendered as the pipeline did it, on a registry's real schema; personal values only when they are
    asked for, which is audited; none of it is kept."""
    t.started()
    dashboard = Dashboard(t, "payload", LOG_LEVEL="debug").caught_up()
    order = t.stack.order("CMD-PAYLOAD", client_phone="+213611223344")
    t.stack.confirm(order)
    wait_for("delivered", lambda: dashboard.state(order) == "delivered")
    path = f"/api/v1/orders/{order}/payload"
    status, masked = dashboard.call("GET", path)
    assert (status, masked["verdict"], masked["body"]) == (200, "deliver", None), (status, masked)
    values = {f["name"]: f["value"] for f in masked["fields"]}
    assert (values["unit_price"], values["order_number"]) == ("1250.50", "CMD-PAYLOAD"), values
    assert [f["name"] for f in masked["fields"] if f["masked"]] == [
        "client_name", "client_phone", "client_address", "client_city"], masked
    assert "show payload" not in dashboard.program.log.read_text()
    status, shown = dashboard.call("POST", path + "/show", {})
    assert status == 200 and shown["body"] == t.receiver.journal()[-1]["body"], (status, shown)
    log = dashboard.program.log.read_text()
    assert f'who=olga what="show payload" order={order}' in log, log[-2000:]
    assert "611223344" not in log
    for file in t.folder.glob("payload.db*"):
        assert b"611223344" not in file.read_bytes(), file
    bad = t.stack.order("CMD-BAD", client_phone=" ")
    t.stack.confirm(bad)
    wait_for("parked", lambda: dashboard.state(bad) == "parked")
    status, body = dashboard.call("GET", f"/api/v1/orders/{bad}/payload")
    assert (status, body["reason"]) == (200, "missing:client_phone"), (status, body)
    assert [f["name"] for f in body["fields"] if f["reason"]] == ["client_phone"], body
    assert dashboard.call("POST", path + "/show", {}, CUSTOMER)[0] == 403


def killed_amid_a_redrive(t):
    t.started()
    dashboard = Dashboard(t, "dash").caught_up()
    orders = parked_orders(t, "X", 12)
    wait_for("all parked", lambda: all(dashboard.state(o) == "parked" for o in orders))
    t.receiver.control(status=200)
    count = dashboard.call("POST", "/api/v1/redrives/preview", {"reason": "http:422"})[1]["count"]
    assert dashboard.call("POST", "/api/v1/redrives", {"reason": "http:422", "confirm": count + 1}
                          )[0] == 409
    assert dashboard.call("POST", "/api/v1/redrives", {"reason": "http:422", "confirm": count}
                          )[0] == 202
    wait_for("some were sent", lambda: len(t.receiver.delivered()) >= 3)
    dashboard.program.kill()
    dashboard.start()
    dashboard.caught_up()
    wait_for("no retry is pending", lambda: dashboard.call("GET", "/api/v1/status")[1]["counts"]
             ["queued"] == 0)
    left = dashboard.call("POST", "/api/v1/redrives/preview", {"reason": "http:422"})[1]["count"]
    assert 0 < left < count, (left, count)
    dashboard.call("POST", "/api/v1/redrives", {"reason": "http:422", "confirm": left})
    t.wait_delivered(orders)
    ours = [o for o in t.receiver.delivered() if o in orders]
    assert sorted(ours) == sorted(orders), "one was lost, or sent twice"
    kept, rebuilt = dashboard, Dashboard(t, "rebuilt").caught_up()
    wait_for("both say delivered", lambda: all(
        d.state(o) == "delivered" for d in (kept, rebuilt) for o in orders))
    assert kept.program.stop() == 0 and rebuilt.program.stop() == 0
    assert rows(kept.database) == rows(rebuilt.database)


def rows(database):
    """The view's rows, without its own numbering and its keyed hashes."""
    db = sqlite3.connect(database)
    names = [c[1] for c in db.execute("PRAGMA table_info(orders)") if c[1] not in ("id", "hash")]
    return [sorted(map(repr, db.execute(q))) for q in
            (f"SELECT {', '.join(names)} FROM orders", "SELECT * FROM parked", "SELECT * FROM retries")]


def api_is_as_described(t):
    if not SCHEMATHESIS.exists():
        print("      skipped: schemathesis is not installed (tests/run.sh does)", flush=True)
        return
    t.started()  # makes the topics, where they are missing
    dashboard = Dashboard(t, "dash").caught_up()
    dashboard.program.stop()
    t.env = lambda env=t.env, **more: env(**{**more, "DASHBOARD_WAIT": "100ms"})
    dashboard.start()
    dashboard.caught_up()
    # Numbers past 64 bits are refused, schema or not; an ended redrive is still to be looked at.
    # The same requests in each run, so that a run says something of the change it tests; another
    # API_SEED (a number) makes others, API_EXAMPLES more of them: to search, not to test.
    done = subprocess.run(
        [str(SCHEMATHESIS), "run", str(HERE.parent.parent / "schemas" / "openapi.yaml"), "--url",
         dashboard.url, "-H", f"Authorization: Bearer {OPERATOR}", "--exclude-path",
         "/api/v1/events", "--seed", os.environ.get("API_SEED", "1"), "--max-examples",
         os.environ.get("API_EXAMPLES", "20"), "--no-color", "--checks", "all",
         "--exclude-checks", "positive_data_acceptance,use_after_free"],
        capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout[-6000:]
    assert dashboard.call("GET", "/livez")[0] == 200


def raw(dashboard, data, seconds=15):
    """The status of the answer to these bytes; None: the connection was closed without one."""
    host, port = dashboard.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), seconds) as s:
        s.sendall(data)
        answer = s.recv(65536)
    return int(answer.split()[1]) if answer else None


def hostile_requests_are_refused(t):
    t.started()  # makes the topics, where they are missing
    dashboard = Dashboard(t, "dash").caught_up()
    auth = f"Authorization: Bearer {OPERATOR}\r\n".encode()
    post = (b"POST /functions/v1/sync-order-elementor HTTP/1.1\r\nHost: x\r\n" + auth +
            b"Content-Type: application/json\r\n")
    get = lambda path, more=b"": b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + auth + more + b"\r\n"
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    cases = [
        (400, post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (400, post + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
        (400, b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        (413, post + b"Content-Length: 999999\r\n\r\n"),
        (413, post + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + chunk + b"0\r\n\r\n"),
        (404, get(b"/../../etc/passwd")),
        (404, get(b"/%2e%2e/page.js")),
        (400, get(b"/api/v1/orders/a%00b")),
        (404, get(b"/api/v1/orders/a%0d%0aX:1")),
        (400, get(b"/api/v1/orders?limit=99999999999999999999")),
        (400, get(b"/api/v1/orders?cursor=%27%20OR%201=1")),
        (400, get(b"/api/v1/orders?limit=1&limit=2")),
        (403, get(b"/api/v1/orders", b"Origin: https://evil.example\r\n")),
        (431, get(b"/livez", b"X: " + b"a" * 100000 + b"\r\n")),
        (415, post.replace(b"application/json", b"text/plain") + b"Content-Length: 2\r\n\r\n{}"),
        (401, b"GET /api/v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b"a" * 20000 +
         b"\r\n\r\n"),
    ]
    for expected, data in cases:
        assert raw(dashboard, data) == expected, (expected, data[:160])
    assert raw(dashboard, b"GET /livez HTTP/1.1\r\nHost: x\r\n") is None, "half a request"
    assert raw(dashboard, get(b"/livez")) == 200


TESTS = [hostile_requests_are_refused, shops_call_syncs_an_order, shops_call_takes_what_shops_have,
         what_is_sent_is_read_from_kafka, killed_amid_a_redrive,
         api_is_as_described]
