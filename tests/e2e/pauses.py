"""An operator pauses the group and lets it go on: 0 posts while paused, whatever happens to members; then all, once."""
import json, os

from harness import wait_for
from operator_commands import command, confirmed, ids, names, offsets, settled

ORDERS = int(os.environ.get("E2E_PAUSED_ORDERS", "400"))  # 50,000 by hand


def start_member(t, name):
    return t.start("run", log=name, **names(t))


def partitions(program):
    return program.count("partition assigned")


def arrive(t, count):
    """So many orders are inserted and confirmed; waits until the topic has both changes of each."""
    before = sum(p["end"] for p in offsets(t))
    t.stack.sql("INSERT INTO orders (order_number, client_name, client_phone, client_address, client_city, "
                "product_name, quantity, unit_price, total_amount, status) SELECT 'pause-' || n, 'Amina', "
                "'+213600000000', '12 rue Didouche', 'Alger', 'Montre', 2, 1250.50, 2501.00, 'pending' "
                f"FROM generate_series(1, {count}) n")
    t.stack.sql("UPDATE orders SET status = 'confirmed', confirmed_at = now() "
                "WHERE order_number LIKE 'pause-%' AND status = 'pending'")
    wait_for("all changes are in the topic",
             lambda: sum(p["end"] for p in offsets(t)) >= before + 2 * count, 300 + count / 50)


def what_arrives_in_a_pause_is_sent_after_it(t):
    members = [start_member(t, name) for name in ("m1", "m2")]
    wait_for("the partitions are shared", lambda: all(partitions(m) for m in members)
             and sum(map(partitions, members)) >= 6)
    confirmed(t, "before-the-pause")
    settled(t)
    sent = len(t.receiver.journal())
    assert "--reason" in command(t, "pause", code=2)[1]
    out, audit = command(t, "pause", "--reason", "stock count")
    assert "no further request" in out and 'what=pause' in audit and "stock count" in audit, out + audit
    wait_for("both members obey", lambda: all(m.says("deliveries paused") for m in members), 5)
    assert all(m.says("stock count") for m in members)
    arrive(t, ORDERS)
    out = command(t, "pause", "--reason", "another")[0]
    assert "paused already" in out and "stock count" in out and "another" not in out, out
    assert len(t.receiver.journal()) == sent
    for member in members:
        member.kill()
    again = start_member(t, "again")
    wait_for("the one that came back has them all", lambda: partitions(again) >= 6)
    wait_for("it obeys too", lambda: again.says("deliveries paused"))
    wait_for("it has read what waits", lambda: any(p["lag"] > 0 for p in offsets(t)))
    assert len(t.receiver.journal()) == sent
    out, audit = command(t, "resume")
    assert "stock count" in out and "what=resume" in audit, out + audit
    wait_for("all were sent", lambda: len(t.receiver.journal()) >= sent + ORDERS, 600)
    settled(t)
    after = t.receiver.journal()[sent:]
    assert len(after) == ORDERS == len(set(ids(after))), (len(after), len(set(ids(after))))
    orders = {json.loads(e["body"])["fields"]["order_id"] for e in after}
    assert len(orders) == ORDERS
    assert "not paused" in command(t, "resume")[0]
    assert again.stop() == 0 and again.says("deliveries resumed")


TESTS = [what_arrives_in_a_pause_is_sent_after_it]
