"""The program's own topics: those that were made by hand, and those whose orders' topic grows."""
import base64, json, pathlib, subprocess

from harness import wait_for
from newcomer import CASE, check, run
from operator_commands import names
import fake_registry


def kafka(t, tool, *arguments, **more):
    """The output of one of Kafka's own tools. t: anything with a stack; more: of subprocess.run()."""
    jars = pathlib.Path(t.stack.folder, "jars").read_text().strip()
    return subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/kafka/*",
                           f"org.apache.kafka.tools.{tool}", "--bootstrap-server",
                           t.stack.env["KAFKA_BROKERS"], *arguments], check=True,
                          capture_output=True, text=True, **{"timeout": 60, **more}).stdout


def erase(t, topic, keys):
    """A tombstone behind each key's record, in a topic of one partition."""
    kafka(t, "ConsoleProducer", "--topic", topic, "--property", "parse.key=true",
          "--property", "null.marker=NULL", input="".join(f"{key}\tNULL\n" for key in keys))


def make(t, topic, partitions, *config):
    kafka(t, "TopicCommand", "--create", "--topic", topic, "--partitions", str(partitions),
          *(word for setting in config for word in ("--config", setting)))


def kcat(t, *arguments, **more):
    return subprocess.run(["kcat", "-q", "-b", t.stack.env["KAFKA_BROKERS"], *arguments],
                          check=True, capture_output=True, timeout=60, **more).stdout


def wrong_cleanup_policies_are_said(t):
    own = names(t)
    wrong = {"PARKED_TOPIC": "compact", "RETRY_TOPIC": "compact,delete",
             "DELIVERIES_TOPIC": "delete"}
    for name, policy in wrong.items():
        make(t, own[name], 6, f"cleanup.policy={policy}")
    code, findings = check(t, **own)
    said = {name: text for (area, name), text in findings.items() if area == "own topics"}
    assert code == 1, findings
    assert said["parked.topic"].startswith("fail ") and "=compact:" in said["parked.topic"], said
    assert said["retry.topic"].startswith("fail "), said
    assert "set cleanup.policy=delete" in said["retry.topic"], said
    assert said["deliveries.topic"].startswith("warn "), said
    assert "set cleanup.policy=compact" in said["deliveries.topic"], said
    assert said["members.topic"].startswith("note "), said  # missing: run creates it
    for _ in range(2):  # the topic that it makes itself is right, at once and later
        program = t.start("run", "--until-end", "--timeout", "60s", **own)
        assert program.wait(90) == 0
        lines = [line for line in program.log.read_text().splitlines() if "cleanup.policy" in line]
        assert len(lines) == 3, lines
        assert sum("level=error" in line for line in lines) == 2, lines
        assert not any(own["MEMBERS_TOPIC"] in line for line in lines), lines
        program.log.write_text("")
    assert check(t, **own)[1]["own topics", "members.topic"].startswith("ok ")


def a_confirmation():
    """An order's id, and the bytes of its confirmation."""
    for line in (CASE / "expected.ndjson").read_text().splitlines():
        expected = json.loads(line)
        if expected["verdict"] == "deliver":
            break
    for line in (CASE / "records.ndjson").read_text().splitlines():
        record = json.loads(line)
        if all(record[part] == expected[part] for part in ("partition", "offset")):
            return (json.loads(expected["body"])["fields"]["order_id"],
                    base64.b64decode(record["value"]))


def write(t, topic, partition, record):
    path = t.folder / "record"
    path.write_bytes(record)
    kcat(t, "-P", "-t", topic, "-p", str(partition), str(path))


def retry_partitions(t, topic):
    return kcat(t, "-L", "-t", topic).decode().count("    partition ")


class Growth:
    """A topic of two partitions that a member reads, and an endpoint that refuses every order."""

    def __init__(self, t):
        self.t, self.topic = t, f"{t.group}.orders"
        self.server, registry = fake_registry.serve(CASE / "schemas.json")
        self.own = {**names(t), "KAFKA_TOPIC": self.topic, "KAFKA_START": "earliest",
                    "REGISTRY_URL": registry,
                    "KAFKA_PROPERTIES_TOPIC_METADATA_REFRESH_INTERVAL_MS": "500"}
        self.order, self.record = a_confirmation()
        t.receiver.control(status=422)
        make(t, self.topic, 2)

    def member(self, **more):
        program = self.t.start(**{**self.own, **more})
        wait_for("two partitions", lambda: program.count("partition assigned") == 2)
        return program

    def grow(self, topic, partitions):
        kafka(self.t, "TopicCommand", "--alter", "--topic", topic, "--partitions", str(partitions))

    def retry(self):
        """The member that answers has read the retry topic's new partition."""
        code, out, err = run(self.t, "retry", "--order", self.order, **self.own)
        assert code == 1 and "parked again" in err, out + err


def an_added_partition_gets_its_retries(t):
    """While members run: read from its beginning, and its parked order can be retried at once."""
    growth = Growth(t)
    try:
        program = growth.member()
        growth.grow(growth.topic, 4)
        wait_for("the retry topic has grown", lambda: program.says("partitions added"))
        wait_for("four partitions", lambda: program.count("partition assigned") == 4)
        assert retry_partitions(t, growth.own["RETRY_TOPIC"]) == 4
        write(t, growth.topic, 3, growth.record)
        wait_for("parked", lambda: program.says("http:422"))
        growth.retry()
        assert program.stop() == 0
    finally:
        growth.server.shutdown()


def an_added_partition_waits_for_its_retries(t):
    """The program may not make partitions: it says what to do, reads on, and takes them up."""
    growth = Growth(t)
    retries = growth.own["RETRY_TOPIC"]
    try:
        assert growth.member().stop() == 0  # makes the topics
        program = growth.member(log="second", TOPICS_CREATE="false")
        growth.grow(growth.topic, 3)
        wait_for("what to do is said",
                 lambda: program.says(f"--alter --topic {retries} --partitions 3"))
        write(t, growth.topic, 2, growth.record)
        wait_for("it is read all the same", lambda: program.says("http:422"))
        assert retry_partitions(t, retries) == 2
        growth.grow(retries, 3)
        other = t.start(log="third", **growth.own)  # a rebalance
        wait_for("the other has its share", lambda: other.says("partition assigned"))
        assert other.stop() == 0
        growth.retry()
        assert program.stop() == 0
        assert program.count("retry partitions missing") == 1, program.log.read_text()
    finally:
        growth.server.shutdown()


TESTS = [wrong_cleanup_policies_are_said, an_added_partition_gets_its_retries,
         an_added_partition_waits_for_its_retries]
