"""docker/compose.yaml without containers: each of its commands and health checks that this machine can run, with the files,
variables and secrets that it gives them, on the real stack.

Not run here: Prometheus and Grafana (promtool and the metrics' names are looked at by tests/interop/docker.py), and what the
images of others do at their own start with their variables.
"""
import contextlib, json, os, pathlib, re, shutil, sqlite3, subprocess, sys, urllib.error, urllib.request

import yaml

from harness import TESTS, ask, beside, wait_for

sys.path.append(str(TESTS / "stack"))
from ports import free_ports  # noqa: E402

DOCKER = TESTS.parent / "docker"
NOT_HERE = {"prometheus", "grafana"}


class Compose:
    """The file as an engine reads it; hosts, ports and places are those of this machine."""

    def __init__(self, t):
        self.t, self.folder = t, t.folder
        self.secrets = self.folder / "secrets"
        self.make_secrets()
        ports = dict(zip(("ops", "page", "receiver"), free_ports(3)))
        stack = t.stack.env
        registry = stack["REGISTRY_URL"].split("/apis")[0].split("//")[1]
        self.moved = {
            "kafka:9092": stack["KAFKA_BROKERS"], "/opt/kafka/bin": str(self.folder),
            "http://registry:8080": f"http://{registry}", "/dev/tcp/127.0.0.1/8080": "/dev/tcp/" + registry.replace(":", "/"),
            "http://connect:8083": stack["CONNECT_URL"], "http://127.0.0.1:8083": stack["CONNECT_URL"],
            "http://receiver:8090": f"http://127.0.0.1:{ports['receiver']}", "8090": str(ports["receiver"]),
            "0.0.0.0": "127.0.0.1", ":9464": f":{ports['ops']}", ":8080": f":{ports['page']}",
            " shop ": f" {stack['PG_DATABASE']} ",
            "/run/secrets": str(self.secrets), "/tmp/": f"{self.folder}/", "/view/": f"{self.folder}/view-",
            "/orders/orders.db": f"{self.folder}/orders.db"}
        model = self.read()
        for name, file in model["configs"].items():
            for service in model["services"].values():
                for mounted in service.get("configs", []):
                    if mounted["source"] == name:
                        self.moved[mounted["target"]] = str((DOCKER / file["file"]).resolve())
        url = self.secrets / "webhook_url"
        url.chmod(0o640)
        url.write_text(self.here(url.read_text()))
        self.services, self.ports = model["services"], ports
        self.kafka_topics()

    def make_secrets(self):
        shutil.copy(DOCKER / "secrets.sh", self.folder)
        subprocess.run(["sh", str(self.folder / "secrets.sh")], input="\n", text=True, check=True, capture_output=True)
        lines = (self.folder / ".env").read_text().split()
        self.variables = dict(line.split("=", 1) for line in lines)

    def read(self):
        variable = re.compile(r"\$\{(\w+)(?::[-?][^}]*)?\}")
        text = variable.sub(lambda found: self.variables[found[1]], (DOCKER / "compose.yaml").read_text())
        return yaml.safe_load(text.replace("$$", "$"))

    def kafka_topics(self):
        """Kafka's own tool from its jars, where its image has it."""
        jars = pathlib.Path(self.t.stack.folder, "jars").read_text().strip()
        script = self.folder / "kafka-topics.sh"
        script.write_text(f'#!/bin/sh\nexec java -Xmx128m -XX:TieredStopAtLevel=1 -cp "{jars}/kafka/*" '
                          'org.apache.kafka.tools.TopicCommand "$@"\n')
        script.chmod(0o755)

    def here(self, text):
        """Once, by the longest name first: what was put in is not looked at again."""
        names = sorted(self.moved, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, names)), lambda found: self.moved[found[0]], str(text))

    def env(self, name):
        shared = {key: value for key, value in os.environ.items()
                  if key.endswith("SAN_OPTIONS") or key in ("PATH", "HOME", "TESTS_RUN_MARKS")}
        shared |= {key: value for key, value in self.t.stack.env.items() if key.startswith("PG")}
        given = {key: self.here(value) for key, value in self.services[name].get("environment", {}).items()}
        # A group of the test's own: the stack is not this pipeline's alone.
        return shared | given | {"KAFKA_GROUP": self.t.group}

    def words(self, words):
        return [str(self.t.binary) if word == "elementor-sync" else self.here(word) for word in words]

    def command(self, name, *instead):
        service = self.services[name]
        entry = service.get("entrypoint", ["elementor-sync"] if "build" in service else [])
        return self.words([*entry, *(instead or service.get("command", []))])

    def run(self, name, *instead):
        """A service that ends by itself; what it said."""
        done = subprocess.run(self.command(name, *instead), env=self.env(name), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{name}: {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    @contextlib.contextmanager
    def up(self, name):
        path = self.folder / f"{name}.log"
        with open(path, "wb") as log:
            process = subprocess.Popen(self.command(name), env=self.env(name), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            def is_healthy():
                assert process.poll() is None, path.read_text()[-3000:]
                return self.is_healthy(name)
            wait_for(f"{name} is healthy", is_healthy)
            yield
            process.terminate()
            code = process.wait(60)
            assert code == (0 if "build" in self.services[name] else -15), (name, code, path.read_text()[-3000:])
        finally:
            process.kill()
            process.wait()

    def is_healthy(self, name):
        probe = self.services[name]["healthcheck"]["test"]
        words = ["sh", "-c", self.here(probe)] if isinstance(probe, str) else self.words(probe[1:])
        done = subprocess.run(words, env=self.env(name), capture_output=True, text=True, timeout=60)
        self.said = done.stdout + done.stderr
        return done.returncode == 0


@beside
def compose_services_run_without_containers(t):
    compose = Compose(t)
    of_the_stack = {"postgres", "kafka", "registry", "connect"}
    ours = {"receiver", "elementor-sync", "dashboard"}
    assert of_the_stack | ours | {"topics", "connector"} | NOT_HERE == set(compose.services), set(compose.services)
    for name in sorted(of_the_stack):
        assert compose.is_healthy(name), f"{name}: {compose.said}"
    compose.run("topics")
    compose.run("connector")
    with compose.up("receiver"), compose.up("elementor-sync"), compose.up("dashboard"):
        order = t.stack.order("COMPOSE-1")
        t.stack.confirm(order)
        database = f"file:{compose.here('/orders/orders.db')}?mode=ro"

        def bodies():
            with contextlib.closing(sqlite3.connect(database, uri=True)) as kept:
                return [json.loads(row[0])["fields"]["order_id"] for row in kept.execute("SELECT body FROM orders")]
        wait_for("the receiver keeps the order", lambda: order in bodies())
        token = compose.run("dashboard", "token", "--subject", "me").strip()
        page = f"http://127.0.0.1:{compose.ports['page']}"

        def state():
            request = urllib.request.Request(f"{page}/api/v1/orders/{order}", headers={"Authorization": f"Bearer {token}"})
            with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["state"]
        wait_for("the dashboard shows it", lambda: state() == "delivered")
        with contextlib.closing(sqlite3.connect(database, uri=True)) as kept:
            assert kept.execute("SELECT count(*) FROM orders").fetchone() == (1,)
    assert ask("GET", t.stack.env["CONNECT_URL"] + "/connectors/orders/status")["connector"]["state"] == "RUNNING"


TESTS = [compose_services_run_without_containers]
