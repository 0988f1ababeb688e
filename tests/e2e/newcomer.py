"""A newcomer's way from the example file to the first webhook, and each mistake's message."""
import json, os, pathlib, subprocess

from jsonschema import Draft202012Validator

from harness import HERE, wait_for
from secure_broker import PASSWORD

EXAMPLE = HERE.parent.parent / "docker" / "shop.yaml"
REPORT = Draft202012Validator(json.loads((HERE.parent.parent / "schemas" / "check.schema.json").read_text()))
CASE = HERE.parent / "cases" / "default"


def run(t, *arguments, **env):
    """A command that ends by itself: (exit code, standard output, standard error). env None: unset."""
    everything = {**os.environ, **t.env(**env)}
    done = subprocess.run([str(t.binary), *arguments], capture_output=True, text=True, timeout=120,
                          env={k: v for k, v in everything.items() if v is not None})
    for text in (done.stdout, done.stderr):
        assert "secret-path" not in text and PASSWORD not in text, text
    return done.returncode, done.stdout, done.stderr


def check(t, **env):
    """The exit code and the findings of a check, as {(area, name): "level text"}."""
    code, out, _ = run(t, "check", "--json", **env)
    report = json.loads(out)
    REPORT.validate(report)
    assert report["ok"] == (code == 0), (code, report)
    told = sorted(report["findings"], key=lambda f: f["level"] == "fail")  # a failure counts
    return code, {(f["area"], f["name"]): f"{f['level']} {f['text']}" for f in told}


def expect(t, code, area, name, text, **env):
    got, findings = check(t, **env)
    said = findings.get((area, name), "")
    assert text in said, (text, said, findings)
    assert got == code, (got, findings)


def delivers(t, **env):
    before = len(t.receiver.delivered())
    code, _, err = run(t, "run", "--until-end", "--timeout", "60s", **env)
    assert code == 0 and len(t.receiver.delivered()) > before, (code, err)


def example_to_first_webhook(t):
    """The file of the documentation, filled in from the environment; check, preview, run."""
    only = {"KAFKA_TOPIC": None, "KAFKA_START": None}
    order = t.stack.order("N-1")
    t.stack.confirm(order)
    wait_for("the order is in the topic", lambda: run(
        t, "preview", "--config", str(EXAMPLE), "--until-end", **only)[1].count(order) > 0)
    code, out, err = run(t, "check", "--config", str(EXAMPLE), **only)
    assert code == 0, out + err
    print("\n".join("      " + line for line in out.splitlines()), flush=True)
    program = t.start("run", "--config", str(EXAMPLE))
    wait_for("six partitions assigned", lambda: program.count("partition assigned") >= 6)
    mine = t.stack.order("N-2")
    t.stack.confirm(mine)
    t.wait_delivered([mine])
    wait_for("the first delivery is told", lambda: program.says("first order delivered"))
    code, findings = check(t)
    assert findings["kafka", "kafka.start"].startswith("note not used: the group goes on from")
    assert program.stop() == 0
    assert t.receiver.delivered() == [mine]


def check_sends_and_commits_nothing(t):
    code, findings = check(t)
    assert code == 0, findings
    assert "committed nothing" in findings["kafka", "kafka.start"], findings
    code, findings = check(t)
    assert "committed nothing" in findings["kafka", "kafka.start"], findings
    assert t.receiver.journal() == []


def mistakes_on_the_real_stack(t):
    registry = t.stack.env["REGISTRY_URL"]
    host = registry.split("//")[1].split("/")[0]
    expect(t, 3, "kafka", "brokers", "nothing listens at this address",
           KAFKA_BROKERS="127.0.0.1:1")
    expect(t, 3, "kafka", "brokers", "not a broker at all", KAFKA_BROKERS=host)
    expect(t, 1, "kafka", "topic", 'did you mean "orders.public.orders"?',
           KAFKA_TOPIC="orders.public.ordres")
    expect(t, 1, "registry", "url", f"set registry.url to {registry}",
           REGISTRY_URL=f"http://{host}")
    expect(t, 3, "registry", "url", "does not answer", REGISTRY_URL="http://127.0.0.1:1")
    expect(t, 3, "kafka", "brokers", "has no TLS", KAFKA_PROPERTIES_SECURITY_PROTOCOL="ssl")
    expect(t, 2, "configuration", "webhook.url", "is not a URL such as https://",
           ELEMENTOR_WEBHOOK_URL="shop.example.com/secret-path")
    code, _, err = run(t, "run", "--until-end", "--timeout", "3s", KAFKA_BROKERS="127.0.0.1:1")
    assert code == 3 and "nothing listens at this address" in err, err
    assert not err.startswith("{"), err
    code, _, err = run(t, "run", "--until-end", "--timeout", "3s", "--set", "log.format=json",
                       KAFKA_BROKERS="127.0.0.1:1")
    events = [json.loads(line) for line in err.splitlines()]
    assert code == 3 and events[-1]["event"] == "ended" and events[-1]["exit_code"] == 3, err
    code, _, err = run(t, "offsets", KAFKA_BROKERS="127.0.0.1:1")
    assert code == 3 and "127.0.0.1:1: no broker answers" in err, err
    code, _, err = run(t, "preview", "--until-end", KAFKA_TOPIC="orders.public.ordres")
    assert code == 1 and 'topic "orders.public.ordres" does not exist' in err, err
    code, _, err = run(t, "run", "--set", "webhok.url=x")
    assert code == 2 and 'did you mean "webhook.url"?' in err, err


def json_topic_is_explained(t):
    topic = f"json-{os.getpid()}"
    subprocess.run(["java", "-Xmx128m", "-cp",
                    (pathlib.Path(t.stack.folder) / "jars").read_text().strip() + "/kafka/*",
                    "org.apache.kafka.tools.TopicCommand", "--bootstrap-server",
                    t.stack.env["KAFKA_BROKERS"], "--create", "--topic", topic, "--partitions",
                    "1"], check=True, capture_output=True)
    record = json.dumps({"before": None, "after": {"id": 1, "status": "confirmed"}, "op": "c"})
    subprocess.run(["kcat", "-P", "-b", t.stack.env["KAFKA_BROKERS"], "-t", topic], check=True,
                   input=f"{record}\n{record}\n", text=True)
    expect(t, 1, "records", "form", "the record is JSON, not Avro: set the connector's "
           "key.converter and value.converter to an Avro converter", KAFKA_TOPIC=topic)
    code, out, err = run(t, "preview", "--until-end", "--json", KAFKA_TOPIC=topic)
    assert code == 0 and out.count('"why":"undecodable"') == 2, out
    assert err.count("the record is JSON, not Avro") == 1, err


TESTS = [example_to_first_webhook, check_sends_and_commits_nothing, mistakes_on_the_real_stack,
         json_topic_is_explained]
