"""An operator's work from a terminal: offsets, replay, retry, redrive."""
import datetime, json, os, pathlib, subprocess, time

from harness import header, wait_for


def names(t):
    """Topics of the test's own: another test's parked orders and retries are none of its business."""
    return {f"{name.upper()}_TOPIC": f"{t.group}.{name}"
            for name in ("parked", "deliveries", "retry", "members", "control")}


def command(t, *arguments, code=0):
    """Runs a command to its end; (standard output, standard error)."""
    done = subprocess.run([str(t.binary), *arguments], env={**os.environ, **t.env(**names(t))},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout, done.stderr


def member(t, **env):
    program = t.start(**names(t), **env)
    wait_for("six partitions assigned",
             lambda: program.count("partition assigned") >= 6)
    return program


def offsets(t):
    """The partitions of the orders' topic."""
    found = json.loads(command(t, "offsets", "--json")[0])
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


def source(entry):
    """The header webhook-source; "" for a record of the topic."""
    return next((v for k, v in entry["headers"] if k.lower() == "webhook-source"), "")


def of_order(t, order):
    return [e for e in t.receiver.journal()
            if json.loads(e["body"])["fields"]["order_id"] == order]


def settled(t):
    """Everything read so far has its outcome recorded and is committed."""
    wait_for("no lag", lambda: all(p["lag"] == 0 for p in offsets(t)))


def refused(t, status, *numbers):
    """These orders, answered with this status and parked; the receiver is well again."""
    t.receiver.control(status=status)
    orders = [t.stack.order(number) for number in numbers]
    for order in orders:
        t.stack.confirm(order)
    wait_for("refused", lambda: all(of_order(t, order) for order in orders))
    settled(t)
    t.receiver.control(status=200)
    return orders


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
    error = command(t, *window, "--yes", code=1)[1]
    assert "1 active member" in error and "stop them first" in error, error
    assert program.stop() == 0
    before = t.receiver.journal()
    expected = ids(e for e in before
                   if json.loads(e["body"])["fields"]["order_id"] in inside)
    committed = [p["committed"] for p in offsets(t)]
    shown = command(t, *window, "--dry-run")[0]
    assert "\n6 records, 3 deliveries" in shown or " 3 deliveries would" in shown, shown
    assert "--yes" in command(t, *window, code=2)[1]  # no terminal to ask
    assert [p["committed"] for p in offsets(t)] == committed, "nothing was confirmed"
    audit = command(t, *window, "--yes")[1]
    assert audit.count("level=audit") == audit.count("what=replay") > 0, audit
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
    assert "an offset needs --partition" in command(t, "replay", "--from", "0", "--yes", code=2)[1]
    command(t, "replay", "--from", "beginning", "--partition", "2", "--yes")
    after = [p["committed"] for p in offsets(t)]
    assert [a for i, a in enumerate(after) if i != 2] == [b for i, b in enumerate(lower) if i != 2]
    assert after[2] == 0 or lower[2] == 0, after
    run_to_end(t)
    assert [p["committed"] for p in offsets(t)] == lower
    again = t.receiver.journal()[before:]
    assert {header(e, "webhook-source") for e in again} <= {"replay"}


def offsets_tell_what_is_settled_above(t):
    member(t, WEBHOOK_TIMEOUT="60s")
    t.receiver.control(delay_ms=40000, delay_only=1)
    ends = sum(p["end"] for p in offsets(t))
    stuck = t.stack.order("S-1")
    t.stack.confirm(stuck)
    wait_for("the order is in the topic", lambda: sum(p["end"] for p in offsets(t)) == ends + 2)
    for number in range(60):  # until one lies above it in its partition
        confirmed(t, f"S-above-{number}")
        found = [p for p in offsets(t) if p["settled_above"] > 0]
        if found:
            break
    assert len(found) == 1 and found[0]["lag"] >= 3, found
    assert stuck not in t.receiver.delivered()
    table = command(t, "offsets")[0].splitlines()
    assert table[2] == t.stack.env["KAFKA_TOPIC"] and "settled above  owner" in table[3], table
    one = found[0]
    words = table[4 + one["partition"]].split()
    assert words[0] == str(one["partition"]) and words[-3] == str(one["settled_above"]), words
    assert words[-2:] == one["owner"].split(), (words, one)
    assert one["owner"].startswith("elementor-sync-") and one["owner"].endswith(")"), one
    assert 0 < one["behind_ms"] < 600000, one  # since S-1 was written
    together = next(line.split() for line in table if line.split()[:1] == ["together"])
    assert int(together[3]) == sum(int(line.split()[3]) for line in table[4:10]), table


def kafkas_own_tool_resets_too(t):
    program = member(t)
    confirmed(t, "X-1", "X-2")
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
    assert not any(source(e) for e in again)  # a bare reset has no mark
    assert [p["committed"] for p in offsets(t)] == began


def retry_sends_one_order_again(t):
    member(t)
    order, = refused(t, 422, "T-1")
    other, = refused(t, 422, "T-2")
    said = command(t, "retry", "--order", "T-1")[0].splitlines()
    assert said[0].startswith(f"{order} (T-1): parked, http:422, HTTP 422"), said
    assert said[-1].startswith(f"{order} (T-1): delivered, HTTP 200"), said
    first, second = of_order(t, order)
    assert ids([first]) == ids([second]) and first["body"] == second["body"]
    assert source(second) == "retry"
    command(t, "retry", "--order", order, "--force")  # by its id; delivered, and asked for once more
    assert len(of_order(t, order)) == 3 and len(set(ids(of_order(t, order)))) == 1
    t.receiver.control(status=413)
    assert "parked again" in command(t, "retry", "--order", other, code=1)[1]
    assert "never confirmed" in command(t, "retry", "--order", "T-none", code=1)[1]
    assert len(of_order(t, other)) == 2


def redrive_takes_a_reason_and_a_time(t):
    member(t)
    early = refused(t, 422, "D-1", "D-2")
    since = now()
    late = refused(t, 422, "D-3")
    big = refused(t, 413, "D-4")
    shown, error = command(t, "redrive", code=2)
    assert "4  parked orders" in shown and "3  http:422" in shown and "--yes" in error, shown
    before = len(t.receiver.journal())
    shown = command(t, "redrive", "--until", since, "--dry-run")[0]
    assert "2  parked orders" in shown and "nothing was sent" in shown, shown
    assert "no parked order matches" in command(t, "redrive", "--order", "D-4", "--until", since)[0]
    assert len(t.receiver.journal()) == before
    said, audit = command(t, "dismiss", "--order", "D-4", "--reason", "no such customer")
    assert "dismissed" in said and "what=dismiss" in audit and "no such customer" in audit, said + audit
    assert "1  dismissed: left out" in command(t, "redrive", "--dry-run")[0]
    assert "taken back" in command(t, "dismiss", "--order", "D-4", "--undo")[0]
    assert "dismissed" not in command(t, "redrive", "--dry-run")[0]
    command(t, "dismiss", "--order", "D-4", "--reason", "after all")
    assert "1 asked for" in command(t, "redrive", "--order", "D-4", "--yes")[0]
    t.wait_delivered(big)
    assert "1 asked for" in command(t, "redrive", "--since", since, "--yes")[0]
    t.wait_delivered(late)
    settled(t)
    began = time.monotonic()
    assert "2 asked for" in command(t, "redrive", "--reason", "http:", "--rate", "1", "--yes")[0]
    assert time.monotonic() - began >= 1, "faster than its rate"
    t.wait_delivered(early)
    wait_for("nothing is parked any more",
             lambda: "no parked order matches" in command(t, "redrive", "--yes")[0])
    for order in early + late + big:
        entries = of_order(t, order)
        assert len(entries) == 2 and len(set(ids(entries))) == 1, entries
        assert source(entries[1]) == "redrive"


TESTS = [
    replay_sends_a_window_again,
    replay_from_the_beginning_of_one_partition,
    offsets_tell_what_is_settled_above,
    kafkas_own_tool_resets_too,
    retry_sends_one_order_again,
    redrive_takes_a_reason_and_a_time,
]
