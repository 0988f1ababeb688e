"""What an operator does from a terminal: offsets and replay."""
import datetime, json, os, pathlib, subprocess

from harness import header, wait_for


def names(t):
    """Topics of the test's own: another test's parked orders and retries are none of its business."""
    return {f"{name.upper()}_TOPIC": f"{t.group}.{name}"
            for name in ("parked", "deliveries", "retry", "members")}


def verb(t, *arguments, code=0):
    """Runs a verb to its end; (standard output, standard error)."""
    done = subprocess.run([str(t.binary), *arguments], env={**os.environ, **t.env(**names(t))},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout, done.stderr


def member(t):
    program = t.start(**names(t))
    wait_for("six partitions assigned",
             lambda: program.count("partition assigned") >= 6)
    return program


def offsets(t):
    """The partitions of the orders' topic."""
    found = json.loads(verb(t, "offsets", "--json")[0])
    assert found["group"] == t.group
    return [p for p in found["partitions"] if p["topic"] == t.stack.env["KAFKA_TOPIC"]]


def confirmed(t, *numbers):
    """These orders, confirmed and delivered."""
    orders = [t.stack.order(number) for number in numbers]
    for order in orders:
        t.stack.confirm(order)
    t.wait_delivered(orders)
    return orders


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def ids(entries):
    return sorted(header(e, "webhook-id") for e in entries)


def run_to_end(t):
    assert t.start("run", "--until-end", "--timeout", "60s", **names(t)).wait(90) == 0


def replay_sends_a_window_again(t):
    program = member(t)
    confirmed(t, "R-1", "R-2")
    began = now()
    inside = confirmed(t, "R-3", "R-4", "R-5")
    ended = now()
    confirmed(t, "R-6")
    window = "replay", "--from", began, "--to", ended
    error = verb(t, *window, "--yes", code=1)[1]
    assert "1 active member" in error and "stop them first" in error, error
    assert program.stop() == 0
    before = t.receiver.journal()
    expected = ids(e for e in before
                   if json.loads(e["body"])["fields"]["order_id"] in inside)
    committed = [p["committed"] for p in offsets(t)]
    shown = verb(t, *window, "--dry-run")[0]
    assert "\n6 records, 3 deliveries" in shown or " 3 deliveries would" in shown, shown
    assert "--yes" in verb(t, *window, code=2)[1]  # nobody is there to be asked
    assert [p["committed"] for p in offsets(t)] == committed, "nothing was confirmed"
    verb(t, *window, "--yes")
    assert any(p["replay_until"] is not None for p in offsets(t))
    run_to_end(t)
    again = t.receiver.journal()[len(before):]
    assert ids(again) == expected, (ids(again), expected)
    assert {header(e, "webhook-source") for e in again} == {"replay"}
    assert all(p["lag"] == 0 and p["replay_until"] is None for p in offsets(t)), offsets(t)


def replay_from_the_beginning_of_one_partition(t):
    program = member(t)
    confirmed(t, "P-1", "P-2", "P-3")
    assert program.stop() == 0
    before = len(t.receiver.journal())
    lower = [p["committed"] for p in offsets(t)]
    assert "goes with --partition" in verb(t, "replay", "--from", "0", "--yes", code=2)[1]
    verb(t, "replay", "--from", "beginning", "--partition", "2", "--yes")
    after = [p["committed"] for p in offsets(t)]
    assert [a for i, a in enumerate(after) if i != 2] == [b for i, b in enumerate(lower) if i != 2]
    assert after[2] == 0 or lower[2] == 0, after
    run_to_end(t)
    assert [p["committed"] for p in offsets(t)] == lower
    again = t.receiver.journal()[before:]
    assert {header(e, "webhook-source") for e in again} <= {"replay"}


def offsets_tell_what_is_settled_above(t):
    program = member(t)
    t.receiver.control(delay_ms=15000)
    stuck = t.stack.order("S-1")
    t.stack.confirm(stuck)
    for city in ("Oran", "Blida", "Annaba"):  # three records above it, none for us
        t.stack.sql(f"UPDATE orders SET client_city = '{city}' WHERE id = '{stuck}'")
    found = wait_for("three settled above",
                     lambda: [p for p in offsets(t) if p["settled_above"] == 3], 14)[0]
    assert found["lag"] == 4, found
    table = verb(t, "offsets")[0].splitlines()
    assert "settled above" in table[2], table
    t.receiver.control(delay_ms=0)
    t.wait_delivered([stuck])
    wait_for("all committed", lambda: all(p["lag"] == 0 for p in offsets(t)))
    assert program.stop() == 0


def kafkas_own_tool_resets_too(t):
    program = member(t)
    orders = confirmed(t, "X-1", "X-2")
    assert program.stop() == 0
    before = t.receiver.journal()
    jars = pathlib.Path(t.stack.folder, "jars").read_text().strip()
    began = [p["committed"] for p in offsets(t)]
    subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/kafka/*",
                    "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
                    "--bootstrap-server", t.stack.env["KAFKA_BROKERS"], "--group", t.group,
                    "--topic", t.stack.env["KAFKA_TOPIC"], "--reset-offsets", "--shift-by", "-4",
                    "--execute"], check=True, capture_output=True, timeout=60)
    assert sum(p["lag"] for p in offsets(t)) > 0
    run_to_end(t)
    again = t.receiver.journal()[len(before):]
    assert set(ids(before)) <= set(ids(again)), "an order of the last four records is missing"
    assert {header(e, "webhook-source") for e in again} == {"cdc"}  # a bare reset has no mark
    assert [p["committed"] for p in offsets(t)] == began
    assert orders


TESTS = [
    replay_sends_a_window_again,
    replay_from_the_beginning_of_one_partition,
    offsets_tell_what_is_settled_above,
    kafkas_own_tool_resets_too,
]
