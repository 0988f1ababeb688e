"""The program's output, read by other projects' libraries.

usage: check.py PROGRAM [PROMTOOL]
  PROGRAM: tests/interop of a build; it runs the pipeline and writes it down
  PROMTOOL: Prometheus' own tool, for docker/prometheus and docker/grafana
"""
import base64, collections, hashlib, json, os, pathlib, subprocess, sys, tempfile

from google.protobuf import json_format
from jsonschema import Draft202012Validator
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
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


def hex_ids(value):
    """OTLP's JSON has the ids in hex, where proto3's JSON, which json_format reads, has base64."""
    if isinstance(value, list):
        return [hex_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: base64.b64encode(bytes.fromhex(one)).decode() if name in ("traceId", "spanId", "parentSpanId")
            else hex_ids(one) for name, one in value.items()}


def exported(folder):
    """The spans by their ids, as the definitions of OpenTelemetry read them."""
    spans = {}
    for line in lines(folder, "traces.ndjson"):
        assert headers_of(line["head"])["content-type"] == "application/json", line["head"]
        request = json_format.ParseDict(hex_ids(json.loads(line["body"])), ExportTraceServiceRequest())
        for of_resource in request.resource_spans:
            who = {a.key: a.value.string_value for a in of_resource.resource.attributes}
            assert who.pop("service.name") == "elementor-sync", who
            assert all(who.values()) and set(who) == {"service.version", "service.instance.id"}, who
            for span in (span for scope in of_resource.scope_spans for span in scope.spans):
                assert len(span.trace_id) == 16 and len(span.span_id) == 8 and span.span_id.hex() not in spans, span
                assert span.start_time_unix_nano <= span.end_time_unix_nano, span
                spans[span.span_id.hex()] = span
    return spans


def attributes_of(span):
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}


def traces(folder):
    """OpenTelemetry's own definitions read the spans; each request's traceparent names the one of its attempt."""
    spans, given = exported(folder), ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    outcomes, parents = collections.Counter(), collections.Counter()
    for request in lines(folder, "requests.ndjson"):
        headers = headers_of(request["head"])
        version, trace, own, flags = headers["traceparent"].split("-")
        span = spans.pop(own)
        parent, says = spans[span.parent_span_id.hex()], attributes_of(span)
        assert (version, flags, span.kind, parent.kind) == ("00", "01", Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_CONSUMER)
        assert span.trace_id.hex() == parent.trace_id.hex() == trace, span
        if trace != given[0]:
            digest = hashlib.sha256(headers["webhook-id"].encode()).digest()
            assert trace == (digest[:15] + bytes([digest[15] | 1])).hex()
        assert says["elementor_sync.webhook_id"] == headers["webhook-id"], says
        assert attributes_of(parent)["elementor_sync.webhook_id"] == headers["webhook-id"], parent
        assert says["elementor_sync.attempt"] == int(headers["webhook-attempt"])
        assert (span.status.code == Status.STATUS_CODE_ERROR) == (says["http.response.status_code"] >= 300), span
    for span in spans.values():  # the deliveries', and the record's that nobody can read: it belongs to no trace
        outcomes[attributes_of(span)["elementor_sync.outcome"]] += 1
        parents[(span.trace_id.hex(), span.parent_span_id.hex()) == given] += 1
        assert span.name == "deliver " + attributes_of(span)["messaging.destination.name"], span.name
    assert outcomes == {"delivered": 28, "parked": 2} and parents == {True: 2, False: 28}, (outcomes, parents)
    text = (folder / "traces.ndjson").read_text()
    assert not any(secret in text for secret in ("/hook", "Amina", "CMD-1")), "personal data or the secret path"


def main():
    with tempfile.TemporaryDirectory(prefix="interop-") as folder:
        subprocess.run([sys.argv[1]], check=True, env={**os.environ, "INTEROP_DIR": folder},
                       stdout=subprocess.DEVNULL)
        tools = pathlib.Path(sys.argv[1]).resolve().parent
        (pathlib.Path(folder) / "dashboard.txt").write_text(dashboard.metrics(tools.parent / "elementor-sync", tools))
        for check in (signatures, metrics, records, traces, *docker.CHECKS):
            check(pathlib.Path(folder))
            print(f"ok    {check.__name__}: {check.__doc__}")
        if len(sys.argv) > 2:
            docker.promtool(pathlib.Path(folder), sys.argv[2])
            print(f"ok    promtool: {docker.promtool.__doc__}")


main()
