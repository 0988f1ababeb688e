"""An upgrade: what former releases left in their own topics and commits, taken up by this one."""
import base64, json, os, subprocess, time

from dashboard import Dashboard
from harness import header, wait_for
from newcomer import CASE
from operator_commands import source
from release_data import FOLDER, KINDS, ORDERS, produce, source_records
import fake_registry

BUILD = FOLDER.parent.parent / "build"


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def commit(t, group, commits):
    from confluent_kafka import Consumer, TopicPartition
    committer = Consumer({"bootstrap.servers": t.stack.env["KAFKA_BROKERS"], "group.id": group,
                          "enable.auto.commit": False})
    done = committer.commit(offsets=[TopicPartition(c["topic"], c["partition"], c["offset"], c["metadata"])
                                     for c in commits], asynchronous=False)
    assert all(c.error is None for c in done), done
    committer.close()


class Left:
    """Of one release: its folder, put into Kafka."""

    def __init__(self, t, folder, registry):
        self.t, self.folder = t, folder
        self.names = json.loads((folder / "names.json").read_text())
        self.path = f"/hook/{folder.name}"
        self.env = {**self.names, "KAFKA_START": "earliest", "REGISTRY_URL": registry,
                    "ELEMENTOR_WEBHOOK_URL": t.receiver.url.replace("/hook/secret-path", self.path)}
        produce(t, self.names["KAFKA_TOPIC"], source_records())
        for kind in KINDS[:3]:
            produce(t, self.names[f"{kind.upper()}_TOPIC"], lines(folder / f"{kind}.ndjson"))
        self.member = self.write_member()
        commit(t, self.names["KAFKA_GROUP"], lines(folder / "commits.ndjson"))

    def write_member(self):
        """It was alive a moment ago; its name."""
        [record] = lines(self.folder / "members.ndjson")
        said = json.loads(base64.b64decode(record["value"])) | {"at_ms": int(time.time() * 1000)}
        record["value"] = base64.b64encode(json.dumps(said).encode()).decode()
        produce(self.t, self.names["MEMBERS_TOPIC"], [record])
        return said["member"]

    def sent(self):
        return sorted([json.loads(e["body"])["fields"]["order_id"], header(e, "webhook-id"), source(e)]
                      for e in self.t.receiver.journal(self.path))

    def is_taken_up(self):
        """Open orders are sent and requests served, and nothing else: with the webhook-ids that they had."""
        expected = sorted(lines(self.folder / "expected.ndjson"))
        program = self.t.start("run", log=self.folder.name, **self.env)
        wait_for("what is open is sent", lambda: len(self.sent()) >= len(expected))
        wait_for("what cannot be read is parked again", lambda: program.count('event="parked" reason=undecodable') == 1)
        assert program.stop() == 0
        assert self.sent() == expected, self.sent()
        done = subprocess.run([str(self.t.binary), "offsets", "--json"], env={**os.environ, **self.t.env(**self.env)},
                              capture_output=True, text=True, timeout=120)
        lags = {p["lag"] for p in json.loads(done.stdout)["partitions"] if p["end"] > 0}
        assert lags == {0}, done.stdout + done.stderr

    def is_shown(self):
        """The view that is built of both releases' records."""
        dashboard = Dashboard(self.t, f"dashboard-{self.folder.name}", **self.env).caught_up()
        states = {order: dashboard.state(order) for order in ORDERS}
        assert set(states.values()) == {"delivered"}, states
        parked = dashboard.call("GET", "/api/v1/orders?state=parked")[1]["orders"]
        assert [order["reason"] for order in parked] == ["undecodable"], parked
        members = dashboard.call("GET", "/api/v1/status")[1]["members"]
        assert self.member in [member["member"] for member in members], members
        assert dashboard.program.stop() == 0


def data_of_former_releases_is_taken_up(t):
    """tests/releases: captured by release_data.py from each of them."""
    if not next(BUILD.glob("venv/lib/python3*/site-packages/confluent_kafka"), None):
        assert os.environ.get("CI") != "true", "confluent-kafka is missing"
        print("      skipped: confluent-kafka is not installed (tests/run.sh does)", flush=True)
        return
    server, registry = fake_registry.serve(CASE / "schemas.json")
    try:
        for folder in sorted(FOLDER.iterdir()):
            left = Left(t, folder, registry)
            left.is_taken_up()
            left.is_shown()
    finally:
        server.shutdown()


TESTS = [data_of_former_releases_is_taken_up]
