#!/usr/bin/env python3
"""How long an order waits for us.

usage: latency.py BINARY BENCH_FOLDER TOOLS [STACK_DIR] [--rate N] [--seconds N]

At 500 deliveries a second: the time from a record's arrival at a bare consumer of the same topic to
its request at the receiver, which is what the program adds. With STACK_DIR (tests/stack/up.sh), also
the time from the commit of the SQL transaction to the request: PostgreSQL, Debezium, Kafka and us.
"""
import argparse, os, pathlib, subprocess, sys, tempfile, time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "chaos"), str(TESTS / "e2e")]
import brokers, fake_registry, journals
from harness import Stack
from world import CASE, SCHEMA_ID, wait_for


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def say(name, ms):
    print(f"{name}: {len(ms):,} deliveries, p50 {percentile(ms, .5):.2f} ms, p90 "
          f"{percentile(ms, .9):.2f} ms, p99 {percentile(ms, .99):.2f} ms, most {max(ms):.2f} ms",
          flush=True)


class Receiver:
    def __init__(self, tools, place):
        self.journal, port_file = place / "journal", place / "port"
        self.process = subprocess.Popen([f"{tools}/fast_receiver", str(port_file), str(self.journal)])
        wait_for("the receiver listens", port_file.exists, 10)
        self.url = f"http://127.0.0.1:{port_file.read_text()}/hook"

    def requests(self):
        return journals.read_receiver(self.journal) if self.journal.exists() else []

    def close(self):
        self.process.kill()
        self.process.wait()


def start(binary, place, **env):
    log = open(place / "log", "wb")
    program = subprocess.Popen([binary, "run"], stderr=log, env={**os.environ, **env})
    wait_for("partitions are assigned",
             lambda: (place / "log").read_text().count("partition assigned") >= 6, 60)
    return program


def added(options):
    """Against a bare consumer. Both begin before the first record is written."""
    cluster, place = brokers.Brokers(1), pathlib.Path(tempfile.mkdtemp(prefix="latency-"))
    registry, registry_url = fake_registry.serve(CASE / "schemas.json")
    receiver = Receiver(options.tools, place)
    shop = [f"{options.tools}/shop", cluster.addresses, "latency"]
    transitions = options.rate * options.seconds
    try:
        subprocess.run([*shop, "/dev/null", "1", "0", "1", str(SCHEMA_ID), "1"], check=True,
                       stdout=subprocess.DEVNULL)  # makes the topic
        program = start(options.binary, place, KAFKA_BROKERS=cluster.addresses, KAFKA_TOPIC="latency",
                        KAFKA_GROUP="latency", KAFKA_START="earliest", REGISTRY_URL=registry_url,
                        ELEMENTOR_WEBHOOK_URL=receiver.url)
        with open(place / "tail", "w") as out:
            tail = subprocess.Popen([f"{options.folder}/bench_tail", cluster.addresses, "latency", "6"],
                                    stdout=out)
            subprocess.run([*shop, str(place / "shop"), str(transitions), str(options.rate), "2",
                            str(SCHEMA_ID), "2000"], check=True, stdout=subprocess.DEVNULL)
            written = {(w.partition, w.offset): w.number
                       for w in journals.read_shop(place / "shop") if w.kind in "er"}
            wait_for("all is delivered", lambda: len(receiver.requests()) >= len(written), 60)
            tail.terminate()
            tail.wait()
        program.terminate()
        program.wait(60)
        arrived = {r.number: r.arrived_us for r in reversed(receiver.requests())}
        fetched = {(int(p), int(o)): int(us) for us, p, o in journals.whole_lines(place / "tail")}
        ms = [(arrived[number] - fetched[at]) / 1000 for at, number in written.items()
              if at in fetched]
        say(f"fetched elsewhere -> request here, {options.rate}/s", ms[len(ms) // 10:])
    finally:
        receiver.close()
        registry.shutdown()
        cluster.close()


def from_sql(options, orders=1000, rate=50):
    """Each order is confirmed in a transaction of its own; the commit's return is its time."""
    stack, place = Stack(options.stack), pathlib.Path(tempfile.mkdtemp(prefix="latency-"))
    receiver = Receiver(options.tools, place)
    stack.sql("INSERT INTO orders (order_number, client_name, client_phone, product_name, quantity,"
              " unit_price, total_amount) SELECT 'SQL-' || n, 'K', '+1', 'P', 1, 1, 1"
              f" FROM generate_series(1, {orders}) n")
    program = start(options.binary, place, KAFKA_BROKERS=stack.env["KAFKA_BROKERS"],
                    KAFKA_TOPIC=stack.env["KAFKA_TOPIC"], KAFKA_GROUP=place.name, KAFKA_START="latest",
                    REGISTRY_URL=stack.env["REGISTRY_URL"], ELEMENTOR_WEBHOOK_URL=receiver.url)
    psql = subprocess.Popen(["sh", str(TESTS / "stack" / "psql.sh"), options.stack], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    committed, began = {}, time.monotonic()
    try:
        for n in range(1, orders + 1):
            psql.stdin.write(f"UPDATE orders SET status = 'confirmed', confirmed_at = now() WHERE "
                             f"order_number = 'SQL-{n}';\nSELECT {n};\n")
            psql.stdin.flush()
            assert psql.stdout.readline().strip() == str(n)
            committed[f"SQL-{n}"] = time.time_ns() // 1000
            time.sleep(max(0, began + n / rate - time.monotonic()))
        wait_for("all is delivered", lambda: len(receiver.requests()) >= orders, 60)
        ms = [(r.arrived_us - committed[r.number]) / 1000 for r in receiver.requests()
              if r.number in committed]
        say(f"SQL commit -> webhook, {rate}/s", ms)
    finally:
        psql.stdin.close()
        psql.wait(10)
        program.terminate()
        program.wait(60)
        receiver.close()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("folder")
    parser.add_argument("tools")
    parser.add_argument("stack", nargs="?")
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    added(options)
    if options.stack:
        from_sql(options)


if __name__ == "__main__":
    main()
