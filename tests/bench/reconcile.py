#!/usr/bin/env python3
"""reconcile on the real stack: its time, its memory, and whether it names exactly what is missing.

usage: reconcile.py BINARY TOOLS STACK_DIR [--orders N] [--lost N] [--erased N]

BINARY: a release build; TOOLS: of fast_receiver; STACK_DIR: a running stack (tests/stack/up.sh), of whose
orders none may be confirmed meanwhile. Inserts and confirms N orders (200000) in PostgreSQL, of them some
(--lost) while the table is not published, as if the replication slot had been dropped; has all others
delivered; erases the outcomes of some (--erased). Then prints one line a figure, and fails where reconcile
names another set than these, or where anything is missing after --send: what Kafka never had is sent from its row.
"""
import argparse, contextlib, json, os, pathlib, subprocess, sys, tempfile, time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "e2e"))
from harness import Stack, wait_for
from own_topics import erase, make

PREFIX = f"BENCH-{os.getpid()}-"
NAMES = f"order_number LIKE '{PREFIX}%'"


def insert(stack, first, count):
    stack.sql(f"INSERT INTO orders (order_number, client_name, client_phone, product_name, quantity, unit_price, "
              f"total_amount) SELECT '{PREFIX}' || n, 'Amina', '+213600000000', 'Montre', 2, 1250.50, 2501.00 "
              f"FROM generate_series({first}, {first + count - 1}) n")


def confirm(stack, condition="true"):
    stack.sql(f"UPDATE orders SET status = 'confirmed', confirmed_at = clock_timestamp() "
              f"WHERE {NAMES} AND status = 'pending' AND {condition}")


class Run:
    """The receiver and one member; whatever a start leaves unfinished, it ends."""

    def __init__(self, options):
        self.options, self.stack = options, Stack(options.stack)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-reconcile-"))
        with contextlib.ExitStack() as parts:
            port_file = self.folder / "port"
            self.start(parts, [pathlib.Path(options.tools) / "fast_receiver", port_file, "-"])
            wait_for("the receiver listens", lambda: port_file.exists() and port_file.read_text().strip())
            group = f"bench-reconcile-{os.getpid()}"
            self.deliveries = group + ".deliveries"
            self.env = {**os.environ, "KAFKA_BROKERS": self.stack.env["KAFKA_BROKERS"], "KAFKA_START": "latest",
                        "KAFKA_TOPIC": self.stack.env["KAFKA_TOPIC"], "REGISTRY_URL": self.stack.env["REGISTRY_URL"],
                        "KAFKA_GROUP": group, "WEBHOOK_CONCURRENCY": "64",
                        "ELEMENTOR_WEBHOOK_URL": f"http://127.0.0.1:{port_file.read_text().strip()}/hook"}
            make(self, self.deliveries, 1, "cleanup.policy=compact")  # one partition: see erase()
            with open(self.folder / "log", "w") as log:
                self.start(parts, [options.binary, "run"], env=self.env, stderr=log)
            wait_for("six partitions assigned",
                     lambda: (self.folder / "log").read_text().count("partition assigned") >= 6)
            self.parts = parts.pop_all()

    def start(self, parts, command, **how):
        process = subprocess.Popen(command, **how)
        parts.callback(self.end, process)

    @staticmethod
    def end(process):
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self):
        self.parts.close()

    def command(self, *arguments, table=""):
        """(seconds, MiB, exit code, standard output)"""
        out = self.folder / "out"
        began = time.monotonic()
        process = subprocess.Popen([self.options.binary, *arguments], env=self.env, stdin=subprocess.PIPE,
                                   stdout=open(out, "w"), stderr=subprocess.DEVNULL, text=True)
        process.stdin.write(table)
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return time.monotonic() - began, usage.ru_maxrss / 1024, process.returncode, out.read_text()

    def table(self, columns="id, order_number, status, confirmed_at"):
        return self.stack.sql(f"COPY (SELECT {columns} FROM orders WHERE {NAMES}) TO STDOUT CSV HEADER") + "\n"

    def settled(self):
        found = json.loads(self.command("offsets", "--json")[3])["partitions"]
        return all(p["lag"] == 0 for p in found if p["topic"] == self.env["KAFKA_TOPIC"])

    def missing(self):
        seconds, mib, code, text = self.command("reconcile", "--json", table=self.table())
        rows = [json.loads(line) for line in text.splitlines()]
        return seconds, mib, code, {r["order_id"] for r in rows if r["state"] == "never_seen"}, rows


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    for name in ("binary", "tools", "stack"):
        parser.add_argument(name)
    for name, count in (("orders", 200000), ("lost", 1000), ("erased", 37)):
        parser.add_argument(f"--{name}", type=int, default=count)
    options = parser.parse_args()
    run = Run(options)
    try:
        ok = measure(run, options)
    finally:
        run.close()
    return 0 if ok else 1


def measure(run, options):
    stack = run.stack
    insert(stack, 1, options.orders - 1)
    confirm(stack, f"order_number > '{PREFIX}5'")
    stack.sql("ALTER PUBLICATION elementor_sync DROP TABLE orders")
    lost = stack.sql(f"SELECT id FROM orders WHERE {NAMES} AND status = 'pending' LIMIT {options.lost}").split()
    ids = ",".join(f"'{i}'" for i in lost)
    confirm(stack, f"id IN ({ids})")
    stack.sql("ALTER PUBLICATION elementor_sync ADD TABLE orders")
    confirm(stack)
    insert(stack, options.orders, 1)  # a change behind all of them: they were read
    confirm(stack)
    wanted = options.orders - len(lost)
    wait_for(f"{wanted} deliveries", lambda: run.command("reconcile", table=run.table())[3].strip().startswith(
        f"{wanted}  delivered") and run.settled(), 1200)
    erased = stack.sql(f"SELECT id FROM orders WHERE {NAMES} AND id NOT IN ({ids}) ORDER BY id LIMIT {options.erased}"
                       ).split()
    erase(run, run.deliveries, erased)
    seconds, mib, code, found, rows = run.missing()
    exact = found == set(lost) | set(erased) and len(rows) == options.orders and code == 1
    print(f"{'ok  ' if exact else 'FAIL'} {len(found)} missing of {len(rows)}, {len(lost)} lost and {len(erased)} erased")
    print(f"     {seconds:.1f} s (10), {mib:.0f} MiB (64)")
    seconds, mib, code, text = run.command("reconcile", "--send", "--yes", table=run.table("*"))
    print(f"     --send: {seconds:.1f} s, {mib:.0f} MiB; {' · '.join(text.splitlines()[-3:])}")
    wait_for("all are sent", lambda: run.settled() and not run.missing()[3], 120)
    left = all(row["state"] == "delivered" for row in run.missing()[4])
    print(f"{'ok  ' if left else 'FAIL'} after --send all {options.orders} are delivered")
    return exact and left


if __name__ == "__main__":
    sys.exit(main())
