#!/usr/bin/env python3
"""The figures of consumer/doc/capacity.md: what one member delivers, and what members, topics and the dashboard take.

usage: capacity.py BUILD STACK_DIR [--write] [--quick] [NAME...]
    BUILD      a release build with the benches; STACK_DIR: a running stack (tests/stack/up.sh)
    --write    into consumer/doc/capacity.md, between its two marks; --quick: a tenth of the records
    NAME       rate memory disk filter dashboard; all when none is given

Shows each table as it is ready, in Markdown. The machine's load is in the first line.
"""
import argparse, os, pathlib, re, subprocess, sys, tempfile, types

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path += [str(ROOT / "tests" / "chaos"), str(ROOT / "tests" / "e2e")]
import fake_registry
import page
from harness import TESTS, Program, Stack, wait_for
from memory import peak_mib
from pace import Run
from world import Receiver

DOCUMENT = ROOT / "consumer" / "doc" / "capacity.md"
MARKS = "<!-- tests/bench/capacity.py writes from here -->", "<!-- to here -->"
CASE = TESTS / "cases" / "default"
LATENCIES_MS, CONCURRENCIES = (10, 50, 200, 1000), (4, 16, 64)
SETTLE_S, MEASURE_S = 10, 10  # the pace is being found at first
HOLD_S = 15


def table(title, head, rows):
    yield f"**{title}**\n\n" + "\n".join(["| " + " | ".join(map(str, row)) + " |" for row in
                                          [head, ["---"] * len(head), *rows]]) + "\n"


def rate(options):
    """Against a mock Kafka; every record confirms."""
    tools = types.SimpleNamespace(binary=options.binary, tools=options.tools)
    rows = []
    for latency in LATENCIES_MS:
        row = [f"{latency} ms"]
        for concurrency in CONCURRENCIES:
            orders = min(int(concurrency * 1000 / latency * (SETTLE_S + MEASURE_S) * 1.5) + 100, 30000)
            run = Run(tools, f"delay_us={latency * 1000}", orders, SETTLE_S + MEASURE_S,
                      WEBHOOK_CONCURRENCY=str(concurrency))
            row.append(f"{run.rate(min(SETTLE_S, run.seconds / 2)):.0f}")
        rows.append(row)
    head = ["each answer takes", *(f"`webhook.concurrency={n}`" for n in CONCURRENCIES)]
    yield from table("Orders a second, one member", head, rows)


def fill(options, topic, records, every, partitions=6):
    subprocess.run([f"{options.bench}/bench_fill", options.brokers, topic, str(CASE), str(records), str(every),
                    f"partitions={partitions}"], check=True, stdout=subprocess.DEVNULL)


def held_back(options, records, every, partitions):
    """The peak of a member whose receiver takes a second for each answer."""
    topic = f"capacity-{os.getpid()}-{partitions}-{records}-{every}"
    fill(options, topic, records, every, partitions)
    with tempfile.TemporaryDirectory() as folder:
        receiver = Receiver(options.tools, folder, "delay_us=1000000")
        server, url = fake_registry.serve(CASE / "schemas.json")
        program = Program(options.binary, f"{folder}/log", "run", env={
            "KAFKA_BROKERS": options.brokers, "KAFKA_TOPIC": topic, "KAFKA_GROUP": topic, "KAFKA_START": "earliest",
            "REGISTRY_URL": url, "ELEMENTOR_WEBHOOK_URL": receiver.url})
        try:
            wait_for("the first order is under way", lambda: receiver.journal.exists() and receiver.journal.stat().st_size, 60)
            try:
                program.process.wait(HOLD_S)  # the backlog presses on all of this time
                raise AssertionError(program.log.read_text()[-3000:])
            except subprocess.TimeoutExpired:
                return peak_mib(program.process.pid)
        finally:
            program.kill()
            receiver.close()
            server.shutdown()


def memory(options):
    """On the real broker; one record in six confirms."""
    share = 10 if options.quick else 1
    rows = [[f"{records // share // 6:,}", partitions, f"{held_back(options, records // share, 6, partitions):.0f} MiB"]
            for records, partitions in ((6_000, 6), (60_000, 6), (600_000, 6), (600_000, 24), (600_000, 96))]
    yield from table("Peak memory of a member, each answer takes a second", ["confirmed orders that wait", "partitions", "peak"], rows)


def log_bytes(options, prefix):
    """Of a topic's records on disk, without the room that Kafka reserves for indexes."""
    return sum(file.stat().st_size for file in pathlib.Path(options.stack, "kafka", "data").glob(f"{prefix}-*/*.log"))


def disk(options):
    """On the real broker, as `run` writes them."""
    records, rows = (30_000 if options.quick else 300_000), []
    for name, option, topics in (("delivered", {}, ("deliveries",)),
                                 ("parked: a column is missing", {"PAYLOAD_FIELDS_CLIENT_NAME": "none"}, ("deliveries", "parked"))):
        topic = f"capacity-disk-{os.getpid()}-{len(topics)}"
        fill(options, topic, records, 6)
        with tempfile.TemporaryDirectory() as folder:
            receiver = Receiver(options.tools, folder, "")
            server, url = fake_registry.serve(CASE / "schemas.json")
            env = {"KAFKA_BROKERS": options.brokers, "KAFKA_TOPIC": topic, "KAFKA_GROUP": topic, "KAFKA_START": "earliest",
                   "REGISTRY_URL": url, "ELEMENTOR_WEBHOOK_URL": receiver.url, **option}
            try:
                done = subprocess.run([options.binary, "run", "--until-end", "--timeout", "300s"], capture_output=True, text=True,
                                      env={**os.environ, **env})
            finally:
                receiver.close()
                server.shutdown()
        assert done.returncode == 0, done.stderr[-3000:]
        size = sum(log_bytes(options, f"{topic}.{own}") for own in topics)
        rows.append([name, ", ".join(f"`….{own}`" for own in topics), f"{size / (records // 6) * 1e6 / 2**20:,.0f} MiB"])
    yield from table("Disk of a million outcomes, one replica", ["each is", "in", "takes"], rows)


def said(script, *words):
    done = subprocess.run([sys.executable, HERE / script, *map(str, words)], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def filtering(options):
    records = 200_000 if options.quick else 1_000_000
    text = said("run.py", options.binary, options.bench, options.tools, options.stack, records, 3)
    found = re.search(r"^elementor-sync +([\d,]+) records/s, µs CPU a record ([\d.]+) .*MiB at most ([\d.]+)", text, re.M)
    yield from table("A million records that confirm nothing", ["CPU", "records a second", "peak memory"],
                     [[f"{float(found[2]):.1f} s", found[1], f"{found[3]} MiB"]])


def dashboard(options):
    count = 100_000 if options.quick else 1_000_000
    text = said("dashboard.py", options.binary, options.bench, options.stack, count)
    ready = re.search(r"outcomes from Kafka in ([\d.]+) s", text)
    peak, database = re.search(r"peak after that ([\d.]+) MiB; its database (\d+) MiB", text).groups()
    yield from table(f"The dashboard with {count:,} outcomes", ["from its start to ready", "peak memory", "its database"],
                     [[f"{ready[1]} s", f"{peak} MiB", f"{database} MiB"]])


MEASURES = {"rate": rate, "memory": memory, "disk": disk, "filter": filtering, "dashboard": dashboard}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("stack")
    parser.add_argument("name", nargs="*", default=list(MEASURES))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_intermixed_args()
    options.binary, options.bench = options.build / "elementor-sync", options.build / "tests/bench"
    options.tools, options.brokers = options.build / "tests", Stack(options.stack).env["KAFKA_BROKERS"]
    command = " ".join(["python3 tests/bench/capacity.py build/release STACK", *(["--quick"] if options.quick else []),
                        *(options.name if options.name != list(MEASURES) else [])])
    parts = [f"`{command}` measured this: {page.machine(options).split('. elementor-sync')[0]}. Brokers, receiver and the program "
             "share these cores.\n"]
    print(parts[0], flush=True)
    for name in options.name:
        for part in MEASURES[name](options):
            print(part, flush=True)
            parts.append(part)
    if options.write:
        before, _, rest = DOCUMENT.read_text().partition(MARKS[0])
        DOCUMENT.write_text(before + MARKS[0] + "\n" + "\n".join(parts) + MARKS[1] + rest.partition(MARKS[1])[2])


if __name__ == "__main__":
    main()
