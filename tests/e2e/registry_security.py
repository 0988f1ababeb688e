"""A registry that asks who is there: logins by TLS, each wrong setting and its words."""
import base64, contextlib, pathlib, shutil, subprocess

from harness import wait_for
from newcomer import CASE, delivers, expect
from secure_broker import PASSWORD, Certificates
import fake_registry


@contextlib.contextmanager
def registry(certificates, authorization=None, clients=None):
    """By TLS, with a certificate of the first authority."""
    server, url = fake_registry.serve(CASE / "schemas.json", certificates.folder / "broker.chain", authorization, clients)
    try:
        yield {"REGISTRY_URL": url, "REGISTRY_CA_FILE": str(certificates.folder / "ca.pem")}
    finally:
        server.shutdown()


def case_in_topic(t):
    """The case's records in a topic of the test's own: settings to read it by."""
    topic = f"{t.group}.orders"
    subprocess.run([str(pathlib.Path(t.tools) / "case_producer"), t.stack.env["KAFKA_BROKERS"], topic,
                    str(CASE / "records.ndjson")], check=True)
    return {"KAFKA_TOPIC": topic, "KAFKA_START": "earliest"}


def registry_logins_and_tls(t):
    """Basic and bearer: with the right one orders are delivered; what is wrong is said by check."""
    certificates = Certificates(t.folder)
    orders = case_in_topic(t)
    (t.folder / "token").write_text("a-token\n")
    basic = {"REGISTRY_USER": "shop", "REGISTRY_PASSWORD": PASSWORD}
    code = base64.b64encode(f"shop:{PASSWORD}".encode()).decode()
    ways = {"basic": (basic, f"Basic {code}", {**basic, "REGISTRY_PASSWORD": "wrong"}),
            "bearer": ({"REGISTRY_TOKEN_FILE": str(t.folder / "token")}, "Bearer a-token", {"REGISTRY_TOKEN": "wrong"})}
    refused = "refuses the login (status 401): check registry.user and registry.password, or registry.token"
    for name, (right, authorization, wrong) in ways.items():
        with registry(certificates, authorization) as at:
            own = {**orders, "KAFKA_GROUP": f"{t.group}.{name}", **at}
            delivers(t, **own, **right)
            expect(t, 1, "registry", "url", refused, **own, **wrong)
            if name == "basic":
                expect(t, 1, "registry", "url", refused, **own)


def registry_client_certificate(t):
    """With one of the authority that the registry trusts orders are delivered; what is wrong is said by check. (In TLS 1.3
    the connection's end may overtake the alert: then the words are those of what may have been the cause.)"""
    certificates = Certificates(t.folder)

    def shown(name, key=None):
        return {"REGISTRY_CERT_FILE": str(t.folder / f"{name}.pem"), "REGISTRY_KEY_FILE": str(t.folder / f"{key or name}.key")}

    with registry(certificates, clients=certificates.folder / "ca.pem") as at:
        own = {**case_in_topic(t), **at}
        delivers(t, **own, **shown("shop"))
        expect(t, 3, "registry", "url", "a client certificate (cert_file, key_file)", **own)
        for name in ("late", "stranger"):
            expect(t, 3, "registry", "url", "our client certificate", **own, **shown(name))
        expect(t, 2, "registry", "url", "registry.key_file: ", **own, **shown("shop", "run"))
        renewed_while_it_runs(t, {**own, **shown("current"), "KAFKA_GROUP": f"{t.group}.renewed"})


def renewed_while_it_runs(t, env):
    def use(name):
        for ending in ("key", "pem"):
            shutil.copyfile(t.folder / f"{name}.{ending}", t.folder / f"current.{ending}")

    use("late")
    before = len(t.receiver.delivered())
    program = t.start(**env)
    wait_for("the old one is refused", lambda: program.says("our client certificate"))
    assert len(t.receiver.delivered()) == before
    use("shop")
    wait_for("orders are delivered by the new one", lambda: len(t.receiver.delivered()) > before)
    assert program.stop() == 0


TESTS = [registry_logins_and_tls, registry_client_certificate]
