"""The time for which parked orders are kept, and the remains of an order that was forgotten."""
import datetime

from harness import wait_for
from newcomer import check
from operator_commands import member, names, refused, command
from own_topics import kafka, make

DAY_MS = 86400000


def settings(t, topic):
    """The topic's own settings: {"retention.ms": "-1"}."""
    first = kafka(t, "TopicCommand", "--describe", "--topic", topic).splitlines()[0]
    words = first.split("Configs:")[1].strip().split(",")
    return dict(word.split("=", 1) for word in words if "=" in word)


def run_to_end(t, log, **env):
    program = t.start("run", "--until-end", "--timeout", "60s", log=log, **names(t), **env)
    assert program.wait(90) == 0
    return program


def topics_that_are_made_keep_what_they_must(t):
    """Dead letters no longer than parked.retention, a retry for a week, and an order's last state for good."""
    own = names(t)
    run_to_end(t, "made", PARKED_RETENTION="30d")
    kept = {name: {key: value for key, value in settings(t, own[name]).items()
                   if key in ("retention.ms", "cleanup.policy")} for name in own if name.endswith("_TOPIC")}
    compacted = {"cleanup.policy": "compact"}
    assert kept == {"PARKED_TOPIC": {"retention.ms": str(30 * DAY_MS)},
                    "RETRY_TOPIC": {"retention.ms": str(7 * DAY_MS)}, "DELIVERIES_TOPIC": compacted,
                    "MEMBERS_TOPIC": compacted, "CONTROL_TOPIC": compacted}, kept


def a_parked_topic_that_keeps_for_ever_is_bounded(t):
    own = names(t)
    parked = own["PARKED_TOPIC"]
    make(t, parked, 6, "retention.ms=-1", "max.message.bytes=2000000")
    make(t, own["RETRY_TOPIC"], 6)
    make(t, own["DELIVERIES_TOPIC"], 6, "cleanup.policy=compact")
    make(t, own["MEMBERS_TOPIC"], 1, "cleanup.policy=compact")
    make(t, own["CONTROL_TOPIC"], 1, "cleanup.policy=compact")
    program = run_to_end(t, "denied", TOPICS_CREATE="false")
    assert program.says("parked retention unlimited"), program.log.read_text()
    assert program.says(f"--entity-name {parked} --add-config retention.ms={90 * DAY_MS}")
    assert settings(t, parked)["retention.ms"] == "-1"
    program = run_to_end(t, "allowed", PARKED_RETENTION="30d")
    assert program.says("parked topic bounded"), program.log.read_text()
    found = settings(t, parked)
    assert found["retention.ms"] == str(30 * DAY_MS), found
    assert found["max.message.bytes"] == "2000000", found  # what else was set stays
    program = run_to_end(t, "again")  # what is bounded stays as it is
    assert settings(t, parked) == found
    assert not program.says("parked topic bounded"), program.log.read_text()


def days(text, began, retention_days):
    """text: what the program calls the day; it may be the next one since `began`."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return any(f"until about {(at + datetime.timedelta(days=retention_days)).date()}" in text
               for at in (began, now))


def a_forgotten_order_is_gone_and_the_rest_is_dated(t):
    began = datetime.datetime.now(datetime.timezone.utc)
    member(t)
    order, other = refused(t, 422, "G-1", "G-2")
    wait_for("both are parked", lambda: "2  parked orders" in command(t, "redrive", code=2)[0])
    said = command(t, "forget", "--order", "G-1", "--yes")[0]
    assert f"order {order}, last outcome: parked; parked records: 1" in said, said
    lines = {line.split(": ")[0].strip(): line for line in said.splitlines()}
    parked, shop = lines[names(t)["PARKED_TOPIC"]], lines[t.stack.env["KAFKA_TOPIC"]]
    assert "1 parked record" in parked and days(parked, began, 90), said
    assert days(shop, began, 7), said
    assert "1  parked order" in command(t, "redrive", code=2)[0]
    for name in ("G-1", order):
        assert "it was forgotten" in command(t, "retry", "--order", name, "--force", code=1)[1]
    command(t, "redrive", "--yes")
    t.wait_delivered([other])
    assert order not in t.receiver.delivered()


def parked_orders_that_will_be_deleted_are_said(t):
    own = names(t)
    member(t)
    orders = refused(t, 422, "X-1", "X-2")
    assert ("own topics", "parked orders") not in check(t, **own)[1]  # 90 days are left
    kafka(t, "TopicCommand", "--delete", "--topic", own["PARKED_TOPIC"])
    make(t, own["PARKED_TOPIC"], 6, f"retention.ms={5 * DAY_MS}")
    orders = refused(t, 422, "X-3", "X-4")
    said = check(t, **own)[1]["own topics", "parked orders"]
    assert said.startswith("warn ") and "2 parked orders" in said and "redrive" in said, said
    command(t, "retry", "--order", orders[0])
    assert "1 parked order " in check(t, **own)[1]["own topics", "parked orders"]
    command(t, "retry", "--order", orders[1])
    assert ("own topics", "parked orders") not in check(t, **own)[1]


TESTS = [topics_that_are_made_keep_what_they_must, a_parked_topic_that_keeps_for_ever_is_bounded,
         a_forgotten_order_is_gone_and_the_rest_is_dated,
         parked_orders_that_will_be_deleted_are_said]
