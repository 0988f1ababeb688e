#!/usr/bin/env python3
"""Reading and filtering a million records: elementor-sync against the best bare librdkafka loop.

usage: run.py BINARY BENCH_FOLDER TOOLS STACK_DIR [RECORDS] [PAIRS] [BATCH_BYTES]     TOOLS: of fast_receiver

On the real broker of a running stack (tests/stack/up.sh). Pairs run interleaved; medians are compared.
Time counts from the assignment to the last record (ours: to the last commit). Prints one table.
"""
import datetime, os, pathlib, re, statistics, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import fake_registry
from harness import TESTS, Stack, wait_for

CASE = TESTS / "cases" / "default"
EVERY = 10000  # one record in so many confirms an order


def run(command, env=None):
    """Runs to the end: (seconds of CPU, peak MiB, stdout, stderr)."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **(env or {})})
        _, status, usage = os.wait4(process.pid, 0)
        out.seek(0), err.seek(0)
        texts = out.read(), err.read()
    if status != 0:
        sys.exit(f"{command[0]} failed:\n{texts[1]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, *texts


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
    seconds, cpu, peak = (statistics.median(s[i] for s in samples) for i in range(3))
    print(f"{name:16} {records / seconds:12,.0f} records/s {cpu / records * 1e6:8.2f} µs CPU/record"
          f" {peak:7.1f} MiB peak")


def main():
    binary, folder, tools, stack_dir, *rest = sys.argv[1:]
    records, pairs = int(rest[0]) if rest else 1_000_000, int(rest[1]) if len(rest) > 1 else 7
    batch = rest[2] if len(rest) > 2 else "16384"
    stack = Stack(stack_dir)
    brokers, topic = stack.env["KAFKA_BROKERS"], f"bench-{os.getpid()}"
    filled = subprocess.run([f"{folder}/bench_fill", brokers, topic, str(CASE), str(records),
                             str(EVERY), batch], check=True, capture_output=True, text=True).stdout.strip()
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
    ratios = [b[0] / o[0] for o, b in zip(ours_samples, bare_samples)]
    print(f"throughput ratio, pair by pair: min {min(ratios):.2f} median "
          f"{statistics.median(ratios):.2f} max {max(ratios):.2f}")


if __name__ == "__main__":
    main()
