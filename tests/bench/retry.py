#!/usr/bin/env python3
"""The time from an operator's retry to the POST at the endpoint, on the real stack.

usage: retry.py BINARY TOOLS STACK_DIR [N] [PAUSE_S]     as tests/e2e/run.py

Each retry comes after a pause of its own, up to PAUSE_S (1), as an operator's clicks do. Twice as
many orders are delivered as are refused: at half, the parking guard would close the endpoint's door.
"""
import json, pathlib, random, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from dashboard import Dashboard
from harness import Stack, Test, wait_for

GROUP = 25
REFUSED = "Bench Refused"


class Tail:
    """The journal's new lines, each read once."""

    def __init__(self, path):
        self.file, self.rest = open(path, encoding="utf-8"), ""

    def lines(self):
        *whole, self.rest = (self.rest + self.file.read()).split("\n")
        return [json.loads(line) for line in whole]

    def await_post(self, order, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for entry in self.lines():
                if order in entry["body"]:
                    return entry
            time.sleep(0.002)
        raise AssertionError(f"no POST of {order} within {seconds} s")


def confirm(t, prefix, count, name):
    """So many orders, inserted and confirmed in one statement each; their ids."""
    ids = t.stack.sql(
        "INSERT INTO orders (order_number, client_name, client_phone, client_address, client_city,"
        " product_name, quantity, unit_price, total_amount, status) SELECT"
        f" '{prefix}-' || n, '{name}', '+213600000000', 'x', 'Alger', 'x', 1, 10.00, 10.00, 'pending'"
        f" FROM generate_series(1, {count}) n RETURNING id").splitlines()
    ids = [i for i in ids if len(i) == 36]
    t.stack.sql("UPDATE orders SET status = 'confirmed', confirmed_at = now() WHERE order_number"
                f" LIKE '{prefix}-%'")
    return ids


def retry(dashboard, tail, order):
    """(ms until the call was answered, ms until the POST was received, its webhook-source)."""
    tail.lines()
    began = time.time()
    status, body = dashboard.call("POST", f"/api/v1/orders/{order}/retry", {})
    answered = time.time()
    assert status == 202, body
    entry = tail.await_post(order)
    assert entry["status"] == 200, entry
    return (answered - began) * 1000, entry["t_ms"] - began * 1000


def measure(t, count, pause):
    dashboard = Dashboard(t, "dash").caught_up()
    t.receiver.control(refuse=REFUSED)
    took = []
    while len(took) < count:
        batch = min(GROUP, count - len(took))
        t.wait_delivered(confirm(t, f"G{len(took)}-{t.group}", 2 * batch, "Bench Taken"))
        orders = confirm(t, f"R{len(took)}-{t.group}", batch, REFUSED)
        wait_for("parked", lambda: all(dashboard.state(o) == "parked" for o in orders))
        t.receiver.control(refuse="")
        tail = Tail(t.receiver.journal_path)
        for order in orders:
            time.sleep(random.uniform(0, pause))
            took.append(retry(dashboard, tail, order))
        t.receiver.control(refuse=REFUSED)
    return took


def say(what, values):
    values = sorted(values)
    at = lambda part: values[min(len(values) - 1, int(len(values) * part))]
    print(f"{what}: {len(values)} retries, p50 {at(.5):.0f} ms, p90 {at(.9):.0f} ms, "
          f"p99 {at(.99):.0f} ms, worst {values[-1]:.0f} ms", flush=True)


def main():
    binary, tools, folder, *rest = sys.argv[1:]
    count = int(rest[0]) if rest else 200
    pause = float(rest[1]) if len(rest) > 1 else 1.0
    t = Test("retry", binary, tools, Stack(folder))
    try:
        t.started()
        took = measure(t, count, pause)
        say("call answered ", [a for a, _ in took])
        say("POST received ", [p for _, p in took])
        late = [(n, round(a), round(p)) for n, (a, p) in enumerate(took) if p > 250]
        print("later than 250 ms (which, call, POST):", late or "none")
    finally:
        t.close()


if __name__ == "__main__":
    main()
