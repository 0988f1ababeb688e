"""A broker that asks who is there: TLS, client certificates, passwords and tokens, each wrong setting and its words, and the
least rights that consumer/doc/security.md lists.

Debian 12's librdkafka (2.0.2) can neither log in to Kafka 4 by SCRAM nor fetch tokens: what it says is tested, and that the
program can with the librdkafka that comes with Confluent's package for Python."""
import atexit, concurrent.futures, importlib.util, json, pathlib, re, shlex, subprocess

from dashboard import Dashboard
from harness import TESTS as FOLDER
from newcomer import CASE, check, delivers, expect, run
from secure_broker import PASSWORD, SecureBroker
from token_issuer import CLIENT, SECRET, SUBJECT
import fake_registry

PAGE = FOLDER.parent / "consumer" / "doc" / "security.md"
TOPIC = "orders.public.orders"
GROUP = "elementor-sync." + TOPIC
brokers = []


def secure_broker(t):
    """One for all tests of this file: it ends with the process."""
    if not brokers:
        brokers.append(SecureBroker(t.stack, t.folder))
        atexit.register(brokers[0].stop)
        subprocess.run([str(pathlib.Path(t.tools) / "case_producer"), brokers[0].at("admin"), TOPIC,
                        str(CASE / "records.ndjson")], check=True)
    return brokers[0]


def properties(**values):
    return {"KAFKA_PROPERTIES_" + name.upper(): str(value) for name, value in values.items()}


def settings(broker, listener, **values):
    return {"KAFKA_BROKERS": broker.at(listener), "KAFKA_TOPIC": TOPIC, "KAFKA_GROUP": GROUP,
            "KAFKA_START": "earliest", **properties(**values)}


def login(broker, listener="secure", mechanism="PLAIN", user="shop", password=PASSWORD, **more):
    tls = {"ssl_ca_location": broker.ca} if listener == "secure" else {}
    return settings(broker, listener, sasl_mechanism=mechanism, sasl_username=user,
                    security_protocol="sasl_ssl" if listener == "secure" else "sasl_plaintext",
                    sasl_password=password, **tls, **more)


def certified(broker, user):
    return settings(broker, "mutual", security_protocol="ssl", ssl_ca_location=broker.ca,
                    ssl_certificate_location=broker.folder / f"{user}.pem",
                    ssl_key_location=broker.folder / f"{user}.key")


def token(broker, endpoint, secret=SECRET):
    """Fetched by librdkafka: OpenID Connect's way, as far as a program without a user goes it."""
    return settings(broker, "token", security_protocol="sasl_ssl", ssl_ca_location=broker.ca, sasl_mechanism="OAUTHBEARER",
                    sasl_oauthbearer_method="oidc", sasl_oauthbearer_client_id=CLIENT,
                    sasl_oauthbearer_client_secret=secret, sasl_oauthbearer_token_endpoint_url=endpoint)


def unsigned_token(broker):
    return settings(broker, "unsigned", security_protocol="sasl_plaintext", sasl_mechanism="OAUTHBEARER",
                    enable_sasl_oauthbearer_unsecure_jwt="true", sasl_oauthbearer_config=f"principal={SUBJECT}")


def newer_library(t):
    """The program with the librdkafka of Confluent's package for Python, which has libcurl."""
    package = pathlib.Path(importlib.util.find_spec("confluent_kafka").origin).parent
    library, = package.with_name("confluent_kafka.libs").glob("librdkafka-*.so.1")
    folder = t.folder / "library"
    folder.mkdir(exist_ok=True)
    (folder / "librdkafka.so.1").unlink(missing_ok=True)
    (folder / "librdkafka.so.1").symlink_to(library)
    return {"LD_LIBRARY_PATH": str(folder)}


def library_version(t):
    _, out, _ = run(t, "--version")
    return tuple(int(part) for part in re.search(r"librdkafka +(\d+)\.(\d+)\.(\d+)", out).groups())


def with_registry(test):
    """The test with a registry of its own."""
    def registered(t):
        server, url = fake_registry.serve(CASE / "schemas.json")
        t.env_always |= {"REGISTRY_URL": url, "WEBHOOK_ALLOW_HTTP": "true"}
        try:
            test(t, secure_broker(t))
        finally:
            server.shutdown()
    registered.__name__ = test.__name__
    return registered


@with_registry
def certificates_and_passwords_deliver(t, broker):
    """Consumer, producer and admin calls: run reads, sends, makes its topics, writes and commits."""
    kinds = {"tls": settings(broker, "tls", security_protocol="ssl", ssl_ca_location=broker.ca),
             "mutual": certified(broker, "shop"), "plain": login(broker), "unsigned": unsigned_token(broker)}
    for name, kind in kinds.items():
        kind = {**kind, "KAFKA_GROUP": f"{t.group}.{name}"}
        delivers(t, **kind)
        code, out, err = run(t, "offsets", "--json", **kind)
        assert code == 0 and committed_whole(out), (name, out, err)


def committed_whole(out):
    lags = [p["lag"] for p in json.loads(out)["partitions"] if p["topic"] == TOPIC]
    return bool(lags) and set(lags) == {0}


@with_registry
def scram_logs_in(t, broker):
    """Of librdkafka 2.6.1 and newer; an older one says that it is why."""
    newer = newer_library(t)
    kinds = {bits: login(broker, mechanism=f"SCRAM-SHA-{bits}") for bits in (256, 512)}
    for bits, kind in kinds.items():
        delivers(t, **{**kind, **newer, "KAFKA_GROUP": f"{t.group}.{bits}"})
    refused = [({**kind, **newer, **properties(sasl_password="wrong")},
                "refuses this login: check kafka.properties.sasl.username") for kind in kinds.values()]
    if library_version(t) < (2, 6, 1):
        refused += [(kind, "cannot log in to Kafka 4 by SCRAM") for kind in kinds.values()]
    else:
        delivers(t, **{**kinds[512], "KAFKA_GROUP": f"{t.group}.system"})
    wrong_settings_are_named(t, refused)


@with_registry
def tokens_log_in(t, broker):
    """Of a librdkafka with libcurl; one without says so."""
    newer = newer_library(t)
    right = token(broker, broker.issuer.token)
    delivers(t, **{**right, **newer, "KAFKA_GROUP": t.group})
    code, findings = check(t, **right)
    assert code == 0 or "not supported in this build" in findings["kafka", "client"], findings
    wrong_settings_are_named(t, [
        ({**token(broker, broker.issuer.forged), **newer}, "the broker refuses this token"),
        ({**token(broker, broker.issuer.token, secret="wrong"), **newer}, "no token was given"),
        ({**token(broker, "http://127.0.0.1:1/token"), **newer}, "no token was given")])


def wrong_settings_are_named(t, wrong):
    """By check and by run. wrong: settings, and a part of what is said of them."""
    def said(case):
        env, words = case
        expect(t, 3, "kafka", "brokers", words, **env)
        code, _, err = run(t, "run", "--until-end", "--timeout", "8s", **env)
        assert code == 3 and words in err, (code, words, err)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:  # each waits for most of its time
        list(pool.map(said, wrong))


@with_registry
def wrong_security_settings_have_words(t, broker):
    tls = {"security_protocol": "ssl", "ssl_ca_location": broker.ca}
    late, stranger = ({"ssl_certificate_location": broker.folder / f"{name}.pem",
                       "ssl_key_location": broker.folder / f"{name}.key"} for name in ("late", "stranger"))
    other_ca = {**tls, "ssl_ca_location": broker.folder / "other-ca.pem"}
    login_words = "check kafka.properties.sasl.username, .sasl.password"
    wrong_settings_are_named(t, [
        (login(broker, password="wrong"), login_words),
        (login(broker, "login", mechanism="SCRAM-SHA-256"),
         "kafka.properties.sasl.mechanism to one that the broker"),
        (settings(broker, "login"), "this listener wants a login"),
        (settings(broker, "tls"), "looks like a TLS listener"),
        (settings(broker, "admin", **tls), "this listener has no TLS"),
        (settings(broker, "tls", **other_ca), "kafka.properties.ssl.ca.location"),
        (settings(broker, "misnamed", **tls), "is for another name"),
        (settings(broker, "expired", **tls), "has expired: renew it"),
        (settings(broker, "mutual", **tls), "wants a client certificate"),
        (settings(broker, "mutual", **tls, **late), "does not take this client certificate"),
        (settings(broker, "mutual", **tls, **stranger), "does not take this client certificate"),
    ])


@with_registry
def wrong_files_have_words(t, broker):
    """Each file that is missing, is no PEM, or does not fit; with a locked key the passphrase is asked for."""
    folder = broker.folder
    broker.certificates.openssl("pkey", "-in", "shop.key", "-aes256", "-passout", f"pass:{PASSWORD}", "-out", "locked.key")
    right = certified(broker, "shop")
    locked = {**right, **properties(ssl_key_location=folder / "locked.key")}
    delivers(t, **{**locked, **properties(ssl_key_password=PASSWORD), "KAFKA_GROUP": t.group})
    no_pem = folder / "properties"
    wrong = [
        ({"ssl_ca_location": folder / "none"}, "ssl.ca.location cannot be read"),
        ({"ssl_ca_location": no_pem}, "ssl.ca.location holds no certificate in PEM"),
        ({"ssl_certificate_location": folder / "none"}, "ssl.certificate.location cannot be read"),
        ({"ssl_certificate_location": no_pem}, "ssl.certificate.location holds no certificate in PEM"),
        ({"ssl_key_location": folder / "none"}, "ssl.key.location cannot be read"),
        ({"ssl_key_location": folder / "run.key"}, "is not the key of the certificate"),
        ({"ssl_key_location": folder / "locked.key"}, "whose passphrase is not kafka.properties.ssl.key.password"),
        ({"ssl_key_location": folder / "locked.key", "ssl_key_password": "wrong"}, "whose passphrase is not"),
    ]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda case: expect(t, 2, "kafka", "client", case[1], **{**right, **properties(**case[0])}), wrong))
    values, words = wrong[0]
    code, _, err = run(t, "run", **{**right, **properties(**values)})
    assert code == 2 and words in err, (code, words, err)


@with_registry
def settings_that_contradict_are_refused(t, broker):
    for half, words in (("certificate", "ssl.certificate.location is set without kafka.properties.ssl.key.location"),
                        ("key", "ssl.key.location is set without kafka.properties.ssl.certificate.location")):
        alone = settings(broker, "mutual", security_protocol="ssl", **{f"ssl_{half}_location": broker.folder / "shop.pem"})
        expect(t, 2, "configuration", "contradiction", words, **alone)
    nothing = settings(broker, "secure", security_protocol="sasl_ssl", ssl_ca_location=broker.ca,
                       sasl_mechanism="OAUTHBEARER")
    expect(t, 2, "configuration", "contradiction", "needs a source of tokens", **nothing)


def documented_rights():
    """(who, the arguments of kafka-acls) of the page's commands."""
    commands = re.findall(r"^    kafka-acls (.*)$", PAGE.read_text(), re.MULTILINE)
    found = []
    for command in commands:
        words = shlex.split(command)
        assert words[:2] == ["--bootstrap-server", "$BROKERS"], command
        assert words[2:5] == ["--command-config", "admin.properties", "--add"], command
        found.append((words[words.index("--allow-principal") + 1].removeprefix("User:"), words[4:]))
    assert {who for who, _ in found} == {"run", "dashboard", "operator"}, found
    return found


@with_registry
def least_rights_are_enough(t, broker):
    """Exactly the page's rights; without one of them an error says which is missing."""
    rights = documented_rights()
    broker.acls([words for _, words in rights])
    as_run = login(broker, user="run")
    before = len(t.receiver.delivered())
    code, _, err = run(t, "run", "--until-end", "--timeout", "60s", **as_run)
    assert code == 0 and len(t.receiver.delivered()) > before, err
    assert "authorization failed" not in err, err
    code, out, err = run(t, "check", **as_run)
    assert code == 0 and "authorization" not in out, out + err

    dashboard = Dashboard(t, "dashboard", **login(broker, user="dashboard")).caught_up()
    for word in ("pause", "resume"):
        code, said = dashboard.call("POST", f"/api/v1/{word}", {"reason": "a test"})
        assert code == 200, said
    assert not dashboard.program.says("authorization failed"), dashboard.program.log.read_text()
    assert dashboard.program.stop() == 0

    operator = login(broker, user="operator")
    for command in (["offsets"], ["redrive", "--yes"], ["retry", "--order", "nobody"],
                    ["replay", "--from", "2000-01-01T00:00:00Z", "--yes"],
                    ["preview", "--from", "beginning", "--limit", "1"],
                    ["dismiss", "--order", "nobody", "--reason", "a test"],
                    ["pause", "--reason", "a test"], ["resume"]):
        _, out, err = run(t, *command, **operator)
        assert "uthorization" not in out + err and "may not" not in out + err, (command, out, err)
    one_right_is_missing(t, broker, rights, as_run)


def one_right_is_missing(t, broker, rights, as_run):
    """Each of run's rights is taken away once, and given back."""
    def of(kind, name):
        return next(words for who, words in rights
                    if who == "run" and kind in words and words[words.index(kind) + 1] == name)

    for kind, name in (("--topic", TOPIC), ("--group", GROUP), ("--topic", GROUP + ".")):
        words = of(kind, name)
        broker.acls([["--remove", "--force", *words[1:]]])
        code, out, err = run(t, "check", **as_run)
        said = " ".join(out.split())
        assert code == 1 and "authorization failed" in said and name.rstrip(".") in said, out + err
        broker.acls([words])
    broker.acls([["--remove", "--force", *of("--topic", TOPIC)[1:]]])
    code, _, err = run(t, "run", "--until-end", "--timeout", "5s", **as_run)
    assert code == 1 and f'topic "{TOPIC}" may not be read' in err and "the ACL Read" in err, err
    broker.acls([of("--topic", TOPIC)])


TESTS = [certificates_and_passwords_deliver, scram_logs_in, tokens_log_in, wrong_security_settings_have_words,
         wrong_files_have_words, settings_that_contradict_are_refused, least_rights_are_enough]
