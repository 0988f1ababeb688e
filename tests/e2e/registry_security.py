"""A registry that asks who is there: logins by TLS, each wrong setting and its words."""
import base64, contextlib, pathlib, subprocess

from newcomer import CASE, delivers, expect
from secure_broker import PASSWORD, Certificates
import fake_registry


@contextlib.contextmanager
def registry(certificates, authorization):
    """By TLS, with a certificate of the first authority."""
    server, url = fake_registry.serve(CASE / "schemas.json", certificates.folder / "broker.chain", authorization)
    try:
        yield {"REGISTRY_URL": url, "REGISTRY_CA_FILE": str(certificates.folder / "ca.pem")}
    finally:
        server.shutdown()


def registry_logins_and_tls(t):
    """Basic and bearer: with the right one orders are delivered; what is wrong is said by check."""
    certificates = Certificates(t.folder)
    topic = f"{t.group}.orders"
    subprocess.run([str(pathlib.Path(t.tools) / "case_producer"), t.stack.env["KAFKA_BROKERS"], topic,
                    str(CASE / "records.ndjson")], check=True)
    (t.folder / "token").write_text("a-token\n")
    basic = {"REGISTRY_USER": "shop", "REGISTRY_PASSWORD": PASSWORD}
    code = base64.b64encode(f"shop:{PASSWORD}".encode()).decode()
    ways = {"basic": (basic, f"Basic {code}", {**basic, "REGISTRY_PASSWORD": "wrong"}),
            "bearer": ({"REGISTRY_TOKEN_FILE": str(t.folder / "token")}, "Bearer a-token", {"REGISTRY_TOKEN": "wrong"})}
    refused = "refuses the login (status 401): check registry.user and registry.password, or registry.token"
    for name, (right, authorization, wrong) in ways.items():
        with registry(certificates, authorization) as at:
            own = {"KAFKA_TOPIC": topic, "KAFKA_START": "earliest", "KAFKA_GROUP": f"{t.group}.{name}", **at}
            delivers(t, **own, **right)
            expect(t, 1, "registry", "url", refused, **own, **wrong)
            if name == "basic":
                expect(t, 1, "registry", "url", refused, **own)


TESTS = [registry_logins_and_tls]
