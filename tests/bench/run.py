#!/usr/bin/env python3
"""Reading and filtering a million records: elementor-sync against the best bare librdkafka loop.

usage: run.py BINARY BENCH_FOLDER TOOLS STACK_DIR [RECORDS] [PAIRS] [BATCH_BYTES]     TOOLS: of fast_receiver

On the real broker of a running stack (tests/stack/up.sh). Pairs run interleaved; medians are compared.
Time counts from the assignment to the last record (ours: to the last commit). Prints one table.
"""
import datetime, os, pathlib, re, statistics, subprocess, sys, tempfile, time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import fake_registry
from figures import ratios, spread
from harness import TESTS, Stack, wait_for

CASE = TESTS / "cases" / "default"
EVERY = 10000  # one record in so many confirms an order


def watch(pid):
    """Until it ends: (its status, what it used, peak MiB). (ru_maxrss begins with what Python had when it forked.)"""
    peak, status_file = 0, pathlib.Path(f"/proc/{pid}/status")
    while True:
        found = re.search(r"VmHWM:\s+(\d+)", status_file.read_text())  # none of one that has ended
        peak = int(found[1]) / 1024 if found else peak
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, usage, peak
        time.sleep(0.02)


def run(command, env=None):
    """Runs to the end: (seconds of CPU, peak MiB, stdout, stderr)."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **(env or {})})
        status, usage, peak = watch(process.pid)
        process.returncode = status
        out.seek(0), err.seek(0)
        texts = out.read(), err.read()
    if status != 0:
        sys.exit(f"{command[0]} failed:\n{texts[1]}")
    return usage.ru_utime + usage.ru_stime, peak, *texts


def timestamp(line):
    text = re.search(r"ts=(\S+)", line).group(1)
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def ours(binary, env, records):
    cpu, peak, _, log = run([binary, "run", "--until-end", "--timeout", "120s"], env)
    lines = log.splitlines()
    began = next(timestamp(l) for l in lines if "partition assigned" in l)
    end = next(l for l in lines if "end reached" in l or "everything up to the end" in l)
    assert f"consumed={records}" in end, end
    return timestamp(end) - began, cpu, peak


def bare(folder, brokers, topic, group, records):
    cpu, peak, out, _ = run([f"{folder}/bench_bare", brokers, topic, group, str(records)])
    count, ms = out.split()
    assert int(count) == records, out
    return float(ms) / 1000, cpu, peak


def row(name, samples, records):
    seconds, cpu, peak = zip(*samples)
    print(f"{name:16} {records / statistics.median(seconds):12,.0f} records/s, µs CPU a record "
          f"{spread([c / records * 1e6 for c in cpu])}, MiB at most {spread(peak, '{:.1f}')}")


def main():
    binary, folder, tools, stack_dir, *rest = sys.argv[1:]
    records, pairs = int(rest[0]) if rest else 1_000_000, int(rest[1]) if len(rest) > 1 else 7
    batch = rest[2] if len(rest) > 2 else "16384"
    stack = Stack(stack_dir)
    brokers, topic = stack.env["KAFKA_BROKERS"], f"bench-{os.getpid()}"
    filled = subprocess.run([f"{folder}/bench_fill", brokers, topic, str(CASE), str(records),
                             str(EVERY), f"batch={batch}"], check=True, capture_output=True, text=True).stdout.strip()
    print(f"{records:,} records, {filled} confirmations, six partitions, batches of "
          f"{batch} bytes, {pairs} interleaved pairs")
    place = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
    receiver = subprocess.Popen([f"{tools}/fast_receiver", place / "port", place / "journal", ""])
    wait_for("the receiver listens", (place / "port").exists, 10)
    server, url = fake_registry.serve(CASE / "schemas.json")
    env = {"KAFKA_BROKERS": brokers, "KAFKA_TOPIC": topic, "REGISTRY_URL": url,
           "KAFKA_START": "earliest", "ELEMENTOR_WEBHOOK_URL": f"http://127.0.0.1:{(place / 'port').read_text()}/hook"}
    ours_samples, bare_samples = [], []
    try:
        for i in range(pairs):
            group = f"{topic}-{i}"
            ours_samples.append(ours(binary, {**env, "KAFKA_GROUP": group}, records))
            bare_samples.append(bare(folder, brokers, topic, group + "-bare", records))
        delivered = len((place / "journal").read_text().splitlines())
        assert delivered == pairs * int(filled), f"{delivered} deliveries"
    finally:
        receiver.kill()
        receiver.wait()
        server.shutdown()
    row("elementor-sync", ours_samples, records)
    row("bare librdkafka", bare_samples, records)
    print(f"throughput against bare librdkafka, pair by pair: "
          f"{ratios([b[0] for b in bare_samples], [o[0] for o in ours_samples])}")


if __name__ == "__main__":
    main()
