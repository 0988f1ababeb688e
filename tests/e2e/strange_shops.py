"""The report of check on foreign topics, groups and tables."""
import os, pathlib, subprocess

from harness import wait_for
from newcomer import check, expect, run
from own_topics import kafka, make


def orders_topic_loses_orders(t):
    """Compacted, or kept for a minute."""
    for name, text, level, config in (
            ("compacted", "set cleanup.policy=delete", "fail", ["cleanup.policy=compact"]),
            ("brief", "retention.ms=60000 (1m): what is not delivered by then", "fail",
             ["retention.ms=60000"]),
            ("small", "retention.bytes=1048576", "warn", ["retention.bytes=1048576"]),
            ("both", "retention.ms=60000", "fail",
             ["cleanup.policy=compact,delete", "retention.ms=60000"])):
        topic = f"{name}-{os.getpid()}"
        make(t, topic, 1, *config)
        code, findings = check(t, KAFKA_TOPIC=topic)
        said = findings["kafka", "retention"]
        assert said.startswith(level + " ") and text in said, findings
        assert code == (1 if level == "fail" else 0), findings
    assert check(t)[1]["kafka", "retention"].startswith("ok cleanup.policy=delete")


def another_program_in_the_group(t):
    """It takes partitions, whose orders are then not sent; another shop's run does so as well."""
    group = f"taken-{os.getpid()}"
    assert check(t, KAFKA_GROUP=group)[1]["kafka", "members"] == "note none now: start run"
    reader = subprocess.Popen(["kcat", "-q", "-b", t.stack.env["KAFKA_BROKERS"], "-X",
                               "partition.assignment.strategy=cooperative-sticky", "-X",
                               "session.timeout.ms=6000", "-G", group,
                               t.stack.env["KAFKA_TOPIC"]], stdout=subprocess.DEVNULL)
    try:
        wait_for("it is seen", lambda: "another program is in this group" in
                 check(t, KAFKA_GROUP=group)[1]["kafka", "members"])
        assert check(t, KAFKA_GROUP=group)[0] == 1
    finally:
        reader.kill()
        reader.wait()
    program = t.start("run", KAFKA_GROUP=group)
    wait_for("it has its partitions", lambda: program.count("partition assigned") >= 6)
    code, findings = check(t, KAFKA_GROUP=group)
    assert findings["kafka", "members"].startswith("ok 1 now: elementor-sync ("), findings
    other = f"b-{os.getpid()}"
    make(t, other, 1)
    expect(t, 1, "kafka", "members", "another shop's run is in this group", KAFKA_GROUP=group,
           KAFKA_TOPIC=other)
    assert program.stop() == 0


def a_member_of_the_brokers_own_protocol(t):
    """Of KIP-848: to an older librdkafka its group looks like one that is not there."""
    group = f"new-{os.getpid()}"
    jars = pathlib.Path(t.stack.folder, "jars").read_text().strip()
    reader = subprocess.Popen(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/kafka/*",
                               "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server",
                               t.stack.env["KAFKA_BROKERS"], "--topic", t.stack.env["KAFKA_TOPIC"], "--group", group,
                               "--consumer-property", "group.protocol=consumer"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    said = ("which librdkafka", "another program is in this group")  # as the library can tell
    try:
        wait_for("it is seen", lambda: any(words in check(t, KAFKA_GROUP=group)[1]["kafka", "members"] for words in said))
    finally:
        reader.kill()
        reader.wait()


def commits_that_expired(t):
    """A week without members: Kafka deletes the commits, and latest would pass orders by."""
    own = {"KAFKA_GROUP": f"quiet-{os.getpid()}", "KAFKA_START": "latest"}
    program = t.start("run", **own)
    wait_for("six partitions assigned", lambda: program.count("partition assigned") >= 6)
    first = t.stack.order("Q-1")
    t.stack.confirm(first)
    t.wait_delivered([first])
    assert program.stop() == 0
    kafka(t, "consumer.group.ConsumerGroupCommand", "--delete", "--group", own["KAFKA_GROUP"])
    orders = [t.stack.order(f"Q-{i}") for i in (2, 3)]
    for order in orders:
        t.stack.confirm(order)
    wait_for("they are in the topic", lambda: all(
        order in run(t, "preview", "--until-end")[1] for order in orders))
    text = "kafka.start=latest would pass by up to"
    expect(t, 2, "kafka", "kafka.start", text, **own)
    code, _, err = run(t, "run", **own)
    assert code == 2 and text in err and "names an outcome at partition" in err, err
    program = t.start("run", log="again", **{**own, "KAFKA_START": "earliest"})
    t.wait_delivered([first, *orders])
    assert program.stop() == 0


TESTS = [orders_topic_loses_orders, another_program_in_the_group, a_member_of_the_brokers_own_protocol,
         commits_that_expired]
