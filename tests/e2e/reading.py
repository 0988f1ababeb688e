"""The causes of a record that cannot be read: the registry's path, the schema under an id, the bytes."""
import http.server, json, os, pathlib, subprocess, threading, urllib.error, urllib.request

from harness import beside, wait_for
from operator_commands import command, names
import cases, fake_registry

GATEWAY_404 = json.dumps({"message": "no Route matched with those values"}).encode()
TROUBLE_SECONDS = 45  # longer than a registry's own "no such schema" would have to be repeated


def gateway(registry_url):
    """A proxy in front of the registry that answers its own 404 while `state["lost"]` is true."""
    state = {"lost": True, "asked": 0}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = 404, GATEWAY_404
            state["asked"] += 1
            if not state["lost"]:
                try:
                    with urllib.request.urlopen(registry_url + self.path) as answer:
                        status, body = answer.status, answer.read()
                except urllib.error.HTTPError as error:
                    status, body = error.code, error.read()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = fake_registry.Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}", state


@beside
def a_registry_with_a_wrong_path_for_a_minute_costs_a_minute(t):
    server, url, state = gateway(t.stack.env["REGISTRY_URL"].rstrip("/"))
    try:
        program = t.start(REGISTRY_URL=url)
        wait_for("six partitions assigned", lambda: program.count("partition assigned") >= 6)
        order = t.stack.order("GATEWAY-1")
        t.stack.confirm(order)
        wait_for("it is said at once", lambda: program.says("schema registry trouble"))
        threading.Event().wait(TROUBLE_SECONDS)
        assert state["asked"] >= 2 and not t.receiver.delivered()
        assert not program.says('event="parked"')
        state["lost"] = False
        t.wait_delivered([order])
        assert t.receiver.delivered().count(order) == 1
        assert not program.says('event="parked"')
        assert program.stop() == 0
    finally:
        server.shutdown()


def another_schema_under_the_id_stops_its_partitions(t):
    folder, topic = cases.CASES / "another-schema-under-the-id", f"another-schema-{os.getpid()}"
    server, url = fake_registry.serve(folder / "schemas.json")
    try:
        subprocess.run([str(pathlib.Path(t.tools) / "case_producer"), t.stack.env["KAFKA_BROKERS"],
                        topic, str(folder / "records.ndjson")], check=True)
        done = subprocess.run([str(t.binary), "run", "--until-end", "--timeout", "60s"],
                              env={**os.environ, **t.env(KAFKA_TOPIC=topic, REGISTRY_URL=url,
                                                         KAFKA_START="earliest")},
                              capture_output=True, text=True, timeout=120)
    finally:
        server.shutdown()
    assert done.returncode == 1, done.stderr
    assert 'event="partition stopped"' in done.stderr and "schema 25" in done.stderr, done.stderr
    assert "gid.public.payments" in done.stderr or "shop.public.payments" in done.stderr, done.stderr
    assert 'event=parked' not in done.stderr and 'event="parked"' not in done.stderr, done.stderr
    assert not t.receiver.delivered()


def orders_behind_misfits(t):
    """A folder like a case's: the misfits of four partitions, and behind those of the first of them an
    order of another schema, pending and then confirmed. (folder, the partitions, that first one)"""
    case, good = cases.CASES / "another-schema-under-the-id", cases.CASES / "default"
    records = [json.loads(line) for line in (case / "records.ndjson").read_text().splitlines()]
    first = records[0]["partition"]
    misfits = sum(r["partition"] == first for r in records)
    for line in (good / "records.ndjson").read_text().splitlines():
        record = json.loads(line)
        if record["partition"] == 5 and record["offset"] < 2:
            records.append(record | {"partition": first, "offset": misfits + record["offset"]})
    folder = t.folder / "orders_behind_misfits"
    folder.mkdir()
    (folder / "records.ndjson").write_text("\n".join(map(json.dumps, records)) + "\n")
    (folder / "schemas.json").write_text(json.dumps(
        json.loads((case / "schemas.json").read_text()) | json.loads((good / "schemas.json").read_text())))
    return folder, {r["partition"]: sum(m["partition"] == r["partition"] for m in records)
                    - 2 * (r["partition"] == first) for r in records}, first


def park_lets_a_stopped_partition_go_on(t):
    folder, misfits, first = orders_behind_misfits(t)
    topic, own = f"park-{os.getpid()}", names(t)
    server, url = fake_registry.serve(folder / "schemas.json")
    where = {"KAFKA_TOPIC": topic, "REGISTRY_URL": url, "KAFKA_START": "earliest", **own}
    t.env_always = where

    def lags():
        found = json.loads(command(t, "offsets", "--json")[0])["partitions"]
        return {p["partition"]: p["lag"] for p in found if p["topic"] == topic}

    def park(partition, to):
        return command(t, "park", "--partition", str(partition), "--from", "0", "--to", str(to),
                       "--reason", "written with another schema", "--yes")

    try:
        subprocess.run([str(pathlib.Path(t.tools) / "case_producer"), t.stack.env["KAFKA_BROKERS"],
                        topic, str(folder / "records.ndjson")], check=True)
        program = t.start(OPS_LISTEN="127.0.0.1:0")
        wait_for("each of them stops", lambda: program.count('event="partition stopped"') >= len(misfits))
        status, said = program.ops("/readyz")
        assert status == 503 and "stopped" in said, (status, said)
        out, audit = park(first, misfits[first])
        assert "asked for" in out and "what=park" in audit, (out, audit)
        wait_for("its misfits are parked",
                 lambda: program.count('event="parked"') == misfits[first])
        wait_for("it goes on to its end", lambda: lags()[first] == 0)
        wait_for("its order", lambda: len(t.receiver.delivered()) == 1)
        assert program.says("what=park"), "the member's audit line"
        assert program.ops("/readyz")[0] == 503, "the others are still stopped"
        for partition, count in misfits.items():
            if partition != first:
                park(partition, count)
        wait_for("all is read", lambda: not any(lags().values()))
        wait_for("it is ready", lambda: program.ops("/readyz")[0] == 200)
        assert program.count('event="parked"') == sum(misfits.values())
        assert len(t.receiver.delivered()) == 1
        shown = command(t, "redrive", code=2)[0]
        assert f"{sum(misfits.values())}  undecodable" in shown, shown
        said = command(t, "park", "--partition", str(first), "--from", "0", "--reason", "again", "--yes",
                       code=1)[1]
        assert "already" in said, said
        assert program.stop() == 0
    finally:
        server.shutdown()


TESTS = [another_schema_under_the_id_stops_its_partitions, park_lets_a_stopped_partition_go_on,
         a_registry_with_a_wrong_path_for_a_minute_costs_a_minute]
