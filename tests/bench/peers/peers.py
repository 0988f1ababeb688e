#!/usr/bin/env python3
"""elementor-sync beside names: the same topic, registry, receiver and machine; orders a second, CPU, memory.

usage: peers.py BINARY BENCH_FOLDER TOOLS [--records N] [--every N] [--concurrency N] [--rounds N]

parallel-consumer (core, by key) and a consumer of confluent-kafka in Python, written as a shop's own first
version: no retry, parking, outcome record or signature, so that they do less than what they stand beside.
Their packages come from Maven and pip into build/peers; versions are printed. Rounds are interleaved. Time
counts from the process' start to the last of the deliveries, as does its CPU: a virtual machine's start is
part of it. Medians of --rounds (3).
"""
import argparse, json, os, pathlib, re, statistics, subprocess, sys, time, venv

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parents[1]
BUILD = TESTS.parent / "build" / "peers"
sys.path[:0] = [str(HERE.parent), str(TESTS / "chaos"), str(TESTS / "e2e")]
from posts import CASE, Bench
from world import wait_for

TICKS = os.sysconf("SC_CLK_TCK")


def set_up():
    """(the command of each peer before its arguments, versions)."""
    jars, python = BUILD / "jars", BUILD / "venv" / "bin" / "python"
    if not jars.exists():
        subprocess.run(["mvn", "-B", "-q", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies", f"-DoutputDirectory={jars}"],
                       check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    classes = BUILD / "classes"
    subprocess.run(["javac", "-cp", f"{jars}/*", "-d", str(classes), str(HERE / "ParallelConsumerPeer.java")], check=True)
    if not python.exists():
        venv.create(BUILD / "venv", with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "confluent-kafka", "fastavro", "requests"], check=True, stdout=sys.stderr)
    listed = json.loads(subprocess.run([str(python), "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True).stdout)
    packages = {p["name"]: p["version"] for p in listed}
    java = re.search(r"parallel-consumer-core-(.*)\.jar", " ".join(p.name for p in jars.iterdir()))
    print(f"parallel-consumer {java[1].split('.jar')[0]}, " + ", ".join(f"{n} {packages[n]}" for n in ("confluent-kafka", "fastavro", "requests")))
    return {"parallel-consumer": ["java", "-cp", f"{classes}:{jars}/*", "ParallelConsumerPeer"],
            "Python": [str(python), str(HERE / "python_peer.py")]}


def envelope(folder):
    """A file of the envelope's schema alone."""
    schemas = [s["schema"] for s in json.loads((CASE / "schemas.json").read_text()).values()]
    path = folder / "envelope.avsc"
    path.write_text(next(s for s in schemas if '"name":"Envelope"' in s))
    return str(path)


def spent(pid):
    """(seconds of CPU, peak MiB) of a process until now."""
    user, system = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    peak = re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]
    return (int(user) + int(system)) / TICKS, int(peak) / 1024


def run(bench, command, env, expected):
    """(seconds, CPU seconds, peak MiB) until the receiver has all."""
    journal = bench.place / "journal"
    journal.unlink(missing_ok=True)
    receiver, url = bench.receiver("", journal)
    began, log = time.monotonic(), open(bench.place / "peer.log", "wb")
    process = subprocess.Popen(command(url), env={**os.environ, **env(url)}, stdout=log, stderr=log)

    def has_all():
        assert process.poll() is None, f"{process.args[0]} ended: {pathlib.Path(log.name).read_text()[:2000]}"
        return journal.exists() and sum(1 for _ in open(journal)) >= expected

    try:
        wait_for(f"{expected} deliveries of {process.args[0]}", has_all, 600)
        return time.monotonic() - began, *spent(process.pid)
    finally:
        process.kill(), process.wait()
        receiver.kill(), receiver.wait()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("folder")
    parser.add_argument("tools")
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--every", type=int, default=6)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    peers = set_up()
    bench = Bench(options)
    samples = {name: [] for name in ("elementor-sync", *peers)}
    try:
        topic, expected = bench.fill(options.records, options.every)
        schema = envelope(bench.place)
        for number in range(options.rounds):
            samples["elementor-sync"].append(run(bench, lambda url: [options.binary, "run"],
                                                 lambda url: bench.env(topic, url, options.concurrency), expected))
            for name, words in peers.items():
                samples[name].append(run(bench, lambda url: [
                    *words, bench.cluster.addresses, topic, f"{name}-{number}", schema, url, str(options.concurrency)],
                    lambda url: {}, expected))
        print(f"{options.records:,} records, {expected:,} confirmations, {options.concurrency} at a time, {options.rounds} rounds")
        for name, runs in samples.items():
            seconds, cpu, peak = (statistics.median(r[i] for r in runs) for i in range(3))
            print(f"{name:<18} {seconds:7.2f} s {expected / seconds:8,.0f}/s {cpu / expected * 1e6:9,.0f} µs CPU an order {peak:7.1f} MiB peak", flush=True)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
