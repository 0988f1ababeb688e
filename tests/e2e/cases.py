"""Forms of a change event: preview agrees with every case of tests/cases, through a real broker and
over HTTP to a registry; what only a running member shows."""
import json, os, pathlib, subprocess

from harness import HERE, beside, wait_for
import fake_registry

CASES = HERE.parent / "cases"


def options_of(folder):
    path = folder / "options.json"
    options = json.loads(path.read_text()) if path.exists() else {}
    if "payload.template" in options:
        options["payload.template"] = str(folder / options["payload.template"])
    return [word for name, value in options.items() for word in ("--set", f"{name}={value}")]


def preview(t, folder):
    topic = f"{folder.name}-{os.getpid()}"
    server, url = fake_registry.serve(folder / "schemas.json")
    try:
        subprocess.run([str(pathlib.Path(t.tools) / "case_producer"), t.stack.env["KAFKA_BROKERS"],
                        topic, str(folder / "records.ndjson")], check=True)
        done = subprocess.run([str(t.binary), "preview", "--from", "beginning", "--until-end", "--json",
                               *options_of(folder)],
                              env={**os.environ, **t.env(KAFKA_TOPIC=topic, REGISTRY_URL=url)},
                              capture_output=True, text=True, timeout=120)
    finally:
        server.shutdown()
    return done


def place(record):
    return record["partition"], record["offset"]


def same(got, want):
    return all(got.get(name) == want.get(name) for name in ("verdict", "why", "body"))


def agrees_with(folder):
    def test(t):
        done = preview(t, folder)
        lines = (folder / "expected.ndjson").read_text().splitlines()
        expected = {place(r): r for r in map(json.loads, lines)}
        stop = next((r["why"] for r in expected.values() if r["verdict"] == "stop"), None)
        if stop is not None:
            assert done.returncode != 0 and stop in done.stderr.replace('\\"', '"'), done.stderr
            return
        assert done.returncode == 0, done.stderr
        got = {place(r): r for r in map(json.loads, done.stdout.splitlines())}
        assert got.keys() == expected.keys(), (len(got), len(expected))
        for at, want in expected.items():
            assert any(same(got[at], right) for right in (want, want.get("or")) if right), (got[at], want)
        sent = {r["body"] for r in got.values() if r["verdict"] == "deliver"}
        assert sent == {r["body"] for r in expected.values() if r["verdict"] == "deliver"}, sent

    test.__name__ = "preview_agrees_with_" + folder.name.replace("-", "_")
    return beside(test)


def a_key_change_is_no_new_order(t):
    program = t.started()
    order = t.stack.order("K-1")
    t.stack.confirm(order)
    t.wait_delivered([order])
    t.stack.sql(f"UPDATE orders SET id = gen_random_uuid() WHERE id = '{order}'")
    wait_for("the key change is said", lambda: program.says("order id changed"))
    last = t.stack.order("K-2")
    t.stack.confirm(last)
    t.wait_delivered([last])
    assert t.receiver.delivered() == [order, last], t.receiver.delivered()
    assert program.stop() == 0


KINDS_OF_DEFAULTS = """
    ALTER total_amount SET DEFAULT 0, ALTER quantity SET DEFAULT 1, ALTER client_city SET DEFAULT 'pick-up',
    ADD d_numeric numeric DEFAULT 0, ADD d_text text DEFAULT 'none', ADD d_stamp timestamptz DEFAULT now(),
    ADD d_local timestamp DEFAULT '2020-01-01', ADD d_bool boolean DEFAULT false,
    ADD d_enum e2e_kind DEFAULT 'retail'"""
WITHOUT_DEFAULTS = """
    ALTER total_amount DROP DEFAULT, ALTER quantity DROP DEFAULT, ALTER client_city DROP DEFAULT,
    DROP d_numeric, DROP d_text, DROP d_stamp, DROP d_local, DROP d_bool, DROP d_enum"""


def defaults_of_columns_fail_no_schema(t):
    """The converter's bytes for a numeric's DEFAULT 0 hold a NUL. The columns are added while the
    connector runs: with its cache of schemas, which goes by a schema's name, it would end there."""
    program = t.started()
    before = t.stack.order("D-0")
    t.stack.confirm(before)
    t.wait_delivered([before])
    t.stack.sql("CREATE TYPE e2e_kind AS ENUM ('retail', 'wholesale')")
    try:
        t.stack.sql("ALTER TABLE orders " + KINDS_OF_DEFAULTS)
        order = t.stack.order("D-1")
        t.stack.confirm(order)
        t.wait_delivered([before, order])
        fields = json.loads(t.receiver.journal()[-1]["body"])["fields"]
        assert (fields["quantity"], fields["total_amount"]) == (2, 2501.00), fields
        assert not program.says("partition stopped"), "stopped"
    finally:
        t.stack.sql("ALTER TABLE orders " + WITHOUT_DEFAULTS)
        t.stack.sql("DROP TYPE e2e_kind")
    assert program.stop() == 0


TESTS = [defaults_of_columns_fail_no_schema, a_key_change_is_no_new_order] + [agrees_with(folder) for folder in sorted(CASES.iterdir()) if folder.is_dir()]
