"""docker/: what a compose file, alerts and a dashboard say is true of the program, as far as that shows
without a container engine. Checks that check.py runs; each takes the folder of what the pipeline wrote."""
import contextlib, datetime, json, os, pathlib, re, shutil, sqlite3, subprocess, sys, urllib.request

from compose_spec import PyCompose
from prometheus_client.parser import text_string_to_metric_families
from standardwebhooks.webhooks import Webhook
import yaml

import dashboard

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "stack"))
from ports import free_ports
ROOT = HERE.parents[1]
DOCKER = ROOT / "docker"
BOARD = DOCKER / "grafana" / "dashboards" / "elementor-sync.json"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BY_PROMETHEUS = {"job", "instance"}
BY_ITSELF = {"webhook_url", "signing_key"}  # secrets that are not drawn as the others are
SECRET = re.compile("PASSWORD|SECRET|TOKEN|WEBHOOK_URL")


def compose():
    """As the engine would see it: variables filled in."""
    text = (DOCKER / "compose.yaml").read_text().replace("${WEBHOOK_ALLOW_HTTP:-false}", "false")
    return yaml.safe_load(re.sub(r"\$\{SECRETS_GID:\?[^}]*\}", "65534", text).replace("$$", "$"))


def option_variables():
    page = (ROOT / "consumer" / "OPTIONS.md").read_text()
    return set(re.findall(r"^\| `[a-z0-9._]+` \| `([A-Z0-9_]+)` \|", page, re.M))


def is_ready_once_up(name, service, services):
    """A service says when it is ready, or it ends and others wait for that end."""
    if "healthcheck" in service:
        return True
    return any(other.get("depends_on", {}).get(name) == {"condition": "service_completed_successfully"}
               for other in services.values())


def containers(_):
    """docker/compose.yaml keeps to the specification; each part waits for what it needs to be ready."""
    model = compose()
    PyCompose.from_json(json.dumps(model)).validate()
    for name, service in model["services"].items():
        assert is_ready_once_up(name, service, model["services"]), f"{name} never says that it is ready"
        for needed, how in service.get("depends_on", {}).items():
            ends = "healthcheck" not in model["services"][needed]
            assert how["condition"] == ("service_completed_successfully" if ends
                                        else "service_healthy"), (name, needed)
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is open to the network: {port}"
    for config in model["configs"].values():
        assert (DOCKER / config["file"]).is_file(), config
    for mounted in re.findall(r"^ +- (\./[^:]+):", (DOCKER / "compose.yaml").read_text(), re.M):
        assert (DOCKER / mounted).is_dir(), mounted


def makes_them(folder, names):
    """docker/secrets.sh takes an https URL, or none and means the receiver, and keeps what there is."""
    def run(url):
        return subprocess.run(["sh", str(folder / "secrets.sh")], input=url, text=True,
                              capture_output=True).returncode

    shutil.copy(DOCKER / "secrets.sh", folder)
    assert run("http://shop.example.com/x\n") == 2 and not (folder / "secrets" / "webhook_url").exists()
    assert run("\n") == 0 and (folder / "secrets" / "webhook_url").read_text() == "http://receiver:8090/"
    assert (folder / ".env").read_text().endswith("\nCOMPOSE_PROFILES=receiver\nWEBHOOK_ALLOW_HTTP=true\n")
    (folder / "secrets" / "webhook_url").unlink()
    assert run("https://shop.example.com/x\n") == 0 and run("https://other.example.com/\n") == 0
    kept = {path.name: path for path in (folder / "secrets").iterdir()}
    assert set(kept) == names, kept
    assert kept["webhook_url"].read_text() == "https://shop.example.com/x"
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", kept["signing_key"].read_text())
    assert all(len(path.read_text()) == 64 for name, path in kept.items() if name not in BY_ITSELF)
    assert all(path.stat().st_mode & 0o777 == 0o440 for path in kept.values())
    assert (folder / ".env").read_text() == f"SECRETS_GID={kept['webhook_url'].stat().st_gid}\n"


def secrets(folder):
    """Secrets are files that the repository ignores and docker/secrets.sh makes, never values."""
    model = compose()
    made = set(re.findall(r"\w+", re.search("for name in (.*); do",
                                            (DOCKER / "secrets.sh").read_text())[1])) | BY_ITSELF
    assert made == set(model["secrets"]), made ^ set(model["secrets"])
    for name, secret in model["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}, secret
    assert "/docker/secrets/" in (ROOT / ".gitignore").read_text()
    makes_them(pathlib.Path(folder), made)
    for name, service in model["services"].items():
        for variable, value in service.get("environment", {}).items():
            assert not SECRET.search(variable) or (
                variable.endswith("_FILE") and value.removeprefix("/run/secrets/")
                in service["secrets"]), f"{name}: {variable}"


def receiver(folder):
    """The receiver of the compose file starts by its own command, takes an order that is signed, and keeps it."""
    service, place = compose()["services"]["receiver"], pathlib.Path(folder)
    [port] = free_ports(1)
    (place / "signing_key").write_text(KEY)
    moved = {"/run/secrets": str(place), "/receiver.py": str(DOCKER / "receivers" / "receiver.py"),
             "/orders/": f"{place}/", "0.0.0.0": "127.0.0.1", "8090": str(port)}

    def here(text):
        for there, local in moved.items():
            text = str(text).replace(there, local)
        return text

    env = {"PATH": os.environ["PATH"]} | {name: here(value) for name, value in service["environment"].items()}
    with dashboard.Process([here(word) for word in service["entrypoint"]], env=env) as process:
        probe = [here(word) for word in service["healthcheck"]["test"]][1:]

        def is_healthy():
            assert process.child.poll() is None, "".join(process.log)
            return subprocess.run(probe, capture_output=True).returncode == 0

        dashboard.await_true("its health check passes", is_healthy)
        body, now = json.dumps({"fields": {"order_id": "6e1f"}}), datetime.datetime.now(datetime.timezone.utc)
        signature = Webhook(KEY).sign("msg_1", now, body)
        answer = urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/", body.encode(), {
            "webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}), timeout=60)
        assert json.load(answer) == {"ok": True, "duplicate": False}
    with contextlib.closing(sqlite3.connect(place / "orders.db")) as db:
        assert db.execute("SELECT body FROM orders").fetchall() == [(body,)]


def options(_):
    """The compose file and docker/connector.json take only known variables from the environment."""
    model, known = compose(), option_variables() | {"ELEMENTOR_WEBHOOK_URL"}
    for name in ("elementor-sync", "dashboard"):
        for variable in model["services"][name]["environment"]:
            assert variable.removesuffix("_FILE") in known, f"{name}: {variable}"
    wanted = set(re.findall(r"\$\{env:(\w+)\}", (DOCKER / "connector.json").read_text()))
    connect = model["services"]["connect"]
    assert wanted - set(connect["environment"]) == {"DEBEZIUM_PASSWORD"}, wanted
    assert any("DEBEZIUM_PASSWORD=" in word for word in connect["entrypoint"])


def stages(_):
    """docker/Dockerfile copies only what is there and what .dockerignore lets through."""
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    dockerfile = (DOCKER / "Dockerfile").read_text()
    names = re.findall(r"^FROM \S+ AS (\w+)", dockerfile, re.M)
    for source in re.findall(r"^COPY (?!--from)(\S+)", dockerfile, re.M):
        assert (ROOT / source).exists() and {source, source.split("/")[0]} & let_through, source
    for stage in re.findall(r"^COPY --from=(\w+)", dockerfile, re.M):
        assert stage in names, stage


def scrapes(_):
    """Prometheus asks the services that the compose file has, at their ports, and may see the dashboard's metrics."""
    model = compose()["services"]
    for job in yaml.safe_load((DOCKER / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]:
        [found] = job["dns_sd_configs"]
        [service] = found["names"]
        listens = [value for name, value in model[service]["environment"].items() if name.endswith("_LISTEN")]
        assert job["job_name"].removesuffix("-dashboard") == "elementor-sync" and listens == [f"0.0.0.0:{found['port']}"], job
        if service == "dashboard":
            key = job["authorization"]["credentials_file"]
            assert model[service]["environment"]["AUTH_SERVICE_KEYS_FILE"] == key
            assert key.removeprefix("/run/secrets/") in model["prometheus"]["secrets"] and "group_add" in model["prometheus"]


def queries():
    for group in yaml.safe_load((DOCKER / "prometheus" / "rules.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for panel in json.loads(BOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")


def scraped(folder):
    """The labels that each name in the scrapes of a member and of the dashboard comes with."""
    labels = {}
    texts = [(folder / name).read_text() for name in ("metrics.txt", "dashboard.txt")]
    for family in text_string_to_metric_families("".join(texts)):
        for sample in family.samples:
            for label, value in sample.labels.items():
                labels.setdefault(sample.name, {}).setdefault(label, set()).add(value)
            labels.setdefault(sample.name, {})
    return labels


def names_in_queries(folder):
    """Each alert and each panel asks for metrics and labels that the program really has."""
    known = scraped(folder)
    for where, query in queries():
        names = re.findall(r"\b(elementor_sync_\w+)", query)
        assert names or "up{" in query, (where, query)
        for name in names:
            assert name in known, f"{where}: the program has no metric {name}"
        for name, label, value in re.findall(r'\b(elementor_sync_\w+)\{(\w+)="(\w+)"\}', query):
            assert value in known[name].get(label, ()), f"{where}: {name} has no {label}={value}"
        for label in re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", query))):
            assert label in BY_PROMETHEUS or label in known[names[0]], f"{where}: {label}"


def promtool(folder, program):
    """Prometheus' own tool takes the configuration, the alerts and every panel's query; each alert comes
    when it should, and not before."""
    for number, (_, query) in enumerate(queries()):
        rule = {"record": f"q{number}", "expr": query}
        (folder / f"{number}.yml").write_text(
            yaml.safe_dump({"groups": [{"name": "one", "rules": [rule]}]}))
    for words in (["check", "config", "--syntax-only", str(DOCKER / "prometheus" / "prometheus.yml")],
                  ["check", "rules", *map(str, folder.glob("[0-9]*.yml"))],
                  ["test", "rules", str(HERE / "rules_test.yml")]):
        done = subprocess.run([program, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


CHECKS = [containers, secrets, receiver, options, stages, scrapes, names_in_queries]
