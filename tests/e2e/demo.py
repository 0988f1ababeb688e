#!/usr/bin/env python3
"""The demo, end to end: nothing but the program (and a receiver that is not its own). No stack.

usage: demo.py BINARY [NAME...]
"""
import collections, concurrent.futures, json, os, pathlib, pty, re, select, signal, subprocess
import sys, tempfile, time, traceback, urllib.request

from harness import Receiver, wait_for

BINARY = ""
FIRST_WEBHOOK = "the first webhook, after"
BALANCED = "The accounts balance"


class Demo:
    """One `elementor-sync demo`, its output and its journal."""

    def __init__(self, folder, *arguments, name="demo", env=None):
        self.out = pathlib.Path(folder) / f"{name}.out"
        self.journal_path = pathlib.Path(folder) / f"{name}.ndjson"
        with open(self.out, "wb") as file:
            self.process = subprocess.Popen(
                [BINARY, "demo", "--journal", str(self.journal_path), *arguments], stdout=file,
                stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})

    def text(self):
        return self.out.read_text(errors="replace")

    def wait(self, seconds=150):
        return self.process.wait(seconds)

    def await_text(self, text, seconds=60):
        wait_for(f"the demo says \"{text}\"", lambda: text in self.text(), seconds)

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def journal(self):
        return [json.loads(line) for line in self.journal_path.read_text().splitlines()]

    def number(self, label):
        """Of a row of the summary."""
        return int(re.search(rf"^ +{label} +([\d,]+)", self.text(), re.M)[1].replace(",", ""))

    def children(self):
        """Two: the process that delivers, and the dashboard's."""
        listed = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        delivering, dashboard = listed.read_text().split()
        return int(delivering), int(dashboard)


def outcomes(demo):
    return collections.Counter(entry["outcome"] for entry in demo.journal())


def accounts_balance(folder):
    demo = Demo(folder, "--orders", "200", "--seed", "1", "--rate", "50")
    assert demo.wait() == 0, demo.text()
    assert BALANCED in demo.text() and "WRONG" not in demo.text(), demo.text()
    found = outcomes(demo)
    assert set(found) == {"delivered", "parked"}, found
    assert demo.number("delivered") == found["delivered"] > 100, found
    assert demo.number("parked") == found["parked"] >= 8, found  # one order in 25 is invalid
    assert demo.number("confirmations") == sum(found.values()), found


def same_seed_same_orders(folder):
    demos = [Demo(folder, "--orders", "40", "--seed", seed, "--rate", rate, name=name)
             for name, seed, rate in (("a", "5", "20"), ("b", "5", "100"), ("c", "6", "100"))]
    for demo in demos:
        assert demo.wait() == 0, demo.text()
    a, b, c = ({(e["order_id"], e["order_number"], e["client_name"], e["confirmation"])
                for e in demo.journal()} for demo in demos)
    assert a == b and not a & c, (len(a), len(b), len(a & c))


def interrupted_midway(folder):
    demo = Demo(folder, "--rate", "50")
    demo.await_text(FIRST_WEBHOOK)
    demo.interrupt()
    assert demo.wait(60) == 0, demo.text()
    assert "ended early" in demo.text() and BALANCED in demo.text(), demo.text()
    assert outcomes(demo)["delivered"] == demo.number("delivered") > 0


def interrupted_at_the_start(folder):
    demo = Demo(folder)
    demo.await_text("orders")
    demo.interrupt()
    demo.interrupt()
    assert demo.wait(60) == 0, demo.text()
    assert "ended early" in demo.text(), demo.text()


def a_receiver_of_ones_own(folder):
    receiver = Receiver(folder)
    try:
        demo = Demo(folder, "--orders", "500", "--rate", "100", "--webhook-url", receiver.url)
        assert demo.wait() == 0, demo.text()
        taken = [e for e in receiver.journal() if 200 <= (e.get("status") or 0) < 300]
    finally:
        receiver.stop()
    fields = [json.loads(e["body"])["fields"] for e in taken]
    received = collections.Counter((f["order_id"], f["confirmed_at"]) for f in fields)
    named = collections.Counter((e["order_id"], e["confirmed_at"]) for e in demo.journal()
                                if e["outcome"] == "delivered")
    assert received == named, (received - named, named - received)
    assert len(taken) == demo.number("delivered") > 300, demo.text()
    assert receiver.url not in demo.text()


def a_receiver_that_is_down(folder):
    demo = Demo(folder, "--rate", "50", "--webhook-url", "http://127.0.0.1:9/x")
    demo.await_text("breaker open")
    demo.interrupt()
    assert demo.wait(60) == 0, demo.text()
    assert demo.number("delivered") == 0 and demo.number("still open") > 0, demo.text()
    assert outcomes(demo)["open"] == demo.number("still open")


def the_delivering_process_dies(folder):
    demo = Demo(folder, "--orders", "500", "--rate", "50")
    demo.await_text(FIRST_WEBHOOK)
    os.kill(demo.children()[0], signal.SIGKILL)
    assert demo.wait(60) == 1, demo.text()
    assert "do not balance" in demo.text(), demo.text()


def nothing_outlives_it(folder):
    demo = Demo(folder)
    demo.await_text("orders")
    children = demo.children()
    demo.process.kill()
    demo.wait()
    for name, child in zip(("delivering process", "dashboard"), children):
        wait_for(f"the {name} ended", lambda: not pathlib.Path(f"/proc/{child}").exists())


def surroundings_do_not_matter(folder):
    demo = Demo(folder, "--orders", "20", "--rate", "50",
                env={"KAFKA_BROKERS": "127.0.0.1:1", "KAFKA_PROPERTIES_SECURITY_PROTOCOL": "ssl",
                     "WEBHOOK_URL": "http://127.0.0.1:1/", "RULE_VALUE": "shipped"})
    assert demo.wait() == 0, demo.text()


def call(url, path, token, **arguments):
    request = urllib.request.Request(url + path, headers={"Authorization": "Bearer " + token,
                                                          "Content-Type": "application/json"},
                                     **arguments)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def an_operator_signed_in(folder):
    """The link's token opens the dashboard; a refused order that is sent again is taken."""
    demo = Demo(folder, "--rate", "50")
    demo.await_text("signed in already")
    url, token = re.search(r"(http://127\.0\.0\.1:\d+)/#token=(\S+)", demo.text()).groups()
    with urllib.request.urlopen(url, timeout=10) as page:
        assert b"<html" in page.read()

    def refused():
        orders = call(url, "/api/v1/orders?state=parked&limit=100", token)["orders"]
        return [order for order in orders if order["reason"] == "http:422"]

    order = wait_for("a refused order is listed", refused, 60)[0]["order_id"]
    call(url, f"/api/v1/orders/{order}/retry", token, data=b"{}", method="POST")
    wait_for("it is delivered",
             lambda: call(url, f"/api/v1/orders/{order}", token)["state"] == "delivered", 60)
    demo.interrupt()
    assert demo.wait(60) == 0, demo.text()


def on_a_terminal(arguments, **env):
    """The demo's output on one of 80 × 24; it is interrupted after its first payload."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.pop("NO_COLOR", None)
        os.environ.update(env)
        os.execv(BINARY, [BINARY, "demo", *arguments])
    out, deadline, asked = b"", time.monotonic() + 60, False
    while time.monotonic() < deadline:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                got = os.read(fd, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            out += got
        if not asked and ("✓".encode() in out or FIRST_WEBHOOK.encode() in out):
            os.write(fd, b"\x03")
            asked = True
    os.close(fd)
    status = os.waitpid(pid, 0)[1]
    return out.decode(errors="replace"), os.waitstatus_to_exitcode(status)


def a_live_display(folder):
    out, code = on_a_terminal(["--rate", "50"], TERM="xterm-256color")
    assert code == 0, out
    assert out.index("\x1b[?1049h") < out.index("\x1b[?1049l") < out.index(BALANCED)
    assert out.count("\x1b[?25h") == 1 and "\x1b[32m" in out and "last payloads" in out


def a_display_without_colour(folder):
    out, code = on_a_terminal(["--rate", "50"], TERM="xterm", NO_COLOR="1")
    assert code == 0 and "last payloads" in out, out
    assert not re.search(r"\x1b\[[1-9]\d*m", out)


def plain_lines_on_a_dumb_terminal(folder):
    out, code = on_a_terminal(["--rate", "50"], TERM="dumb")
    assert code == 0 and FIRST_WEBHOOK in out and "\x1b" not in out, out


TESTS = [accounts_balance, same_seed_same_orders, a_receiver_of_ones_own, interrupted_midway,
         interrupted_at_the_start, a_receiver_that_is_down, the_delivering_process_dies,
         nothing_outlives_it, an_operator_signed_in, surroundings_do_not_matter, a_live_display, a_display_without_colour,
         plain_lines_on_a_dumb_terminal]


def run_one(test):
    began = time.monotonic()
    failure = ""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        try:
            test(folder)
        except Exception:
            failure = "\n" + traceback.format_exc()
    took = time.monotonic() - began
    print(f"{'FAIL' if failure else 'ok  '}  demo: {test.__name__}  ({took:.1f} s){failure}",
          flush=True)
    return not failure


def main():
    global BINARY
    BINARY, *names = sys.argv[1:]
    BINARY = os.path.abspath(BINARY)
    wanted = [test for test in TESTS if not names or test.__name__ in names]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # each mostly waits
        passed = sum(pool.map(run_one, wanted))
    print(f"{passed} passed, {len(wanted) - passed} failed")
    return 0 if wanted and passed == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
