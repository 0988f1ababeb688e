#!/usr/bin/env python3
"""Delivering: elementor-sync against what the endpoint's delay allows, and against bare libcurl.

usage: posts.py BINARY BENCH_FOLDER TOOLS [slow|instant|backlog...] [--records N] [--pairs N]

slow     an endpoint that answers after 50 ms, 256 at a time: against concurrency / latency
instant  an endpoint that answers at once, 64 at a time: against a bare libcurl loop that sends the
         same bytes, against the bare libraries doing the whole job (records, requests, outcome
         records, commits), and against wrk where it is installed
backlog  a million records like real ones, one in six confirmed, an instant endpoint, 64 at a time,
         everything on: against the time of those loops for as many requests

BENCH_FOLDER: of bench_fill, bench_bare_post and bench_bare_whole; TOOLS: of fast_receiver. Starts a broker of its own.
"""
import argparse, json, pathlib, shutil, statistics, subprocess, sys, tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "chaos"), str(TESTS / "e2e")]  # behind: run.py is that of this folder
import brokers, fake_registry
from figures import ratios, spread
from run import run, timestamp
from world import wait_for

CASE = TESTS / "cases" / "default"
DELAY_US = 50_000


class Bench:
    def __init__(self, options):
        self.options = options
        self.cluster = brokers.Brokers(1)
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
        self.registry, self.registry_url = fake_registry.serve(CASE / "schemas.json")
        self.runs = 0
        bodies = (json.loads(line).get("body") for line in open(CASE / "expected.ndjson"))
        self.body = self.place / "body"
        self.body.write_text(next(b for b in bodies if b))

    def fill(self, records, every, **options):
        """A topic of so many records, one in `every` confirming; its name and the confirmations. options: bench_fill's."""
        self.runs += 1
        topic = f"posts-{self.runs}"
        filled = subprocess.run([f"{self.options.folder}/bench_fill", self.cluster.addresses, topic,
                                 str(CASE), str(records), str(every), *(f"{n}={v}" for n, v in options.items())], check=True,
                                capture_output=True, text=True).stdout
        return topic, int(filled)

    def receiver(self, behaviour="", journal="-"):
        port_file = self.place / "port"
        port_file.unlink(missing_ok=True)
        process = subprocess.Popen([f"{self.options.tools}/fast_receiver", str(port_file),
                                    str(journal), behaviour])
        wait_for("the receiver listens", port_file.exists, 10)
        return process, f"http://127.0.0.1:{port_file.read_text()}/hook"

    def env(self, topic, url, concurrency):
        self.runs += 1
        group = f"group-{self.runs}"
        return {"KAFKA_BROKERS": self.cluster.addresses, "KAFKA_TOPIC": topic, "KAFKA_GROUP": group,
                "REGISTRY_URL": self.registry_url, "KAFKA_START": "earliest",
                "ELEMENTOR_WEBHOOK_URL": url, "WEBHOOK_CONCURRENCY": str(concurrency),
                **{f"{topic.upper()}_TOPIC": f"elementor-sync.{topic}"  # `whole` finds them too
                   for topic in ("parked", "deliveries", "retry", "members")}}

    def ours(self, topic, url, concurrency, expected):
        """(seconds from the assignment to the last commit, CPU seconds, peak MiB)."""
        cpu, peak, _, log = run([self.options.binary, "run", "--until-end", "--timeout", "300s"],
                             self.env(topic, url, concurrency))
        lines = log.splitlines()
        began = next(timestamp(l) for l in lines if "partition assigned" in l)
        end = next(l for l in lines if "end reached" in l or "everything up to the end" in l)
        assert f"delivered={expected} " in end, end
        return timestamp(end) - began, cpu, peak

    def bare(self, url, concurrency, count):
        _, peak, out, _ = run([f"{self.options.folder}/bench_bare_post", url, str(concurrency),
                            str(count), str(self.body)])
        _, ms, cpu = out.split()
        return float(ms) / 1000, float(cpu) / 1000, peak

    def whole(self, topic, every, url, concurrency, count):
        """The libraries alone, doing all of it."""
        self.runs += 1
        _, peak, out, _ = run([f"{self.options.folder}/bench_bare_whole", self.cluster.addresses,
                            topic, "elementor-sync.retry", f"group-{self.runs}",
                            "elementor-sync.deliveries", url, str(concurrency), str(count),
                            str(every), str(self.body)])
        _, ms, cpu = out.split()
        return float(ms) / 1000, float(cpu) / 1000, peak

    def close(self):
        self.registry.shutdown()
        self.cluster.close()
        shutil.rmtree(self.place, ignore_errors=True)


def rate_of(journal):
    """Requests a second between the first tenth and the last: without its start and its end."""
    times = sorted(int(line.split()[0]) for line in open(journal))
    inner = times[len(times) // 10:-len(times) // 10]
    return (len(inner) - 1) / ((inner[-1] - inner[0]) / 1e6)


def slow(bench):
    concurrency, count = 256, bench.options.records or 60_000
    topic, expected = bench.fill(count, 1)
    journal = bench.place / "slow"
    receiver, url = bench.receiver(f"delay_us={DELAY_US}", journal)
    try:
        bench.ours(topic, url, concurrency, expected)
    finally:
        receiver.kill(), receiver.wait()
    rate, most = rate_of(journal), concurrency / (DELAY_US / 1e6)
    print(f"slow: {expected:,} deliveries, 50 ms, {concurrency} at a time: {rate:,.0f}/s of "
          f"{most:,.0f}/s: {rate / most:.3f}", flush=True)


def compare(bench, name, records, every):
    topic, expected = bench.fill(records, every)
    receiver, url = bench.receiver()
    ours, whole, bare = [], [], []
    try:
        bench.ours(topic, url, 64, expected)  # not counted: the broker compiles what runs often
        for _ in range(bench.options.pairs):
            ours.append(bench.ours(topic, url, 64, expected))
            whole.append(bench.whole(topic, every, url, 64, expected))
            bare.append(bench.bare(url, 64, expected))
        wrk = wrk_rate(bench, url)
    finally:
        receiver.kill(), receiver.wait()
    for who, samples in (("elementor-sync", ours), ("the libraries", whole),
                         ("bare libcurl", bare)):
        seconds, cpu, peak = zip(*samples)
        print(f"{name}: {who:14} {spread(seconds)} s, {expected / statistics.median(seconds):,.0f}/s, µs CPU a delivery "
              f"{spread([c / expected * 1e6 for c in cpu], '{:.0f}')}, MiB at most {spread(peak, '{:.1f}')}")
    for what, over, under in (("elementor-sync against the libraries", ours, whole),
                              ("elementor-sync against bare libcurl", ours, bare),
                              ("the libraries against bare libcurl", whole, bare)):
        print(f"{name}: {what}, pair by pair: time " + ", CPU ".join(
            ratios([o[i] for o in over], [u[i] for u in under]) for i in (0, 1)))
    if wrk:
        rate = expected / statistics.median(o[0] for o in ours)
        print(f"{name}: wrk {wrk:,.0f}/s, ours {rate / wrk:.2f} of it", flush=True)


def wrk_rate(bench, url):
    if shutil.which("wrk") is None:
        return None
    script = bench.place / "post.lua"
    script.write_text('wrk.method = "POST"\nwrk.body = [==[' + bench.body.read_text() + ']==]\n'
                      'wrk.headers["Content-Type"] = "application/json"\n'
                      'for _, name in ipairs({"webhook-id", "Idempotency-Key"}) do\n'
                      '  wrk.headers[name] = "msg_67bd955f107a337e0ea0c8a529404e0d"\nend\n'
                      'wrk.headers["webhook-timestamp"] = "1795562641"\n'
                      'wrk.headers["webhook-attempt"] = "1"\n')
    out = run(["wrk", "-t1", "-c64", "-d3s", "-s", str(script), url])[2]
    return float(next(l.split()[1] for l in out.splitlines() if "Requests/sec" in l))


def instant(bench):
    compare(bench, "instant", bench.options.records or 150_000, 1)


def backlog(bench):
    compare(bench, "backlog", bench.options.records or 1_000_000, 6)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("folder")
    parser.add_argument("tools")
    parser.add_argument("what", nargs="*", default=[])
    parser.add_argument("--records", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    bench = Bench(options)
    try:
        for what in options.what or ["slow", "instant", "backlog"]:
            {"slow": slow, "instant": instant, "backlog": backlog}[what](bench)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
