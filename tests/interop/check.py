"""What the program says to others, read by other people's libraries.

usage: check.py PROGRAM [PROMTOOL]
  PROGRAM: tests/interop of a build; it runs the pipeline and writes it down
  PROMTOOL: Prometheus' own tool, for docker/prometheus and docker/grafana
"""
import json, os, pathlib, subprocess, sys, tempfile

from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

import dashboard
import docker

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"
KEYS = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk="]
STRANGER = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
PREFIX = "elementor_sync_"


def lines(folder, name):
    records = [json.loads(line) for line in (folder / name).read_text().splitlines()]
    assert records, f"{name} is empty"
    return records


def headers_of(head):
    pairs = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
    names = [name.lower() for name, _ in pairs]
    assert len(set(names)) == len(names), f"a header twice: {names}"
    return {name.lower(): value for name, value in pairs}


def is_refused(key, body, headers):
    try:
        Webhook(key).verify(body, headers)
    except WebhookVerificationError:
        return True
    return False


def signatures(folder):
    """Standard Webhooks' own library takes each request by either key, and nothing that was changed."""
    attempts = {}
    for request in lines(folder, "requests.ndjson"):
        headers, body = headers_of(request["head"]), request["body"]
        for key in KEYS:
            Webhook(key).verify(body, headers)
        assert is_refused(STRANGER, body, headers)
        assert is_refused(KEYS[0], body.replace("Watch", "watch"), headers)
        assert is_refused(KEYS[0], body, headers | {"webhook-id": "msg_other"})
        assert headers["idempotency-key"] == headers["webhook-id"]
        attempts.setdefault(headers["webhook-id"], []).append(int(headers["webhook-attempt"]))
    assert all(a == list(range(1, len(a) + 1)) for a in attempts.values()), attempts
    assert len(attempts) == 30 and sum(len(a) for a in attempts.values()) == 32, attempts


def keeps_to_conventions(families, values):
    """values: the sum of each name's samples, added to."""
    names = [f.name for f in families]
    assert names and len(set(names)) == len(names), "a family twice"
    for family in families:
        assert family.name.startswith((PREFIX, "process_")) and family.documentation, family.name
        assert family.type in ("counter", "gauge", "histogram"), family.type
        for sample in family.samples:
            if family.type == "counter":
                assert sample.name.endswith("_total"), sample.name
            key = sample.name.removeprefix(PREFIX)
            values[key] = values.get(key, 0) + sample.value


def metrics(folder):
    """Prometheus' own parser reads the scrape; names keep to its conventions; nothing is missing."""
    values = {}
    for name in ("metrics.txt", "dashboard.txt"):
        keeps_to_conventions(list(text_string_to_metric_families((folder / name).read_text())), values)
    ends = ["skipped_total", "delivered_total", "parked_total", "abandoned_total", "in_flight"]
    assert values["records_consumed_total"] == sum(values[f"records_{end}"] for end in ends), values
    assert (values["records_delivered_total"], values["records_parked_total"],
            values["records_in_flight"]) == (25, 3, 3), values
    assert values["webhook_duration_seconds_count"] == values["webhook_attempts_total"] - 3
    assert values["webhook_answers_total"] == values["webhook_duration_seconds_count"]
    assert values["records_parked_by_reason_total"] == values["records_parked_total"]
    assert values["records_consumed_total"] == 91
    # of both processes: see metrics_text_test for the values
    assert values["process_resident_memory_bytes"] > 2**20 and values["process_max_fds"] >= values["process_open_fds"] > 6


def records(folder):
    """Every record of the two topics is what its schema says."""
    for schema, name in (("outcome", "outcomes.ndjson"), ("member", "members.ndjson")):
        loaded = json.loads((SCHEMAS / f"{schema}.schema.json").read_text())
        Draft202012Validator.check_schema(loaded)
        validator = Draft202012Validator(loaded)
        for record in lines(folder, name):
            validator.validate(record)
    states = [r["state"] for r in lines(folder, "outcomes.ndjson")]
    assert (states.count("delivered"), states.count("parked")) == (28, 3), states


def main():
    with tempfile.TemporaryDirectory(prefix="interop-") as folder:
        subprocess.run([sys.argv[1]], check=True, env={**os.environ, "INTEROP_DIR": folder},
                       stdout=subprocess.DEVNULL)
        tools = pathlib.Path(sys.argv[1]).resolve().parent
        (pathlib.Path(folder) / "dashboard.txt").write_text(dashboard.metrics(tools.parent / "elementor-sync", tools))
        for check in (signatures, metrics, records, *docker.CHECKS):
            check(pathlib.Path(folder))
            print(f"ok    {check.__name__}: {check.__doc__}")
        if len(sys.argv) > 2:
            docker.promtool(pathlib.Path(folder), sys.argv[2])
            print(f"ok    promtool: {docker.promtool.__doc__}")


main()
