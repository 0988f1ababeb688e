"""From the commit of the SQL transaction to the request at the receiver, on the real stack. Used by latency.py.

The stack is warmed first: Java compiles what runs often, and the first of all orders waits for seconds. Windows
of WINDOW_SECONDS are thrown away until two in a row were not much better than the best before.

By rounds at 50 orders a second; then the same while another order has thousands of transitions waiting, which go
out one by one. Last, the program's own histogram of where the time went is held against the clock outside.
"""
import pathlib, re, statistics, subprocess, tempfile, time

from harness import STACK, Program, Stack
from figures import percentile, spread
from world import Receiver, wait_for

RATE = 50
WINDOW_SECONDS, WARM_SECONDS, MUCH_BETTER = 5, 75, 0.8
ROUND_SECONDS = 10
BACKLOG, BACKLOG_DELAY_US = 3000, 10_000  # the other order's transitions, and the receiver's time for each of all requests
HOPS_APART_MS = 5                         # the histogram and the clock outside may differ by so much
HOPS = "kafka", "read", "sent", "answered"


class Shop:
    """psql, kept open: an order's confirmation is a transaction of its own."""

    def __init__(self, stack):
        self.stack = stack
        self.psql = subprocess.Popen(["sh", str(STACK / "psql.sh"), stack.folder], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def insert(self, prefix, count):
        self.stack.sql("INSERT INTO orders (order_number, client_name, client_phone, product_name, quantity, unit_price,"
                       f" total_amount) SELECT '{prefix}-' || n, 'K', '+1', 'P', 1, 1, 1 FROM generate_series(1, {count}) n")

    def confirm(self, prefix, count):
        """At RATE; {order number: when its commit had returned, µs}."""
        committed, began = {}, time.monotonic()
        for n in range(1, count + 1):
            self.psql.stdin.write(f"UPDATE orders SET status = 'confirmed', confirmed_at = now() WHERE "
                                  f"order_number = '{prefix}-{n}';\nSELECT {n};\n")
            self.psql.stdin.flush()
            assert self.psql.stdout.readline().strip() == str(n)
            committed[f"{prefix}-{n}"] = time.time_ns() // 1000
            time.sleep(max(0, began + n / RATE - time.monotonic()))
        return committed

    def confirm_often(self, number, times):
        """One order, back and forth, in one transaction."""
        self.insert(number, 1)
        self.stack.sql("DO $$ BEGIN FOR i IN 1.." + str(times) + " LOOP"
                       f" UPDATE orders SET status = 'confirmed', confirmed_at = now() WHERE order_number = '{number}-1';"
                       f" UPDATE orders SET status = 'pending' WHERE order_number = '{number}-1'; END LOOP; END $$")

    def close(self):
        self.psql.stdin.close()
        self.psql.wait(10)


class Measured:
    def __init__(self, options):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="latency-"))
        stack = Stack(options.stack)
        self.receiver = Receiver(pathlib.Path(options.tools), self.place, "")
        self.shop, self.prefixes = Shop(stack), 0
        self.program = Program(options.binary, self.place / "log", "run", env={
            "KAFKA_BROKERS": stack.env["KAFKA_BROKERS"], "KAFKA_TOPIC": stack.env["KAFKA_TOPIC"],
            "KAFKA_GROUP": self.place.name, "KAFKA_START": "latest", "REGISTRY_URL": stack.env["REGISTRY_URL"],
            "ELEMENTOR_WEBHOOK_URL": self.receiver.url, "OPS_LISTEN": "127.0.0.1:0"})
        wait_for("partitions are assigned", lambda: self.program.count("partition assigned") >= 6, 60)

    def requests(self):
        return self.receiver.requests() if self.receiver.journal.exists() else []

    def window(self, seconds):
        """(ms from commit to request of each order, ms to its answer)."""
        self.prefixes += 1
        prefix, count = f"{self.place.name}-{self.prefixes}", RATE * seconds
        self.shop.insert(prefix, count)
        committed = self.shop.confirm(prefix, count)
        wait_for("all is delivered", lambda: sum(r.number in committed for r in self.requests()) >= count, 120)
        answered = [r for r in self.requests() if r.number in committed]
        return tuple([(getattr(r, name) - committed[r.number]) / 1000 for r in answered] for name in ("arrived_us", "ended_us"))

    def warm(self):
        began, medians, steady = time.monotonic(), [], 0
        while steady < 2 and time.monotonic() < began + WARM_SECONDS:
            median = statistics.median(self.window(WINDOW_SECONDS)[0])
            steady = steady + 1 if medians and median > MUCH_BETTER * min(medians) else 0
            medians.append(median)
        print(f"thrown away while the stack warmed: {time.monotonic() - began:.0f} s; p50 of each {WINDOW_SECONDS} s: "
              f"{', '.join(f'{m:.0f}' for m in medians)} ms", flush=True)

    def hops(self):
        """{hop, or "whole": (its sum in ms, deliveries)} since the start."""
        _, text = self.program.ops("/metrics")
        found = re.findall(r'^elementor_sync_delivery_(?:hop|latency)_seconds_(sum|count)(?:\{hop="(\w+)"\})? (\S+)$', text, re.M)
        return {(what, hop or "whole"): float(value) * (1000 if what == "sum" else 1) for what, hop, value in found}

    def backlog(self):
        """The same orders while another one has BACKLOG transitions to deliver."""
        self.receiver.control(f"delay_us={BACKLOG_DELAY_US}")
        number = f"{self.place.name}-many"
        self.shop.confirm_often(number, BACKLOG)
        # One more order, last in the transaction's wake: what it waits for is behind it.
        self.window(1)
        arrived, _ = self.window(ROUND_SECONDS)
        left = BACKLOG - sum(r.number == f"{number}-1" for r in self.requests())
        return arrived, left

    def close(self):
        self.shop.close()
        self.program.stop()
        self.receiver.close()


def say(name, rounds):
    print(f"{name}: {sum(map(len, rounds)):,} deliveries, " + ", ".join(
        f"{label} {spread([percentile(ms, share) for ms in rounds], '{:.1f}')} ms"
        for label, share in (("p50", .5), ("p90", .9), ("p99", .99), ("most", 1))), flush=True)


def hold_hops(before, after, answered):
    """Says where the time went; True when it adds up."""
    count = after["count", "whole"] - before["count", "whole"]
    mean = {hop: (after["sum", hop] - before["sum", hop]) / count for hop in (*HOPS, "whole")}
    outside, added = statistics.mean(answered), sum(mean[hop] for hop in HOPS)
    good = max(abs(added - mean["whole"]), abs(mean["whole"] - outside)) <= HOPS_APART_MS
    print(f"delivery_hop_seconds, means: {' + '.join(f'{hop} {mean[hop]:.1f}' for hop in HOPS)} = {added:.1f} ms; delivery_latency_seconds "
          f"{mean['whole']:.1f} ms; by the clock outside {outside:.1f} ms: {'within' if good else 'NOT within'} {HOPS_APART_MS} ms", flush=True)
    return good


def measure(options):
    """True when the histogram adds up."""
    measured = Measured(options)
    try:
        measured.warm()
        before, rounds = measured.hops(), [measured.window(ROUND_SECONDS) for _ in range(options.rounds)]
        say(f"SQL commit -> webhook, {RATE}/s", [arrived for arrived, _ in rounds])
        good = hold_hops(before, measured.hops(), [ms for _, answered in rounds for ms in answered])
        arrived, left = measured.backlog()
        say(f"the same while another order has {left:,} of {BACKLOG:,} transitions left to deliver at the end, 10 ms each", [arrived])
        return good
    finally:
        measured.close()
