#!/usr/bin/env python3
"""What a notify.url that never answers costs the deliveries: the p99 of their time with it, against without.

usage: notifier.py BINARY TOOLS [--pairs N] [--seconds N] [--rate N]

One broker, one member, --rate orders (200) a second. Windows of --seconds (15) follow each other in pairs (6), one
with a dashboard whose notify.url takes connections and never answers, one with a dashboard that has none; which
comes first alternates. In both the verdict is trouble for two seconds and well for two, by the report of a member
that does not exist. Time: from an order's record to its request at the receiver. Prints each pair; held to: the
median of the pairs' ratios is below 1.02, which only a quiet machine can show. About four minutes.
"""
import argparse, contextlib, json, os, pathlib, socket, statistics, subprocess, sys, tempfile, threading, time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "chaos"), str(TESTS / "e2e")]
import brokers, fake_registry, journals
from dashboard import SECRET
from latency import Receiver, percentile, start
from world import CASE, SCHEMA_ID, wait_for

RATIO_MAX, FLAP_S, SETTLE_S = 1.02, 2, 2


class Hanging:
    """Takes connections and what is sent, and answers nothing."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/notices"
        self.taken = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.taken.append(self.listener.accept()[0])


class Flapping:
    """The report of a member whose breaker opens and closes, until it is closed."""

    def __init__(self, addresses, topic, group):
        self.addresses, self.topic, self.group, self.ending, self.turns = addresses, topic, group, threading.Event(), 0
        self.thread = threading.Thread(target=self.flap)
        self.thread.start()

    def report(self, state):
        now = time.time_ns() // 1_000_000
        return json.dumps({
            "version": 1, "member": "flapping", "program": "0.1.0", "librdkafka": "2.0.2", "group": self.group,
            "topic": "notifier", "endpoint": "127.0.0.1", "started_ms": now, "at_ms": now, "partitions": [],
            "retry_partitions": [], "in_flight": 0, "retrying": 0, "waiting": 0, "paused": False, "registry": None,
            "breaker": {"state": state, "reason": "http:503", "since_ms": now, "next_probe_ms": None},
            "pace": {"concurrency": 16, "rate_per_s": None, "hold_until_ms": None}, "totals": {}, "rates": {},
            "oldest_unsettled_ms": None})

    def flap(self):
        while not self.ending.is_set():
            state = ("open", "closed")[self.turns % 2]
            subprocess.run(["kcat", "-q", "-P", "-b", self.addresses, "-t", self.topic, "-k", "flapping"],
                           input=self.report(state).encode(), check=True, timeout=60)
            self.turns += 1
            self.ending.wait(FLAP_S)

    def close(self):
        self.ending.set()
        self.thread.join()


class Bench:
    def __init__(self, options, parts):
        self.options, self.place = options, pathlib.Path(tempfile.mkdtemp(prefix="notifier-"))
        self.cluster = brokers.Brokers(1)
        parts.callback(self.cluster.close)
        registry, registry_url = fake_registry.serve(CASE / "schemas.json")
        parts.callback(registry.shutdown)
        self.receiver = Receiver(options.tools, self.place)
        parts.callback(self.receiver.close)
        self.hanging, self.dashboards = Hanging(), 0
        self.env = {"KAFKA_BROKERS": self.cluster.addresses, "KAFKA_TOPIC": "notifier", "KAFKA_GROUP": "notifier",
                    "KAFKA_START": "earliest", "REGISTRY_URL": registry_url, "ELEMENTOR_WEBHOOK_URL": self.receiver.url}
        self.shop([], "/dev/null", 1, 0).wait(60)  # makes the topic
        parts.callback(self.end, start(options.binary, self.place, **self.env))
        parts.callback(Flapping(self.cluster.addresses, "notifier.members", "notifier").close)
        windows = 2 * options.pairs
        parts.callback(self.end, self.shop([2000], self.place / "shop", options.rate * windows * (options.seconds + 60),
                                           options.rate))

    def shop(self, alive, journal, transitions, rate):
        return subprocess.Popen([str(word) for word in (
            f"{self.options.tools}/shop", self.cluster.addresses, "notifier", journal, transitions, rate, 2, SCHEMA_ID,
            *alive)], stdout=subprocess.DEVNULL)

    @staticmethod
    def end(process):
        process.terminate()
        process.wait(60)

    @contextlib.contextmanager
    def dashboard(self, hangs):
        self.dashboards += 1
        log = self.place / f"dashboard-{self.dashboards}"
        taken = len(self.hanging.taken)
        env = {**os.environ, **self.env, "AUTH_HS256_SECRET": SECRET, "DASHBOARD_LISTEN": "127.0.0.1:0",
               "DASHBOARD_DATABASE": str(log) + ".db",
               **({"NOTIFY_URL": self.hanging.url, "NOTIFY_AFTER": "1s", "NOTIFY_DIGEST": "1s"} if hangs else {})}
        with open(log, "w") as file:
            program = subprocess.Popen([self.options.binary, "dashboard"], stderr=file, env=env)
        try:
            wait_for("the dashboard listens", lambda: "dashboard listens" in log.read_text(), 30)
            if hangs:
                wait_for("the notifier waits for an answer", lambda: len(self.hanging.taken) > taken, 60)
            time.sleep(SETTLE_S)
            yield
        finally:
            self.end(program)

    def window(self, hangs):
        """Its times of the wall clock, us."""
        with self.dashboard(hangs):
            began = time.time_ns() // 1000
            time.sleep(self.options.seconds)
            return began, time.time_ns() // 1000

    def took(self, windows):
        """ms of each delivery, a list for each window."""
        arrived = {r.number: r.arrived_us for r in reversed(self.receiver.requests())}
        written = [w for w in journals.read_shop(self.place / "shop") if w.kind == "e" and w.number in arrived]
        return [[(arrived[w.number] - w.sent_us) / 1000 for w in written if began <= w.sent_us < ended]
                for began, ended in windows]


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("binary")
    parser.add_argument("tools")
    for name, count in (("pairs", 6), ("seconds", 15), ("rate", 200)):
        parser.add_argument(f"--{name}", type=int, default=count)
    options = parser.parse_args()
    ratios, all_ms = [], {True: [], False: []}
    with contextlib.ExitStack() as parts:
        bench = Bench(options, parts)
        for pair in range(options.pairs):
            order = (True, False) if pair % 2 == 0 else (False, True)
            windows = [bench.window(hangs) for hangs in order]
            time.sleep(1)  # what was sent last arrives
            ms = dict(zip(order, bench.took(windows)))
            with_it, without = (percentile(ms[hangs], .99) for hangs in (True, False))
            ratios.append(with_it / without)
            for hangs in order:
                all_ms[hangs] += ms[hangs]
            print(f"pair {pair + 1}: {len(ms[True]):,} and {len(ms[False]):,} deliveries, p99 {with_it:.1f} ms with a notifier that "
                  f"hangs, {without:.1f} ms without: {ratios[-1]:.3f}", flush=True)
        hung = len(bench.hanging.taken)
    ratio = statistics.median(ratios)
    for share in (.5, .99):
        with_it, without = (percentile(all_ms[hangs], share) for hangs in (True, False))
        print(f"all of them, p{share * 100:.0f}: {with_it:.1f} ms with, {without:.1f} ms without: {with_it / without:.3f}")
    print(f"p99, median of {len(ratios)} pairs: {ratio:.3f} (below {RATIO_MAX}); {hung} messages were never answered")
    return 0 if ratio < RATIO_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
