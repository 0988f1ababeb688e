#!/usr/bin/env python3
"""docker/receivers: each example takes the real program's orders, each once, though it is killed meanwhile.

usage: examples.py PROGRAM TOOLS DENO [TEST...]     TOOLS: the folder of mock_kafka; DENO "": not there

Its last line is: N passed, N failed.
"""
import concurrent.futures, contextlib, http.client, json, pathlib, random, signal, socket, sqlite3, sys, time, traceback

from processes import Processes, connects, wait_for
from sender import Sender
from signed import KEY, OTHER, assert_only_signed_is_taken, assert_signed_is_taken, body_of, order, rows_of, signed

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "stack"))
from ports import free_ports

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docker/receivers"
ORDERS, KILLS, PATIENCE = 120, 6, 60
BODY_MAX = 1024 * 1024


class Example(Processes):
    """One language's receiver, in a folder of its own."""

    def __init__(self, command, **env):
        super().__init__("elementor-sync-example")
        [self.port], self.in_files = free_ports(1), command[0] == "node"
        self.command = [word.format(port=self.port, folder=EXAMPLES) for word in command]
        self.env = {"WEBHOOK_SIGNING_KEYS": f"{KEY} {OTHER}", "PORT": str(self.port), **env}
        try:
            self.run()
        except BaseException:
            print(self.log("receiver")[-3000:])
            self.close()
            raise

    def run(self):
        self.process = self.start("receiver", self.command, self.env, cwd=self.folder)
        wait_for("the receiver", lambda: connects(("127.0.0.1", self.port)))

    def is_refused(self):
        try:
            return not connects(("127.0.0.1", self.port))
        except ConnectionRefusedError:
            return True

    def end_all(self):
        """Its workers too: one that is about to die may still have taken a connection."""
        self.end(self.process, signal.SIGKILL)
        wait_for("the port is free", self.is_refused)

    def kill(self):
        self.end_all()
        self.run()

    def post(self, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST", "/orders", body.encode(), {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def status_of(self, length, body, headers):
        """The status of a request whose Content-Length is `length`, of which no more than `body` is sent; None: reset."""
        lines = ["POST /orders HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {length}",
                 *(f"{name}: {value}" for name, value in headers.items())]
        with socket.create_connection(("127.0.0.1", self.port), 10) as s, contextlib.suppress(ConnectionError):
            s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            line = s.recv(65536).split(b"\r\n")[0]
            return int(line.split()[1]) if line else None

    def sql(self, text):
        with contextlib.closing(sqlite3.connect(self.folder / "orders.db", timeout=10)) as db:
            return db.execute(text).fetchall()

    def stored(self):
        """The bodies; none before the first request made the tables."""
        if self.in_files:
            return [path.read_text() for path in (self.folder / "orders").glob("msg_*")]
        if not self.sql("SELECT name FROM sqlite_master WHERE name = 'orders'"):
            return []
        assert self.sql("SELECT (SELECT COUNT(*) FROM claims) = (SELECT COUNT(*) FROM orders)") == [(1,)]
        return [body for body, in self.sql("SELECT body FROM orders")]

    def make_fail(self, fails):
        """Work that cannot be done, its claim already made: a table that takes nothing, a folder that is not there."""
        if self.in_files:
            (self.folder / ("orders" if fails else "away")).rename(self.folder / ("away" if fails else "orders"))
        elif fails:
            self.sql("CREATE TRIGGER full BEFORE INSERT ON orders BEGIN SELECT RAISE(ABORT, 'full'); END")
        else:
            self.sql("DROP TRIGGER full")

    def reset(self):
        self.end_all()
        (self.folder / "orders.db").unlink(missing_ok=True)
        for path in (self.folder / "orders").glob("*"):
            path.unlink()
        self.run()


def assert_once(example):
    """One id, one after the other and at once; another one; what is no order."""
    body = body_of(order(1))
    said = [json.loads(example.post(body, signed("msg_one", body))[1]) for _ in range(3)]
    assert [s["duplicate"] for s in said] == [False, True, True], said
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: example.post(body, signed("msg_two", body)), range(8)))
    assert [status for status, _ in said] == [200] * 8, said
    assert sorted(json.loads(text)["duplicate"] for _, text in said) == [False] + [True] * 7, said
    assert example.stored() == [body] * 2
    for wrong in ("{", "[]", '{"fields":{}}', '{"fields":{"order_id":1}}'):
        assert example.post(wrong, signed("msg_wrong", wrong))[0] == 422, wrong
    ping = '{"form_name":"elementor_sync_ping","fields":{}}'
    assert example.post(ping, signed("ping_1", ping) | {"webhook-source": "ping"})[0] == 200
    assert len(example.stored()) == 2


def assert_bodies_are_bounded(example):
    """Signed or not: what is longer than BODY_MAX is not awaited, and no body is longer than nothing."""
    frame = len(body_of(order(1, client_name="")))
    longest, longer = (body_of(order(1, client_name="a" * (BODY_MAX - frame + more))) for more in (0, 1))
    assert example.post(longest, signed("msg_longest", longest))[0] == 200
    status = example.status_of(len(longer), longer.encode(), signed("msg_longer", longer))
    assert status in (413, None), status
    for length in (BODY_MAX + 1, 1 << 40):
        status = example.status_of(length, b"a" * (BODY_MAX + 1), {})
        assert status in (413, None), (length, status)
    status = example.status_of(-1, b"{}", {})
    assert status in (400, None), status
    assert json.loads(example.post(longest, signed("msg_longest", longest))[1])["duplicate"] is True
    assert example.stored() == [longest]


def assert_no_success_without_storing(example):
    body = body_of(order(1))
    example.make_fail(True)
    for _ in range(2):
        status, said = example.post(body, signed("msg_lost", body))
        assert status == 500, (status, said)
    example.make_fail(False)
    status, said = example.post(body, signed("msg_lost", body))
    assert status == 200 and json.loads(said)["duplicate"] is False, (status, said)


def assert_all_orders(example, programs):
    sender, rng = Sender(*programs, f"http://127.0.0.1:{example.port}/orders", f"{OTHER} {KEY}"), random.Random(7)
    rows = [rows_of(n) for n in range(ORDERS)]
    try:
        status, said = sender.command("check", "--ping-webhook")
        assert "answered 200" in said, said
        sender.write(rows)
        sender.run()
        for reach in sorted(rng.sample(range(1, ORDERS), KILLS)):
            sender.wait_for(f"{reach} orders", lambda: len(example.stored()) >= reach, PATIENCE)
            example.kill()
        sender.wait_for("all orders", lambda: len(example.stored()) >= ORDERS, PATIENCE)
        sender.stop()
    finally:
        sender.close()
    bodies = [json.loads(body, parse_float=str)["fields"] for body in example.stored()]
    found = {body["order_id"]: body for body in bodies}
    assert len(bodies) == len(found) == ORDERS, (len(bodies), len(found))
    for row in rows:
        body = found[row.pop("id")]
        assert all(body[name] == value for name, value in row.items()), (body, row)


def judge(example, programs, has_bound=True):
    try:
        assert_only_signed_is_taken(example.post)
        assert_signed_is_taken(example.post)
        example.reset()
        if has_bound:
            assert_bodies_are_bounded(example)
            example.reset()
        assert_once(example)
        assert_no_success_without_storing(example)
        example.reset()
        assert_all_orders(example, programs)
    except BaseException:
        print(example.log("receiver")[-3000:])
        raise
    finally:
        example.close()


def php(programs, _):
    judge(Example(["php", "-S", "127.0.0.1:{port}", "{folder}/receiver.php"], ORDERS_DSN="sqlite:orders.db", PHP_CLI_SERVER_WORKERS="4"), programs,
          has_bound=False)  # PHP's own server has a body whole before the script begins; the bound is post_max_size


def python(programs, _):
    judge(Example([sys.executable, "{folder}/receiver.py"]), programs)


def node(programs, _):
    judge(Example(["node", "{folder}/receiver.mjs"]), programs)


def deno(programs, binary):
    judge(Example([binary, "run", "--check", "--no-config", "--allow-net", "--allow-env", "--allow-read", "--allow-write", "{folder}/receiver.ts"], NO_COLOR="1"),
          programs)


def main(program, tools, binary, *names):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with it
    good = bad = 0
    for test in (php, python, node, deno):
        if (names and test.__name__ not in names) or (test is deno and not binary):
            continue
        began = time.monotonic()
        try:
            test((program, tools), binary)
            good += 1
            print(f"ok    receiver in {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:
            bad += 1
            traceback.print_exc(file=sys.stdout)
            print(f"FAIL  receiver in {test.__name__}", flush=True)
    print(f"{good} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
