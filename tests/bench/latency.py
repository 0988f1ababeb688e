#!/usr/bin/env python3
"""The time that an order waits for us.

usage: latency.py BINARY BENCH_FOLDER TOOLS [STACK_DIR] [--rate N] [--seconds N] [--rounds N]

At 500 deliveries a second: the time from a record's arrival at a bare consumer of the same topic to
its request at the receiver, which is what the program adds. With STACK_DIR (tests/stack/up.sh), also
the time from the commit of the SQL transaction to the request: PostgreSQL, Debezium, Kafka and us
(sql_latency.py).
"""
import argparse, os, pathlib, subprocess, sys, tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "chaos"), str(TESTS / "e2e")]  # behind: run.py is that of this folder
import brokers, fake_registry, journals
import sql_latency
from figures import percentile
from world import CASE, SCHEMA_ID, wait_for


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
        ms = ms[len(ms) // 4:]  # by then the broker has compiled what runs often
        print(f"fetched elsewhere -> request here, {options.rate}/s: {len(ms):,} deliveries, " + ", ".join(
            f"{name} {percentile(ms, share):.2f} ms" for name, share in (("p50", .5), ("p90", .9), ("p99", .99), ("most", 1))), flush=True)
    finally:
        receiver.close()
        registry.shutdown()
        cluster.close()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("folder")
    parser.add_argument("tools")
    parser.add_argument("stack", nargs="?")
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    added(options)
    sys.exit(0 if not options.stack or sql_latency.measure(options) else 1)


if __name__ == "__main__":
    main()
