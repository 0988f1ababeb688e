"""What is left of an order that was forgotten."""
import datetime

from harness import wait_for
from operator_verbs import member, names, refused, verb


def days(text, began, retention_days):
    """text: what the program calls the day; it may be the next one since `began`."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return any(f"until about {(at + datetime.timedelta(days=retention_days)).date()}" in text
               for at in (began, now))


def a_forgotten_order_is_gone_and_the_rest_is_dated(t):
    began = datetime.datetime.now(datetime.timezone.utc)
    member(t)
    order, other = refused(t, 422, "G-1", "G-2")
    wait_for("both are parked", lambda: "2  parked orders" in verb(t, "redrive", code=2)[0])
    said = verb(t, "forget", "--order", "G-1", "--yes")[0]
    assert f"order {order}, last outcome: parked; parked records: 1" in said, said
    lines = {line.split(": ")[0].strip(): line for line in said.splitlines()}
    parked, shop = lines[names(t)["PARKED_TOPIC"]], lines[t.stack.env["KAFKA_TOPIC"]]
    assert "1 parked record" in parked and days(parked, began, 90), said
    assert days(shop, began, 7), said
    assert "1  parked order" in verb(t, "redrive", code=2)[0]
    for name in ("G-1", order):
        assert "it was forgotten" in verb(t, "retry", "--order", name, "--force", code=1)[1]
    verb(t, "redrive", "--yes")
    t.wait_delivered([other])
    assert order not in t.receiver.delivered()


TESTS = [a_forgotten_order_is_gone_and_the_rest_is_dated]
