"""reconcile: the shop's table beside what was delivered, on real tables, losses and topics."""
import hashlib, json, os, subprocess

from harness import header, wait_for
from operator_commands import member, names, now, of_order, refused, settled
from own_topics import erase, make


PREFIX = f"REC-{os.getpid()}-"  # a stack that is used again has former rows


def confirm_now(t, number):
    """A new order, confirmed at this moment by the shop's clock."""
    order = t.stack.order(PREFIX + number)
    t.stack.confirm(order, at=now())
    return order


def confirm_unpublished(t, number):
    """The same while the table is not in the publication: to Debezium it never happened."""
    t.stack.sql("ALTER PUBLICATION elementor_sync DROP TABLE orders")
    try:
        return confirm_now(t, number)
    finally:
        t.stack.sql("ALTER PUBLICATION elementor_sync ADD TABLE orders")


def erase_outcome(t, order):
    """A tombstone behind the order's outcome; the deliveries topic has one partition."""
    erase(t, names(t)["DELIVERIES_TOPIC"], [order])


def reconcile(t, table, *arguments, code):
    done = subprocess.run([str(t.binary), "reconcile", *arguments], input=table,
                          env={**os.environ, **t.env(**names(t))}, capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout, done.stderr


def table_of(t, columns="id, order_number, status, confirmed_at", prefix=PREFIX):
    return t.stack.sql(f"COPY (SELECT {columns} FROM orders WHERE order_number LIKE '{prefix}%') "
                       "TO STDOUT CSV HEADER") + "\n"


def states(text):
    found = [json.loads(line) for line in text.splitlines()]
    assert all(list(row) == ["order_id", "order_number", "state"] for row in found), found
    return {row["order_number"].removeprefix(PREFIX): row["state"] for row in found}


def reconcile_names_exactly_what_is_missing(t):
    make(t, names(t)["DELIVERIES_TOPIC"], 1, "cleanup.policy=compact")
    program = member(t)
    delivered, erased, undone = (confirm_now(t, n) for n in ("1", "2", "3"))
    t.wait_delivered([delivered, erased, undone])
    t.stack.sql(f"UPDATE orders SET status = 'cancelled' WHERE id = '{undone}'")
    t.stack.order(PREFIX + "4")  # never confirmed
    refused(t, 422, PREFIX + "5")
    lost = confirm_unpublished(t, "6")
    t.wait_delivered([confirm_now(t, "7")])
    settled(t)
    assert program.stop() == 0
    waiting = confirm_now(t, "8")
    erase_outcome(t, erased)
    rows = table_of(t)

    found, said = reconcile(t, rows, "--json", code=1)
    assert states(found) == {"1": "delivered", "2": "never_seen",
                             "3": "no_longer_confirmed", "5": "parked",
                             "6": "never_seen", "7": "delivered",
                             "8": "under_way"}, found
    assert "2 confirmed orders are missing; --send sends them" in said, said
    shown = reconcile(t, rows, code=1)[0]
    assert "         2  never seen\n" in shown and erased in shown and lost in shown, shown
    assert waiting not in shown and delivered not in shown, shown
    assert not reconcile(t, rows, "--send", code=2)[0].endswith("asked for\n")  # no terminal to ask

    sent, said = reconcile(t, rows, "--send", "--yes", code=1)
    assert "1 of 2 missing orders have their record" in sent and "1 asked for" in sent, sent
    assert "0 of the others can be sent from their row" in sent, sent  # not with four columns
    assert "1 of 2 orders are still missing" in said, said
    assert f"{lost}: the table lacks client_name, client_phone, " in said, said
    assert said.count("what=reconcile") == 1, said
    assert states(reconcile(t, rows, "--json", code=1)[0])["2"] == "under_way"
    program = member(t)
    wait_for("the missing one is sent again", lambda: len(of_order(t, erased)) == 2)
    t.wait_delivered([waiting])
    settled(t)
    first, again = of_order(t, erased)
    assert header(first, "webhook-id") == header(again, "webhook-id")
    assert first["body"] == again["body"]
    found = states(reconcile(t, rows, "--json", code=1)[0])
    assert [n for n, state in found.items() if state == "never_seen"] == ["6"], found
    without = "\n".join(line for line in rows.splitlines() if lost not in line)
    shown, said = reconcile(t, without + "\n", code=0)
    assert "         0  never seen\n" in shown and "level=error" not in said, (shown, said)
    assert program.stop() == 0


def id_of(t, order):
    """The webhook-id of order and confirmed_at, as the connector writes the time."""
    at = t.stack.sql("SELECT to_char(confirmed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') "
                     f"FROM orders WHERE id = '{order}'").strip()
    return "msg_" + hashlib.sha256(f"{len(order)}:{order}{len(at)}:{at}".encode()).hexdigest()[:32]


def fields_of(request):
    return json.loads(request["body"])["fields"]


def reconcile_sends_rows_that_kafka_never_had(t):
    prefix = PREFIX + "ROW-"
    program = member(t)
    whole = confirm_now(t, "ROW-1")
    t.wait_delivered([whole])
    lost, invalid = (confirm_unpublished(t, n) for n in ("ROW-2", "ROW-3"))
    t.stack.sql("ALTER PUBLICATION elementor_sync DROP TABLE orders")
    try:
        t.stack.sql(f"UPDATE orders SET client_phone = ' ' WHERE id = '{invalid}'")
    finally:
        t.stack.sql("ALTER PUBLICATION elementor_sync ADD TABLE orders")
    t.wait_delivered([confirm_now(t, "ROW-4")])
    settled(t)
    rows = table_of(t, "*", prefix)

    sent, said = reconcile(t, rows, "--send", "--yes", code=0)
    assert "0 of 2 missing orders have their record" in sent, sent
    assert "2 of the others can be sent from their row\n" in sent and "2 asked for" in sent, sent
    assert said.count("what=reconcile") == 2 and f"row={lost}" in said, said
    t.wait_delivered([lost])
    request, = of_order(t, lost)
    assert header(request, "webhook-id") == id_of(t, lost)
    like, = of_order(t, whole)
    own = ("order_id", "order_number", "confirmed_at")
    assert ({k: v for k, v in fields_of(request).items() if k not in own} ==
            {k: v for k, v in fields_of(like).items() if k not in own})
    settled(t)
    wait_for("the row that fails validation is parked", lambda: states(
        reconcile(t, rows, "--json", code=0)[0])["ROW-3"] == "parked")
    assert states(reconcile(t, rows, "--json", code=0)[0]) == {
        "ROW-1": "delivered", "ROW-2": "delivered", "ROW-3": "parked", "ROW-4": "delivered"}

    # the same confirmation once more, now with a change behind it
    for status in ("pending", "confirmed"):
        t.stack.sql(f"UPDATE orders SET status = '{status}' WHERE id = '{lost}'")
    t.wait_delivered([confirm_now(t, "ROW-5")])
    settled(t)
    assert len(of_order(t, lost)) == 1
    assert program.stop() == 0


def reconcile_reads_only_tables(t):
    member(t)
    said = reconcile(t, "", code=2)[1]
    assert "COPY (SELECT" in said, said
    said = reconcile(t, table_of(t, "id, status"), code=2)[1]
    assert "payload.fields.confirmed_at" in said, said
    said = reconcile(t, "id,confirmed_at\n1,yesterday\n", code=2)[1]
    assert "line 2 of the table" in said, said
    assert "--since" in reconcile(t, "id,confirmed_at\n", "--since", "monday", code=2)[1]
    said = reconcile(t, "id,confirmed_at\n", "--since", "2999-01-01T00:00:00+01:00", code=2)[1]
    assert "lies in the future" in said, said
    twice = reconcile(t, "id,confirmed_at\no1,\no1,\n", "--since", "-1h", code=1)[0]
    assert "         1  never seen\n" in twice and "count once: 1\n" in twice, twice
    assert reconcile(t, "id,confirmed_at\n", "--json", code=0)[0] == ""


TESTS = [reconcile_names_exactly_what_is_missing, reconcile_sends_rows_that_kafka_never_had,
         reconcile_reads_only_tables]
