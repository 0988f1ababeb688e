#!/usr/bin/env python3
"""The pace that the program finds, at receivers of one capacity each, on loopback.

usage: pace.py BINARY TOOLS [NAME...] [--seconds N] [--sweep]     TOOLS: of mock_kafka and fast_receiver

limit     10 a second, then 429: delivered a second, requests a delivery, the breaker
polite    the same with Retry-After: 1
workers   four at a time that take a second each, then 503: the seconds that 60 orders take, requests
fixed     5, 40 and 400 a second, with 503 beyond and with a queue: after 30 s, against the best fixed
          concurrency: computed, of as many as there are workers; with --sweep found by trying on this
          machine as it is just before the run, by bare requests of threads
instant   answers at once

Each line ends with "ok" or "NOT"; the exit code is 1 where one is not.
"""
import argparse, base64, collections, contextlib, http.client, json, os, pathlib, re, subprocess, sys, tempfile, threading, time, urllib.request

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "chaos"), str(TESTS / "e2e")]
import fake_registry
from world import Receiver, wait_for

CASE = TESTS / "cases" / "default"
TOPIC, PARTITIONS = "orders", 6
failed = 0


def confirmations():
    """Records of the case that are sent, and the order's id in them."""
    def place(record):
        return record["partition"], record["offset"]
    records = {place(record): record for record in map(json.loads, open(CASE / "records.ndjson"))}
    for line in map(json.loads, open(CASE / "expected.ndjson")):
        if "body" in line:
            yield records[place(line)], json.loads(line["body"])["fields"]["order_id"].encode()


class Kafka:
    def __init__(self, tools, orders):
        self.process = subprocess.Popen([
            f"{tools}/mock_kafka", f"{TOPIC}={PARTITIONS}", f"elementor-sync.{TOPIC}.retry={PARTITIONS}",
            *(f"elementor-sync.{TOPIC}.{own}=1" for own in ("parked", "deliveries", "members", "control"))], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self.write(orders)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def write(self, orders):
        self.brokers = self.process.stdout.readline().split()[1]
        record, order_id = next(confirmations())
        value = base64.b64decode(record["value"])
        assert order_id in value
        for i in range(orders):
            fresh = f"{i:08x}".encode() + order_id[8:]
            print(json.dumps({"topic": TOPIC, "partition": i % PARTITIONS, "key": None, "headers": [],
                              "timestamp": record["timestamp"], "value": base64.b64encode(value.replace(order_id, fresh)).decode()}),
                  file=self.process.stdin)
        print(file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "written\n"

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Run:
    """The program and a receiver, until so many are delivered or the time is over."""

    def __init__(self, options, behaviour, orders, seconds, **env):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pace-"))
        self.lines, self.read_to = [], 0
        with contextlib.ExitStack() as parts:
            kafka = Kafka(options.tools, orders)
            parts.callback(kafka.close)
            registry, registry_url = fake_registry.serve(CASE / "schemas.json")
            parts.callback(registry.shutdown)
            receiver = Receiver(pathlib.Path(options.tools), self.folder, behaviour)
            parts.callback(receiver.close)
            self.journal = receiver.journal
            with open(self.folder / "log", "w") as log:
                program = subprocess.Popen([options.binary, "run"], stderr=log, env={
                    **os.environ, "KAFKA_BROKERS": kafka.brokers, "KAFKA_TOPIC": TOPIC,
                    "KAFKA_START": "earliest", "REGISTRY_URL": registry_url, "OPS_LISTEN": "127.0.0.1:0",
                    "ELEMENTOR_WEBHOOK_URL": receiver.url, **env})
            parts.callback(program.wait)
            parts.callback(program.kill)
            wait_for("a request arrives", lambda: self.journal.exists() and
                     self.journal.stat().st_size > 0, 60)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and self.read() < orders:
                time.sleep(0.5)
            self.opened = "breaker open" in (self.folder / "log").read_text()
            self.slowed = self.scrape("elementor_sync_webhook_concurrency"), self.scrape(
                "elementor_sync_webhook_rate")

    def read(self):
        """Adds what came meanwhile to lines: (arrived us, ended us, status) of each answered request."""
        with open(self.journal) as journal:
            journal.seek(self.read_to)
            whole = journal.read().rpartition("\n")
        self.read_to += len(whole[0]) + len(whole[1])
        for words in map(str.split, whole[0].splitlines()):
            if words[3] == "-":
                self.lines.append(tuple(map(int, words[:3])))
        return sum(line[2] == 200 for line in self.lines)

    def scrape(self, name):
        port = re.search(r'event="ops port".* port=(\d+)', (self.folder / "log").read_text())[1]
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
        found = re.search(rf"^{name} (\S+)$", text, re.M)
        return found and found[1]  # None: a release without it

    def rate(self, from_s=0):
        """Deliveries a second, behind the first from_s seconds."""
        begin = min(line[0] for line in self.lines) + from_s * 1e6
        ends = sorted(line[1] for line in self.lines if line[2] == 200 and line[1] >= begin)
        return len(ends) / ((ends[-1] - begin) / 1e6)

    @property
    def excess(self):
        return len(self.lines) / sum(line[2] == 200 for line in self.lines)

    @property
    def seconds(self):
        return (max(line[1] for line in self.lines) - min(line[0] for line in self.lines)) / 1e6

    @property
    def statuses(self):
        return ", ".join(f"{s} × {n}" for s, n in sorted(collections.Counter(
            line[2] for line in self.lines).items()))


def say(text, ok):
    global failed
    failed += not ok
    print(text, "ok" if ok else "NOT", flush=True)


def limit(options, name="limit", more=""):
    run = Run(options, f"rate=10 burst=10 delay_us=20000 {more}", 3000, options.seconds or 60)
    say(f"{name}: 10/s, then 429{more}: {run.rate():.2f} delivered a second (≥ 8), {run.excess:.3f} requests "
        f"each (≤ 1.5), breaker {'opened' if run.opened else 'closed'}; {run.statuses}",
        run.rate() >= 8 and run.excess <= 1.5 and not run.opened)


def polite(options):
    limit(options, "polite", " retry_after=1")


def workers(options):
    run = Run(options, "workers=4 delay_us=1000000", 60, 120)
    say(f"workers: 4 of a second, then 503: 60 orders in {run.seconds:.1f} s (≤ 25), {len(run.lines)} "
        f"requests (≤ 75), breaker {'opened' if run.opened else 'closed'}; {run.statuses}",
        run.seconds <= 25 and len(run.lines) <= 75 and not run.opened)


def fixed_concurrency(url, at_a_time, seconds):
    """Deliveries a second of so many threads that each send one request after the other."""
    host, port = re.match(r"http://([^:/]+):(\d+)", url).groups()
    body, headers = b"x" * 400, {"Content-Type": "application/json"}
    begin, delivered = time.monotonic(), []

    def send():
        connection, count = http.client.HTTPConnection(host, int(port), timeout=30), 0
        while time.monotonic() < begin + seconds:
            connection.request("POST", "/hook", body, headers)
            answer = connection.getresponse()
            answer.read()
            count += answer.status == 200
            if answer.status != 200:
                time.sleep(0.01)
        delivered.append((count, time.monotonic()))

    threads = [threading.Thread(target=send) for _ in range(at_a_time)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(count for count, _ in delivered) / (max(end for _, end in delivered) - begin)


def sweep(options, behaviour, workers):
    """(deliveries a second, concurrency) of the best of some numbers around the workers."""
    found = []
    with tempfile.TemporaryDirectory(prefix="pace-") as folder:
        receiver = Receiver(pathlib.Path(options.tools), pathlib.Path(folder), behaviour)
        try:
            for at_a_time in sorted({workers // 2, workers - 1, workers, workers + 1, workers + 4}):
                found.append((fixed_concurrency(receiver.url, at_a_time, 4), at_a_time))
        finally:
            receiver.close()
    return max(found)


def fixed(options):
    for rate, count, took_ms in ((5, 2, 400), (40, 4, 100), (400, 12, 30)):
        for queue in (0, 1):
            behaviour = f"workers={count} delay_us={took_ms * 1000} queue={queue}"
            best, at_a_time = count * 1000 / took_ms, count
            if options.sweep:
                best, at_a_time = sweep(options, behaviour, count)
            run = Run(options, behaviour, 90 * rate, options.seconds or 60)
            found = run.rate(30)
            say(f"fixed: {rate}/s, {count} of {took_ms} ms, {'a queue' if queue else '503'} beyond: "
                f"{found:.1f} a second after 30 s, {found / best:.3f} of the best (≥ 0.85), {best:.1f} of "
                f"{at_a_time} at a time; concurrency {run.slowed[0]}; {run.excess:.3f} requests each; breaker "
                f"{'opened' if run.opened else 'closed'}; load {os.getloadavg()[0]:.1f}; {run.statuses}",
                found >= 0.85 * best and not run.opened)


def instant(options):
    run = Run(options, "", 50000, 60, WEBHOOK_CONCURRENCY="64")
    say(f"instant: {run.rate():.0f} a second", True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("tools")
    parser.add_argument("names", nargs="*", default=[])
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--sweep", action="store_true")
    options = parser.parse_args()
    for name in options.names or ["limit", "polite", "workers", "fixed", "instant"]:
        {"limit": limit, "polite": polite, "workers": workers, "fixed": fixed,
         "instant": instant}[name](options)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
