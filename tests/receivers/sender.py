"""The real program before a receiver: `elementor-sync run` on a mock Kafka, with orders as Debezium writes them."""
import base64, decimal, io, json, pathlib, signal, struct, subprocess, sys

import fastavro

from processes import Processes, wait_for

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "e2e"))
import fake_registry

SCHEMAS = TESTS / "cases/default/schemas.json"
SCHEMA_ID = 27
TOPIC, PARTITIONS = "orders.public.orders", 6
# The mock cluster has no CreateTopics: names that it is started with.
OWN = {"PARKED_TOPIC": "own.parked", "DELIVERIES_TOPIC": "own.deliveries", "RETRY_TOPIC": "own.retry", "MEMBERS_TOPIC": "own.members",
       "CONTROL_TOPIC": "own.control"}
# The accounts at the end do not depend on the length of any wait: short waits.
QUICK = {"RETRY_BASE": "20ms", "RETRY_CAP": "200ms", "BREAKER_PROBE_FIRST": "100ms", "BREAKER_PROBE_CAP": "500ms",
         "RETRY_ATTEMPTS": "1000", "SESSION_TIMEOUT": "5s"}  # the mock cluster needs 3 s to form a group


def confirmations(orders):
    """Records of a table in which each of these rows was pending and is confirmed."""
    schema = fastavro.parse_schema(json.loads(json.loads(SCHEMAS.read_text())[str(SCHEMA_ID)]["schema"]))
    for n, order in enumerate(orders):
        row = {"quantity": 1, "client_address": None, "client_city": None, "version": 0, "created_at": "2026-11-23T08:00:00.000000Z",
               **order, "unit_price": decimal.Decimal(order["unit_price"]), "total_amount": decimal.Decimal(order["total_amount"])}
        source = {"version": "3.4.0.Final", "connector": "postgresql", "name": "orders", "ts_ms": 0, "snapshot": "false", "db": "shop",
                  "sequence": None, "ts_us": 0, "ts_ns": 0, "schema": "public", "table": "orders", "txId": n, "lsn": 1000 + n, "xmin": None}
        envelope = {"before": {**row, "status": "pending", "confirmed_at": None},
                    "after": {**row, "status": "confirmed", "confirmed_at": f"2026-11-24T09:15:{n % 60:02}.123456Z"},
                    "source": source, "transaction": None, "op": "u", "ts_ms": 0, "ts_us": 0, "ts_ns": 0}
        value = io.BytesIO(struct.pack(">bI", 0, SCHEMA_ID))
        value.seek(0, io.SEEK_END)
        fastavro.schemaless_writer(value, schema, envelope)
        yield {"topic": TOPIC, "partition": n % PARTITIONS, "key": base64.b64encode(row["id"].encode()).decode(),
               "value": base64.b64encode(value.getvalue()).decode(), "headers": []}


class Sender(Processes):
    def __init__(self, binary, tools, url, keys, **env):
        super().__init__("elementor-sync-sender")
        self.binary, self.lives = pathlib.Path(binary).resolve(), 0
        self.env = {"ELEMENTOR_WEBHOOK_URL": url, "WEBHOOK_SIGNING_KEYS": keys, "KAFKA_TOPIC": TOPIC, "KAFKA_START": "earliest",
                    **OWN, **QUICK, **env}
        self.program = self.registry = None
        try:
            topics = [f"{TOPIC}={PARTITIONS}", f"own.retry={PARTITIONS}", "own.parked=1", "own.deliveries=1", "own.members=1", "own.control=1"]
            self.kafka = self.start("kafka", [pathlib.Path(tools) / "mock_kafka", *topics], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.registry, self.env["REGISTRY_URL"] = fake_registry.serve(SCHEMAS)
            self.env["KAFKA_BROKERS"] = self.kafka.stdout.readline().decode().split()[1]
        except BaseException:
            self.close()
            raise

    def write(self, orders):
        for record in confirmations(orders):
            self.kafka.stdin.write(json.dumps(record).encode() + b"\n")
        self.kafka.stdin.write(b"\n")
        self.kafka.stdin.flush()
        assert self.kafka.stdout.readline() == b"written\n", self.log("kafka")

    def run(self):
        self.lives += 1
        self.program = self.start("program", [self.binary, "run"], self.env)

    def kill(self):
        self.end(self.program, signal.SIGKILL)

    def stop(self):
        code = self.end(self.program, seconds=60)
        assert code == 0, f"run ended with {code}: {self.log('program')[-3000:]}"

    def command(self, *arguments):
        """A command to its end: (status, what it said)."""
        done = subprocess.run([self.binary, *arguments], env={**self.env}, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def wait_for(self, what, probe, seconds):
        try:
            return wait_for(what, probe, seconds)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.log('program')[-3000:]}") from e

    def close(self):
        if self.registry is not None:
            self.registry.shutdown()
            self.registry.server_close()
        super().close()
