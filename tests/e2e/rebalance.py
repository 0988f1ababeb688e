"""A group whose members come and go while it delivers, on a real broker."""
from harness import wait_for
from main_job import insert_confirmed

# The more often they ask whether the group rebalances, the sooner it has; they never ask at once, so
# that the first to join waits for the others.
MEMBER = {"WEBHOOK_CONCURRENCY": "2", "KAFKA_PROPERTIES_HEARTBEAT_INTERVAL_MS": "1000"}


def share(member):
    """How many partitions it has by now."""
    return (member.count('event="partition assigned"') - member.count('event="partition given back"')
            - member.count('event="partition lost'))


def nobody_loses_a_partition_when_members_come_and_go(t):
    t.receiver.control(delay_ms=10)
    members = [t.start(log="m1", **MEMBER)]
    wait_for("one has all", lambda: share(members[0]) == 6)
    orders = insert_confirmed(t, "R", 3000)
    for name, shares in (("m2", [3, 3]), ("m3", [2, 2, 2])):
        members.append(t.start(log=name, **MEMBER))
        wait_for(f"{name} has its share", lambda: sorted(map(share, members)) == shares)
    wait_for("there is still work", lambda: 0 < len(t.receiver.journal()) < len(orders) - 500)
    assert members.pop(1).stop() == 0
    wait_for("the others have what it had", lambda: sorted(map(share, members)) == [3, 3])
    wait_for("all is delivered", lambda: len(set(t.receiver.delivered())) == len(orders), 120)
    for member in members:
        assert member.stop() == 0
    for name in ("m1", "m2", "m3"):
        log = (t.folder / name).read_text()
        assert "partition lost" not in log and "commit failed" not in log, f"{name}:\n{log[-4000:]}"
    assert sorted(t.receiver.delivered()) == sorted(orders), "an order was sent twice"


TESTS = [nobody_loses_a_partition_when_members_come_and_go]
