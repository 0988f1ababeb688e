"""The remains of a release in Kafka that was killed at work: its own topics' records and its commits.

usage: release_data.py BINARY TOOLS STACK_DIR NAME     writes tests/releases/NAME; BINARY: of that release

The stack must not have topics of this release's default names. Orders are made of one captured confirmation
under other ids, which say what becomes of them: `refused` ones are answered 422, `failing` ones 500, the
others 200. Then the release is killed, and retries are asked for that no member serves.

  names.json      the options that the release's names are, for a program with other default names
  parked.ndjson deliveries.ndjson retry.ndjson members.ndjson    records, as case_producer writes them
  commits.ndjson    offset and metadata of each partition
  expected.ndjson   what is still to be sent: [order, webhook-id, webhook-source], a line each
"""
import base64, json, os, subprocess, sys, time

from harness import TESTS, Stack, Test, header, wait_for
from newcomer import CASE
import fake_registry

FOLDER = TESTS / "releases"
KINDS = ("parked", "deliveries", "retry", "members")


def order_id(number, fate="4000"):
    return f"00000000-0000-{fate}-8000-{number:012d}"


REFUSED, FAILING = "4222", "4500"
ORDERS = [order_id(n, {2: REFUSED, 7: REFUSED, 3: FAILING, 4: FAILING, 10: FAILING}.get(n, "4000"))
          for n in range(12)]
AGAIN = ORDERS[5]  # delivered, and asked for once more


def source_records():
    """Of the orders' topic, in two partitions; behind them one that cannot be read."""
    one = next(json.loads(line) for line in (CASE / "records.ndjson").read_text().splitlines()
               if json.loads(line)["partition"] == 3)
    known = next(json.loads(json.loads(line)["body"])["fields"]["order_id"]
                 for line in (CASE / "expected.ndjson").read_text().splitlines()
                 if json.loads(line)["partition"] == 3)
    value = base64.b64decode(one["value"])
    assert known.encode() in value
    for number, order in enumerate(ORDERS):
        yield {"partition": number % 2, "offset": number // 2, "key": None,
               "value": base64.b64encode(value.replace(known.encode(), order.encode())).decode(), "headers": []}
    yield {"partition": 1, "offset": len(ORDERS) // 2, "key": None,
           "value": base64.b64encode(b"no Avro at all").decode(), "headers": []}


def produce(t, topic, records):
    """As of now: brokers delete what is a week old."""
    path, now_ms = t.folder / f"{topic}.ndjson", int(time.time() * 1000)
    write_lines(path, [{**record, "timestamp": now_ms} for record in records])
    subprocess.run([f"{t.tools}/case_producer", t.stack.env["KAFKA_BROKERS"], topic, str(path)], check=True)


def write_lines(path, lines):
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


# ---- capturing ----

def records(t, topic):
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
    reader = Consumer({"bootstrap.servers": t.stack.env["KAFKA_BROKERS"], "group.id": "release-data",
                       "enable.auto.commit": False, "enable.partition.eof": True})
    partitions = reader.list_topics(topic, 30).topics[topic].partitions
    reader.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions])
    text = lambda data: None if data is None else base64.b64encode(data).decode()
    ended, found = 0, []
    while ended < len(partitions):
        message = reader.poll(30)
        assert message is not None, topic
        if message.error():
            ended += 1
            continue
        found.append({"partition": message.partition(), "offset": message.offset(),
                      "timestamp": message.timestamp()[1], "key": text(message.key()),
                      "value": text(message.value()),
                      "headers": [[name, value.decode()] for name, value in message.headers() or []]})
    reader.close()
    return sorted(found, key=lambda record: (record["partition"], record["offset"]))


def commits(t, group, topics):
    from confluent_kafka import Consumer, TopicPartition
    reader = Consumer({"bootstrap.servers": t.stack.env["KAFKA_BROKERS"], "group.id": group,
                       "enable.auto.commit": False})
    asked = [TopicPartition(topic, p) for topic in topics
             for p in reader.list_topics(topic, 30).topics[topic].partitions]
    answered = [{"topic": c.topic, "partition": c.partition, "offset": c.offset, "metadata": c.metadata or ""}
                for c in reader.committed(asked, 30) if c.offset >= 0]
    reader.close()
    return answered


def capture(t, name, group):
    """group: the release's default one."""
    topic, folder = f"{name}.orders", FOLDER / name
    own = {kind: f"{group}.{kind}" for kind in KINDS}
    names = {"KAFKA_TOPIC": topic, "KAFKA_GROUP": group} | {f"{k.upper()}_TOPIC": v for k, v in own.items()}
    folder.mkdir(parents=True, exist_ok=True)
    server, registry = fake_registry.serve(CASE / "schemas.json")
    t.receiver.control(refuse=f"-{REFUSED}-", fail=f"-{FAILING}-")
    produce(t, topic, source_records())
    env = {"KAFKA_TOPIC": topic, "KAFKA_START": "earliest", "REGISTRY_URL": registry, "WEBHOOK_ALLOW_HTTP": "true",
           "RETRY_CAP": "2s", "KAFKA_GROUP": group}
    member = t.start("run", **env)
    calm = [order for order in ORDERS if f"-{FAILING}-" not in order and f"-{REFUSED}-" not in order]
    t.wait_delivered(calm, 120)
    tries = lambda order: [e for e in t.receiver.journal() if order in e["body"]]
    wait_for("each failing one was tried three times", lambda: all(
        len(tries(order)) >= 3 for order in ORDERS if f"-{FAILING}-" in order))
    wait_for("two refused ones and one unreadable one are parked", lambda: len(records(t, own["parked"])) == 3)
    wait_for("that is committed", lambda: all(c["metadata"] for c in commits(t, group, [topic]) if c["partition"] < 2))
    member.kill()
    before = t.receiver.journal()
    asking = {**os.environ, **t.env(**env)}
    for words in (["redrive", "--yes"], ["retry", "--order", AGAIN]):  # nobody answers
        try:
            subprocess.run([t.binary, *words], env=asking, stdin=subprocess.DEVNULL, timeout=20)
        except subprocess.TimeoutExpired:
            pass
    for kind in KINDS[:3]:
        write_lines(folder / f"{kind}.ndjson", records(t, own[kind]))
    write_lines(folder / "members.ndjson", [{**records(t, own["members"])[-1], "offset": 0}])
    write_lines(folder / "commits.ndjson", commits(t, group, [topic, own["retry"]]))
    (folder / "names.json").write_text(json.dumps(names, indent=1) + "\n")
    ids = {json.loads(e["body"])["fields"]["order_id"]: header(e, "webhook-id") for e in before}
    asked = [dict(record["headers"]) for record in records(t, own["retry"])]
    write_lines(folder / "expected.ndjson",
                [[order, ids[order], ""] for order in ORDERS if f"-{FAILING}-" in order] +
                sorted([h["elementor-sync.order"], ids[h["elementor-sync.order"]], h["elementor-sync.source"]]
                       for h in asked if h.get("elementor-sync.order") in ids))
    server.shutdown()


if __name__ == "__main__":
    binary, tools, stack_folder, release, default_group = sys.argv[1:]
    test = Test("release-data", binary, tools, Stack(stack_folder))
    try:
        capture(test, release, default_group)
    finally:
        test.close()
