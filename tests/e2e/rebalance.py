"""A group whose members come and go while it delivers, on a real broker."""
from harness import header, wait_for
from main_job import insert_confirmed

# The more often they ask whether the group rebalances, the sooner it has; they never ask at once, so
# that the first to join waits for the others.
MEMBER = {"WEBHOOK_CONCURRENCY": "2", "KAFKA_PROPERTIES_HEARTBEAT_INTERVAL_MS": "1000"}


def share(member):
    """The number of partitions that it has by now."""
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


def attempts_survive_a_kill_and_a_rebalance(t):
    """An order that fails by itself is parked after retry.attempts failures, whichever members saw them. The first
    one cannot count (whether others succeed is not known yet), and the kill may hide one."""
    attempts = 8
    settings = {"RETRY_ATTEMPTS": str(attempts), "RETRY_BASE": "1s", "RETRY_CAP": "2s", "COMMIT_INTERVAL": "100ms",
                "WEBHOOK_CONCURRENCY": "2", **MEMBER}
    t.receiver.control(fail="BAD-1", delay_ms=15)
    first = t.start(log="first", **settings)
    wait_for("it has all", lambda: share(first) == 6)
    bad = t.stack.order("BAD-1")
    orders = [bad]

    def feed():
        """Others are delivered all the time."""
        if len(t.receiver.delivered()) + 600 > len(orders):
            orders.extend(insert_confirmed(t, f"FINE{len(orders)}", 2000, bad))
        return True

    def tries():
        return [e for e in t.receiver.journal() if "BAD-1" in e["body"]]

    def tried(times):
        """So often, and another order was delivered since."""
        seen = tries()
        return len(seen) >= times and t.receiver.journal()[-1]["t_ms"] > seen[-1]["t_done_ms"]

    feed()
    wait_for("three attempts", lambda: tried(3), 120)
    first.kill()
    assert len(tries()) == 3, tries()
    members = [t.start(log=name, **settings) for name in ("second", "third")]
    wait_for("five attempts", lambda: feed() and tried(5), 120)
    owner = [m for m in members if m.says('event="delivery failed"')][-1]
    members.remove(owner)
    assert owner.stop() == 0
    wait_for("it is parked", lambda: feed() and members[0].says('event="parked"'), 120)
    assert members[0].stop() == 0
    sent = [int(header(e, "webhook-attempt")) for e in tries()]
    assert attempts < len(sent) <= attempts + 2, sent
    assert len(sent) - sent[-1] in (0, 1), sent


TESTS = [attempts_survive_a_kill_and_a_rebalance, nobody_loses_a_partition_when_members_come_and_go]
