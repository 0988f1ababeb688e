"""reconcile after real losses: outcomes erased, a segment of the topic gone, the replication slot dropped.

  a segment    of one partition, deleted while no member runs: half its share of a tenth of the orders
  the slot     dropped for a while, in which one order in 200 is confirmed
  outcomes     37, by tombstones in the deliveries topic

All other orders are delivered. What is missing is known from PostgreSQL and from the receiver's journal.
tests/bench/reconcile.py has the same of 200,000 orders, in a bounded time and memory.
"""
import collections, contextlib, json, os, pathlib, re, subprocess, tempfile, time, types

from harness import ask, wait_for
from own_topics import erase, kafka, kcat, make

ERASED = 37
FEW = 3000  # orders, in a run of all tests


# ---- the stack ----

@contextlib.contextmanager
def slot_dropped(stack):
    """No replication slot: of what is committed meanwhile no change is ever read. Debezium takes up no slot that
    has lost its place, so the connector's offsets go too, and it begins at the new one's. The mode stays set: it counts
    only where there are no offsets."""
    connector = stack.env["CONNECT_URL"] + "/connectors/orders"
    is_read = lambda: stack.sql("SELECT active FROM pg_replication_slots WHERE slot_name = 'elementor_sync'") == "t"
    settings = ask("GET", connector + "/config")
    ask("PUT", connector + "/stop")
    wait_for("the connector has stopped", lambda: ask("GET", connector + "/status")["connector"]["state"] == "STOPPED")
    wait_for("the slot is free", lambda: not is_read())
    stack.sql("SELECT pg_drop_replication_slot('elementor_sync')")
    try:
        yield
    finally:
        ask("DELETE", connector + "/offsets")
        ask("PUT", connector + "/config", {**settings, "snapshot.mode": "no_data"})
        ask("PUT", connector + "/resume")
        wait_for("changes are read again", is_read, 120)


def end_of(stack, topic, partition):
    """The offset of its next record."""
    return int(kcat_of(stack, "-Q", "-t", f"{topic}:{partition}:-1").split()[-1])


def kcat_of(stack, *arguments):
    return kcat(types.SimpleNamespace(stack=stack), *arguments).decode()


class Shop:
    """Its orders in PostgreSQL."""

    def __init__(self, stack, prefix):
        self.stack, self.prefix, self.names, self.orders = stack, prefix, f"order_number LIKE '{prefix}%'", 0

    def confirm(self, count):
        """So many new orders, each confirmed as it is written: one change an order is enough here."""
        self.stack.sql("INSERT INTO orders (order_number, client_name, client_phone, product_name, quantity, unit_price, "
                       f"total_amount, status, confirmed_at) SELECT '{self.prefix}' || {self.orders} + n, 'Amina', "
                       "'+213600000000', 'Montre', 2, 1250.50, 2501.00, 'confirmed', clock_timestamp() "
                       f"FROM generate_series(1, {count}) n")
        self.orders += count

    def confirmed(self):
        return set(self.stack.sql(f"SELECT id FROM orders WHERE {self.names}").split())

    def table(self, columns="id, order_number, status, confirmed_at"):
        return self.stack.sql(f"COPY (SELECT {columns} FROM orders WHERE {self.names}) TO STDOUT CSV HEADER") + "\n"


# ---- the program and the receiver ----

Done = collections.namedtuple("Done", "code text seconds cpu mib")


def peak_mib(pid):
    """0: it has ended."""
    found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0


class Run:
    """The receiver, and at times a member; whatever a start leaves unfinished, it ends."""

    def __init__(self, binary, tools, stack):
        self.binary, self.stack, self.parts = binary, stack, contextlib.ExitStack()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="losses-"))
        self.journal, self.lines, self.rest, self.taken = self.folder / "journal", None, "", collections.Counter()
        self.topic, group = stack.env["KAFKA_TOPIC"], f"losses-{os.getpid()}"
        self.deliveries = group + ".deliveries"
        make(self, self.deliveries, 1, "cleanup.policy=compact")  # one partition: see erase()
        port = self.folder / "port"
        self.start([pathlib.Path(tools) / "fast_receiver", port, self.journal])
        try:
            wait_for("the receiver listens", lambda: port.exists() and port.read_text().strip())
        except BaseException:
            self.close()
            raise
        self.env = {**os.environ, "KAFKA_BROKERS": stack.env["KAFKA_BROKERS"], "KAFKA_TOPIC": self.topic,
                    "REGISTRY_URL": stack.env["REGISTRY_URL"], "KAFKA_GROUP": group, "KAFKA_START": "latest",
                    "KAFKA_LOST_OFFSETS": "earliest", "WEBHOOK_CONCURRENCY": "64",
                    "ELEMENTOR_WEBHOOK_URL": f"http://127.0.0.1:{port.read_text().strip()}/hook"}

    def start(self, command, **how):
        process = subprocess.Popen([str(word) for word in command], **how)
        self.parts.callback(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.terminate()
        try:
            return process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def close(self):
        self.parts.close()

    @contextlib.contextmanager
    def member(self, name):
        log = self.folder / name
        with open(log, "w") as file:
            process = self.start([self.binary, "run"], env=self.env, stderr=file)
        wait_for("six partitions assigned", lambda: log.read_text().count("partition assigned") >= 6)
        yield
        assert self.end(process) == 0, log

    def command(self, *arguments, table=""):
        """A command of the program that reads the table, to its end."""
        files = {name: self.folder / f"{arguments[0]}.{name}" for name in ("in", "out", "err")}
        files["in"].write_text(table)
        began, before = time.monotonic(), os.times()
        process = subprocess.Popen([str(self.binary), *arguments], env=self.env, stdin=open(files["in"]),
                                   stdout=open(files["out"], "w"), stderr=open(files["err"], "w"))
        mib = 0
        while process.poll() is None:  # what wait4() has of its memory is this process', from which it was forked
            mib = max(mib, peak_mib(process.pid))
            time.sleep(0.005)
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        return Done(process.returncode, files["out"].read_text(), time.monotonic() - began, cpu, mib)

    def waiting(self):
        """Records of the orders' topic that the group has still to settle."""
        found = json.loads(self.command("offsets", "--json").text)["partitions"]
        return sum(p["lag"] for p in found if p["topic"] == self.topic)

    def posted(self):
        """How often each order was taken."""
        if self.lines is None and self.journal.exists():
            self.lines = open(self.journal)
        *whole, self.rest = (self.rest + (self.lines.read() if self.lines else "")).split("\n")
        self.taken.update(words[8] for line in whole if (words := line.split())[2] == "200")
        return self.taken

    def await_posted(self, count, seconds=3600):
        wait_for(f"{count} orders posted", lambda: len(self.posted()) >= count and self.waiting() == 0, seconds)


def states(text):
    return {row["order_id"]: row["state"] for row in map(json.loads, text.splitlines())}


# ---- the losses ----

def lose_segment(run, shop, count, partition=0):
    """Confirms orders that no member reads, and deletes the first half of what one partition has of them."""
    first = end_of(run.stack, run.topic, partition)
    shop.confirm(count)
    wait_for("their changes are in the topic", lambda: run.waiting() >= count, 600)
    end = (first + end_of(run.stack, run.topic, partition)) // 2
    assert end > first
    path = run.folder / "segment.json"
    path.write_text(json.dumps({"partitions": [{"topic": run.topic, "partition": partition, "offset": end}], "version": 1}))
    kafka(run, "DeleteRecordsCommand", "--offset-json-file", str(path))
    return end - first


def lose_outcomes(run, count):
    erased = sorted(run.posted())[:count]
    erase(run, run.deliveries, erased)
    return set(erased)


def lose(run, shop, orders, slot_seconds):
    """The ids of those that are missing then; all others are delivered."""
    tenth, slot = orders // 10, orders // 200
    with run.member("first"):
        shop.confirm(orders - 2 * tenth)
        run.await_posted(orders - 2 * tenth)
    segment = lose_segment(run, shop, tenth)
    with run.member("second"):
        run.await_posted(orders - tenth - segment)
        with slot_dropped(run.stack):
            shop.confirm(slot)
            time.sleep(slot_seconds)
        shop.confirm(tenth - slot)
        run.await_posted(orders - segment - slot)
    erased = lose_outcomes(run, ERASED)
    print(f"     {orders} confirmed; lost: {segment} with a segment, {slot} without the slot, {len(erased)} outcomes", flush=True)
    return shop.confirmed() - set(run.posted()) | erased


def cost(done):
    return f"{done.seconds:.1f} s, {done.cpu:.1f} s of CPU, {done.mib:.0f} MiB"


def send(run, shop, missing):
    before = run.posted().copy()
    with run.member("third"):
        sent = run.command("reconcile", "--send", "--yes", table=shop.table("*"))
        print(f"     --send: {cost(sent)}; {' · '.join(sent.text.splitlines()[-3:])}", flush=True)
        wait_for("what was missing is posted", lambda: sum((run.posted() - before).values()) >= len(missing), 600)
        found = lambda: set(states(run.command("reconcile", "--json", table=shop.table()).text).values())
        wait_for("reconcile says that all is delivered", lambda: found() == {"delivered"}, 300)
    assert run.command("reconcile", table=shop.table()).code == 0
    assert run.posted() - before == collections.Counter(missing), "sent: others, or twice"


def reconcile(run, orders, slot_seconds):
    """Loses some of so many orders, and has them named and sent; what naming them took."""
    shop = Shop(run.stack, f"LOSS-{os.getpid()}-")
    missing = lose(run, shop, orders, slot_seconds)
    done = run.command("reconcile", "--json", table=shop.table())
    found = states(done.text)
    named = {order for order, state in found.items() if state == "never_seen"}
    print(f"     reconcile: {cost(done)}; {len(named)} never seen: {len(named - missing)} falsely, "
          f"{len(missing - named)} not named", flush=True)
    assert named == missing and len(found) == orders and done.code == 1, (len(named), len(missing), len(found), done.code)
    send(run, shop, missing)
    print(f"ok   all {orders} delivered after --send, nothing but the missing sent again", flush=True)
    return done


def reconcile_names_every_loss(t):
    run = Run(t.binary, t.tools, t.stack)
    try:
        reconcile(run, FEW, slot_seconds=0)
    finally:
        run.close()


TESTS = [reconcile_names_every_loss]
