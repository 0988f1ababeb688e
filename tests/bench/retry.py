#!/usr/bin/env python3
"""How long from an operator's retry to the POST at the endpoint, on the real stack.

usage: retry.py BINARY TOOLS STACK_DIR [N]     as tests/e2e/run.py
"""
import pathlib, statistics, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from dashboard import Dashboard, parked_orders
from harness import Stack, Test, wait_for


def main():
    binary, tools, folder, *rest = sys.argv[1:]
    count = int(rest[0]) if rest else 100
    t = Test("retry", binary, tools, Stack(folder))
    try:
        t.started()
        dashboard = Dashboard(t, "dash").caught_up()
        # parked in small groups, so that the parking guard does not close the endpoint's door
        took = []
        while len(took) < count:
            orders = parked_orders(t, f"L{len(took)}", 5)
            wait_for("parked", lambda: all(dashboard.state(o) == "parked" for o in orders))
            t.receiver.control(status=200)
            for order in orders:
                began = time.time() * 1000
                status, body = dashboard.call("POST", f"/api/v1/orders/{order}/retry", {})
                assert status == 202, body
                wait_for("delivered", lambda: order in t.receiver.delivered())
                took.append(next(e["t_ms"] for e in t.receiver.journal()
                                 if e["status"] == 200 and order in e["body"]) - began)
        took.sort()
        print(f"retry to POST: {len(took)} retries, median {statistics.median(took):.0f} ms, "
              f"p99 {took[int(len(took) * 0.99) - 1]:.0f} ms, worst {took[-1]:.0f} ms")
    finally:
        t.close()


if __name__ == "__main__":
    main()
