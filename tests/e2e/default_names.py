"""Names that derive from topic and group: shops on one cluster share nothing; and what was parked before
it could be judged."""
import json, os, subprocess, time

from harness import Program, Receiver, wait_for
from newcomer import CASE
from operator_commands import source
from own_topics import a_confirmation, kcat, make, write
import fake_registry


class Shop:
    """A member with its own receiver; group None: the default one."""

    def __init__(self, t, name, topic, registry, group):
        self.t, self.name = t, name
        folder = t.folder / name
        folder.mkdir()
        self.receiver = Receiver(folder)
        env = t.env(KAFKA_TOPIC=topic, REGISTRY_URL=registry, KAFKA_START="earliest",
                    ELEMENTOR_WEBHOOK_URL=self.receiver.url)
        del env["KAFKA_GROUP"]
        self.env = env if group is None else {**env, "KAFKA_GROUP": group}

    def start(self):
        self.program = Program(self.t.binary, self.t.folder / f"{self.name}.log", "run", env=self.env)
        self.t.programs.append(self.program)
        wait_for(f"{self.name} reads", lambda: self.program.says("partition assigned"))

    def command(self, *arguments):
        done = subprocess.run([str(self.t.binary), *arguments], env={**os.environ, **self.env},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout


def shops_and_groups_never_meet(t):
    """Two shops, and a second group on the first one's topic, all with default names."""
    server, registry = fake_registry.serve(CASE / "schemas.json")
    topics = [f"{t.group}.a", f"{t.group}.b"]
    order, record = a_confirmation()
    shops = []
    try:
        for topic in topics:
            make(t, topic, 1)
            write(t, topic, 0, record)
        shops = [Shop(t, "first", topics[0], registry, None),
                 Shop(t, "second", topics[1], registry, None),
                 Shop(t, "staging", topics[0], registry, f"{t.group}.staging")]
        for shop in shops:
            shop.receiver.control(status=422)
            shop.start()
            wait_for(f"{shop.name} has parked it", lambda: shop.program.says("http:422"))
        for shop in shops:
            shop.receiver.control(status=200)
        for asking in shops:
            before = {shop.name: len(shop.receiver.journal()) for shop in shops}
            wait_for("its outcome is written",
                     lambda: "1 asked for again" in asking.command("redrive", "--yes"))
            wait_for(f"{asking.name} sends it",
                     lambda: len(asking.receiver.journal()) == before[asking.name] + 1)
            others = [shop for shop in shops if shop is not asking]
            assert all(len(shop.receiver.journal()) == before[shop.name] for shop in others)
        assert all(shop.program.stop() == 0 for shop in shops)
        for shop in shops:
            assert [source(e) for e in shop.receiver.journal()] == ["", "redrive"], shop.name
        listed = kcat(t, "-L").decode()
        for topic in topics:
            assert f'topic "elementor-sync.{topic}.parked"' in listed, listed
        assert f'topic "{t.group}.staging.retry"' in listed, listed
    finally:
        for shop in shops:
            shop.receiver.stop()
        server.shutdown()


def redriven_unjudged_records_go_through_the_rule(t):
    """1,000 records, parked as undecodable by a former release: confirmations and everything else."""
    server, registry = fake_registry.serve(CASE / "schemas.json")
    topic, wanted, count, shop = f"{t.group}.orders", set(), 1000, None
    deliver = {(e["partition"], e["offset"]): e for e in
               map(json.loads, (CASE / "expected.ndjson").read_text().splitlines())}
    records = [r for r in map(json.loads, (CASE / "records.ndjson").read_text().splitlines())
               if r["value"] is not None]
    try:
        make(t, topic, 1)
        lines, confirmations, skipped, now_ms = [], 0, 0, int(time.time() * 1000)
        for offset in range(count):
            record = records[offset % len(records)]
            expected = deliver[record["partition"], record["offset"]]
            if expected["verdict"] == "deliver":
                confirmations += 1
                wanted.add(json.loads(expected["body"])["fields"]["order_id"])
            skipped += expected["verdict"] == "skip"
            headers = {"topic": topic, "partition": "0", "offset": str(offset),
                       "class": "undecodable", "reason": "undecodable"}
            lines.append(json.dumps({**record, "partition": 0, "offset": offset,
                                     "timestamp": now_ms, "headers": [
                [f"elementor-sync.{name}", value] for name, value in headers.items()]}))
        (t.folder / "parked.ndjson").write_text("\n".join(lines) + "\n")
        subprocess.run([f"{t.tools}/case_producer", t.stack.env["KAFKA_BROKERS"],
                        f"elementor-sync.{topic}.parked", str(t.folder / "parked.ndjson")], check=True)
        shop = Shop(t, "shop", topic, registry, None)
        shop.start()
        assert 0 < confirmations < count
        said = shop.command("redrive", "--yes", "--rate", "1000")
        assert f"{count} asked for again" in said, said
        wait_for("all are judged", lambda: len(shop.receiver.journal()) >= confirmations and
                 shop.program.count("retry not for us") >= skipped, 120)
        assert shop.program.stop() == 0
        sent = [json.loads(e["body"])["fields"]["order_id"] for e in shop.receiver.journal()]
        assert set(sent) <= wanted, set(sent) - wanted
        assert len(sent) == confirmations, (len(sent), confirmations)
    finally:
        server.shutdown()
        if shop is not None:
            shop.receiver.stop()


TESTS = [shops_and_groups_never_meet, redriven_unjudged_records_go_through_the_rule]
