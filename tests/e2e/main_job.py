"""The main job: a confirmation becomes one webhook, whatever goes down meanwhile."""
import json, os, re, subprocess, time

from harness import header, wait_for

OUTAGE_SECONDS = float(os.environ.get("E2E_OUTAGE_SECONDS", "15"))


def one_confirmation_one_webhook(t):
    program = t.started()
    order = t.stack.order("CMD-000123")
    t.stack.sql(f"UPDATE orders SET client_city = 'Oran' WHERE id = '{order}'")
    t.stack.confirm(order)
    t.wait_delivered([order])
    t.stack.sql(f"UPDATE orders SET client_city = 'Blida' WHERE id = '{order}'")
    t.stack.sql(f"UPDATE orders SET status = 'shipped' WHERE id = '{order}'")
    t.stack.confirm(order)  # again, with the same confirmed_at
    wait_for("the re-confirmation", lambda: len(t.receiver.delivered()) == 2)
    last = t.stack.order("CMD-000124")  # whatever was to come for the first order came before this
    t.stack.confirm(last)
    t.wait_delivered([last])
    entries = t.receiver.journal()
    assert t.receiver.delivered() == [order, order, last], t.receiver.delivered()
    expected = ('{"form_name":"order_confirmation","fields":{"order_id":"%s",'
                '"order_number":"CMD-000123","client_name":"Amina Él","client_phone":"+213600000000",'
                '"client_address":"12 rue Didouche","client_city":"%s","product_name":"Montre \\"X\\"",'
                '"quantity":2,"unit_price":1250.50,"total_amount":2501.00,"status":"confirmed",'
                '"confirmed_at":"2026-11-22T09:15:30.123456Z"}}')
    assert entries[0]["body"] == expected % (order, "Oran"), entries[0]["body"]
    assert entries[1]["body"] == expected % (order, "Blida"), entries[1]["body"]
    ids = [header(e, "webhook-id") for e in entries]
    assert len(set(ids)) == 3, ids
    assert [header(e, "idempotency-key") for e in entries] == ids
    assert header(entries[0], "content-type") == "application/json"
    assert program.stop() == 0
    log = program.log.read_text()
    assert "topic recreation limits" in log
    assert ("KIP-320" in log) == ("librdkafka=2.0." in log), "what librdkafka lacks"
    assert "secret-path" not in log and "213600000000" not in log, "a secret or a phone was logged"


def kill_and_restart_lose_nothing(t):
    t.started()
    t.receiver.control(delay_ms=30)
    orders = insert_confirmed(t, "K", 300)
    for mark in (40, 120, 200):
        wait_for(f"{mark} requests", lambda: len(t.receiver.journal()) >= mark)
        t.programs[-1].kill()
        t.start()
    t.wait_delivered(orders, 120)
    assert t.programs[-1].stop() == 0
    delivered = t.receiver.delivered()
    assert set(delivered) == set(orders), "something that was not confirmed was sent"
    by_order = {}
    for entry in t.receiver.journal():
        order = json.loads(entry["body"])["fields"]["order_id"]
        by_order.setdefault(order, set()).add(header(entry, "webhook-id"))
    assert all(len(ids) == 1 for ids in by_order.values()), "an order changed its identity"
    print(f"      300 orders, 3 kills, {len(delivered) - len(orders)} duplicates", flush=True)


def insert_confirmed(t, prefix, count, first=None):
    """`count` pending orders, confirmed in one transaction, an order that is there before them; their
    ids."""
    rows = t.stack.sql(
        "INSERT INTO orders (order_number, client_name, client_phone, product_name, quantity,"
        f" unit_price, total_amount) SELECT '{prefix}-' || n, 'K', '+1', 'P', 1, 1, 1"
        f" FROM generate_series(1, {count}) n RETURNING id").splitlines()
    orders = [o for o in rows if re.fullmatch(r"[0-9a-f-]{36}", o)]
    assert len(orders) == count
    t.stack.sql("".join("UPDATE orders SET status = 'confirmed', confirmed_at = now()"
                        f" WHERE {which} AND status = 'pending';"
                        for which in ([f"id = '{first}'"] if first else []) + [f"order_number LIKE '{prefix}-%'"]))
    return orders


def members_share_and_hand_over(t):
    """A second member takes its share in the middle of the work, then the first one leaves: nothing
    is lost, and nothing is sent twice, for what is given back is drained and committed first."""
    t.receiver.control(delay_ms=20)
    first = t.started()
    orders = insert_confirmed(t, "M", 300)
    wait_for("the work has begun", lambda: len(t.receiver.journal()) >= 20)
    second = t.start(log="second")
    wait_for("the second member has its share",
             lambda: second.count("partition assigned") >= 3)
    assert first.count("partition given back") >= 3
    more = insert_confirmed(t, "N", 300)
    wait_for("the second batch has begun", lambda: len(t.receiver.journal()) >= 330)
    assert first.stop() == 0
    wait_for("the second member has all", lambda: second.count("partition assigned") >= 6)
    t.wait_delivered(orders + more, 120)
    assert second.stop() == 0
    assert sorted(t.receiver.delivered()) == sorted(orders + more), "duplicates, or strangers"


def outage_costs_only_time(t):
    program = t.started()
    t.receiver.stop()
    orders = [t.stack.order(f"O-{n}") for n in range(5)]
    for order in orders:
        t.stack.confirm(order)
    wait_for("the outage is said", lambda: program.says("delivery failed"))
    time.sleep(OUTAGE_SECONDS)  # the outage itself
    said = program.log.read_text().count("delivery failed")
    assert said <= 2 + OUTAGE_SECONDS / 60, f"said {said} times"
    t.receiver.start()
    t.wait_delivered(orders)
    t.receiver.control(status=503)
    more = t.stack.order("O-503")
    t.stack.confirm(more)
    wait_for("a 503", lambda: any(e["status"] == 503 for e in t.receiver.journal()))
    t.receiver.control(status=200)
    t.wait_delivered([more])
    assert program.stop() == 0
    assert sorted(t.receiver.delivered()) == sorted(orders + [more])


def until_end_settles_and_commits(t):
    order = t.stack.order("U-1")
    t.stack.confirm(order)
    end = t.stack.order("U-2")
    t.stack.confirm(end)
    first = t.start("run", "--until-end", "--timeout", "60s", KAFKA_START="earliest")
    wait_for("both delivered", lambda: {order, end} <= set(t.receiver.delivered())
             or first.process.poll() is not None)
    assert first.wait() == 0
    if end not in t.receiver.delivered():  # CDC was behind at the start of the first run
        assert t.start("run", "--until-end", "--timeout", "60s").wait() == 0
    t.wait_delivered([order, end], 1)
    count = len(t.receiver.journal())
    again = t.start("run", "--until-end", "--timeout", "60s", KAFKA_START="earliest")
    assert again.wait() == 0
    assert len(t.receiver.journal()) == count, "what was committed was sent again"


def topics_of_its_own_are_made(t):
    """A group's very first start, with --until-end: the topics are younger than the question for
    their ends."""
    order = t.stack.order("N-1")
    t.stack.confirm(order)
    names = {f"{name.upper()}_TOPIC": f"{t.group}.{name}"
             for name in ("parked", "deliveries", "retry", "members", "control")}
    for _ in range(2):  # CDC may be behind at the start of the first run
        assert t.start("run", "--until-end", "--timeout", "60s", KAFKA_START="earliest",
                       **names).wait(90) == 0, t.programs[-1].log.read_text()
    t.wait_delivered([order], 1)
    assert t.programs[0].count("topic created") == len(names)


def parked_headers(t):
    return subprocess.run(
        ["kcat", "-C", "-q", "-b", t.stack.env["KAFKA_BROKERS"], "-t", f"{t.group}.parked",
         "-o", "beginning", "-e", "-f", "%h\\n"], check=True, capture_output=True, text=True).stdout


def invalid_order_is_parked(t):
    program = t.started()
    bad = t.stack.order("P-1", client_phone="  ")
    good = t.stack.order("P-2")
    t.stack.confirm(bad)
    t.stack.confirm(good)
    t.wait_delivered([good])
    wait_for("parked", lambda: program.says("missing:client_phone"))
    wait_for("the parked record, acknowledged", lambda: "elementor-sync.reason=missing:client_phone"
             in parked_headers(t))
    assert program.stop() == 0
    assert bad not in t.receiver.delivered()


def registry_down_at_start_is_waited_for(t):
    first = t.started()
    order = t.stack.order("R-1")
    t.stack.confirm(order)
    t.wait_delivered([order])  # Debezium's converter has asked the registry; another group asks anew
    assert first.stop() == 0
    t.stack.part("stop", "registry")
    try:
        program = t.start(KAFKA_START="earliest", KAFKA_GROUP=f"{t.group}-2")
        wait_for("the registry is missed", lambda: program.says("registry"))
        assert program.process.poll() is None
    finally:
        t.stack.part("start", "registry")
        t.stack.part("wait", "registry")
    wait_for("it is delivered to the other group's receiver",
             lambda: t.receiver.delivered().count(order) == 2)
    assert program.stop() == 0


def broker_down_is_waited_for(t):
    program = t.started()
    t.stack.part("stop", "kafka")
    try:
        wait_for("the brokers are missed", lambda: program.says("broker"))
        assert program.process.poll() is None
    finally:
        t.stack.part("start", "kafka")
        t.stack.part("wait", "kafka")
    order = t.stack.order("B-1")
    t.stack.confirm(order)
    t.wait_delivered([order], 120)
    assert program.stop() == 0


def missing_topic_is_named(t):
    program = t.start(KAFKA_TOPIC="orders.public.ordres")
    assert program.wait(60) == 1
    assert program.says('topic "orders.public.ordres" does not exist'), program.log.read_text()


TESTS = [
    one_confirmation_one_webhook,
    invalid_order_is_parked,
    until_end_settles_and_commits,
    topics_of_its_own_are_made,
    missing_topic_is_named,
    kill_and_restart_lose_nothing,
    members_share_and_hand_over,
    outage_costs_only_time,
    broker_down_is_waited_for,
    registry_down_at_start_is_waited_for,
]
