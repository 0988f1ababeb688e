"""A first start, whose own topics are still to be made, while the broker that should make them fails."""
from kafka_security import settings, with_registry
from newcomer import run
from relay import CREATE_TOPICS

LOST = 3  # the first ones


@with_registry
def topics_are_asked_for_until_a_broker_makes_them(t, broker):
    """Before, the member ended with 1: "not created … transport failure"."""
    own = {**settings(broker, "relayed"), "KAFKA_GROUP": f"{t.group}.first"}
    broker.relay.cut(CREATE_TOPICS, LOST)
    code, _, err = run(t, "run", "--until-end", "--timeout", "60s", **own)
    assert code == 0, err
    assert broker.relay.left(CREATE_TOPICS) == 0, "no request was lost"
    assert err.count('event="topic created"') == 5, err
    assert err.count('event="own topics unanswered"') == 1, err
    assert t.receiver.delivered(), err


TESTS = [topics_are_asked_for_until_a_broker_makes_them]
