#!/usr/bin/env python3
"""Captures cases from the real stack: runs what CASE/capture.json says, keeps what reached Kafka.

usage: capture.py STACK_DIR CASE...   STACK_DIR: of up.sh; CASE: a folder of tests/cases

capture.json:
  prepare    SQL run before the table is made: types, extensions
  columns    the table's columns; absent: those of docker/init.sql
  setup      SQL run before the connector starts: its rows are the snapshot's
  connector  properties that differ from docker/connector.json; null removes one
  changes    SQL run, one statement a transaction, once the connector follows
  pause      seconds between two of these; 0 when absent
In SQL {t} is the table, in properties {topic} is the topic of its changes.

Writes CASE/records.ndjson and CASE/schemas.json. CASE/why (one line), CASE/options.json (options
that differ from the defaults) and CASE/expected.ndjson are yours to write, by hand.
"""
import base64, json, pathlib, subprocess, sys, time, urllib.error, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
DOCKER = HERE.parent.parent / "docker"
QUIET_SECONDS = 6  # nothing new for so long: it is all there; capture.json's `quiet` goes before it
PATIENCE = 90


def as_json(value):
    """A header's value: text, or {"base64": …} of bytes that are none."""
    data = value.encode("utf-8", "surrogateescape") if value is not None else None
    if data is None or value.isprintable():
        return value
    return {"base64": base64.b64encode(data).decode()}


def schema_ids(record):
    """Of the registry's API: in front of key and value, or in a header. A global id is none."""
    named = {name: base64.b64decode(value["base64"]) for name, value in record["headers"]
             if isinstance(value, dict)}
    for part in ("key", "value"):
        data = base64.b64decode(record[part]) if record[part] is not None else None
        if f"apicurio.{part}.contentId" in named:
            yield int.from_bytes(named[f"apicurio.{part}.contentId"], "big")
        elif data is not None:
            yield int.from_bytes(data[1:5], "big")


class Stack:
    def __init__(self, folder):
        self.folder = folder
        lines = (pathlib.Path(folder) / "env").read_text().replace("export ", "").split()
        self.env = dict(line.split("=", 1) for line in lines)

    def sql(self, text):
        done = subprocess.run(["sh", str(HERE / "psql.sh"), self.folder, text],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{text}: {done.stderr}")
        return done.stdout.strip()

    def connect(self, method, path, body=None):
        request = urllib.request.Request(
            self.env["CONNECT_URL"] + path, method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as e:
            if e.code == 404:
                return None
            sys.exit(f"{method} {path}: {e.code} {e.read().decode()}")

    def schema(self, number):
        url = f"{self.env['REGISTRY_URL']}/schemas/ids/{number}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            got = json.loads(answer.read())
        return {"schema": got["schema"], "references": got.get("references", [])}

    def read(self, topic, *options):
        return subprocess.run(["kcat", "-C", "-q", "-b", self.env["KAFKA_BROKERS"], "-t", topic,
                               "-o", "beginning", "-e", *options], check=True, capture_output=True).stdout

    def headers(self, topic):
        """By place. As JSON: the other form does not separate one from the next. Cut into lines as bytes:
        a value may hold what a text calls a line's end."""
        found = {}
        for line in self.read(topic, "-J").splitlines():
            record = json.loads(line.decode("utf-8", "surrogateescape"))
            pairs = record.get("headers", [])
            found[record["partition"], record["offset"]] = [
                [name, as_json(value)] for name, value in zip(pairs[::2], pairs[1::2])]
        return found

    def records(self, topic):
        """Everything in the topic, as the lines of records.ndjson, by time."""
        if topic not in subprocess.run(["kcat", "-L", "-b", self.env["KAFKA_BROKERS"]], check=True,
                                       capture_output=True, text=True).stdout:
            return []
        raw = self.read(topic, "-f", r"%p %o %T %K %S\n%k%s\n\x01\x02\x03\n")
        headers, found = self.headers(topic), []
        while raw:
            head, raw = raw.split(b"\n", 1)
            partition, offset, timestamp, key_len, value_len = map(int, head.split())
            key, raw = raw[:max(key_len, 0)], raw[max(key_len, 0):]
            value, raw = raw[:max(value_len, 0)], raw[max(value_len, 0) + 1:]
            raw = raw.removeprefix(b"\x01\x02\x03\n")
            found.append({
                "topic": topic, "partition": partition, "offset": offset, "timestamp": timestamp,
                "key": base64.b64encode(key).decode() if key_len >= 0 else None,
                "value": base64.b64encode(value).decode() if value_len >= 0 else None,
                "headers": headers.get((partition, offset), [])})
        return sorted(found, key=lambda r: (r["timestamp"], r["partition"], r["offset"]))


class Capture:
    def __init__(self, stack, folder):
        self.stack, self.folder = stack, pathlib.Path(folder)
        self.plan = json.loads((self.folder / "capture.json").read_text())
        self.name = self.folder.resolve().name.replace("-", "_")
        self.table = f"public.c_{self.name}"
        self.topic = f"{self.name}.public.c_{self.name}"

    def run_sql(self, statements):
        for text in statements:
            self.stack.sql(text.replace("{t}", self.table))

    def make_table(self):
        columns = self.plan.get("columns")
        what = ", ".join(columns) if columns else "LIKE orders INCLUDING ALL"
        self.run_sql([*self.plan.get("prepare", []), f"CREATE TABLE {{t}} ({what})", "ALTER TABLE {t} REPLICA IDENTITY FULL",
                      *self.plan.get("setup", []), "GRANT SELECT ON {t} TO debezium",
                      f"CREATE PUBLICATION p_{self.name} FOR TABLE {{t}}"])

    def config(self):
        config = json.loads((DOCKER / "connector.json").read_text())["config"]
        config |= {"slot.name": f"s_{self.name}", "publication.name": f"p_{self.name}",
                   "topic.prefix": self.name, "table.include.list": self.table}
        config |= self.plan.get("connector", {})
        return {k: v.replace("{topic}", self.topic) for k, v in config.items() if v is not None}

    def revive(self):
        """With the stack's converter a task fails once on each ALTER TABLE."""
        status = self.stack.connect("GET", f"/connectors/{self.name}/status") or {}
        states = [t["state"] for t in status.get("tasks", [])]
        if "FAILED" in states:
            print(f"{self.name}: the task is restarted", flush=True)
            self.stack.connect("POST", f"/connectors/{self.name}/restart"
                                       "?includeTasks=true&onlyFailed=true")
        return "RUNNING" in states

    def follows(self):
        slot = f"SELECT active FROM pg_replication_slots WHERE slot_name = 's_{self.name}'"
        snapshot_only = self.plan.get("connector", {}).get("snapshot.mode") == "initial_only"
        return self.revive() and (snapshot_only or self.stack.sql(slot) == "t")

    def wait_quiet(self):
        """Until records stop coming; the last change may be far behind the one before it."""
        quiet = self.plan.get("quiet", QUIET_SECONDS)
        deadline, seen, since = time.monotonic() + PATIENCE, [], time.monotonic()
        while time.monotonic() < deadline:
            self.revive()
            now = self.stack.records(self.topic)
            if len(now) != len(seen):
                seen, since = now, time.monotonic()
            elif seen and time.monotonic() - since > quiet:
                return seen
            time.sleep(0.5)
        sys.exit(f"{self.name}: still {len(seen)} records, no quiet within {PATIENCE} s")

    def write(self, records):
        ids = {number for r in records for number in schema_ids(r)}
        schemas = {str(i): self.stack.schema(i) for i in sorted(ids)}
        (self.folder / "schemas.json").write_text(json.dumps(schemas, indent=1) + "\n")
        (self.folder / "records.ndjson").write_text(
            "".join(json.dumps(r) + "\n" for r in records))

    def run(self):
        self.make_table()
        self.stack.connect("POST", "/connectors", {"name": self.name, "config": self.config()})
        deadline = time.monotonic() + PATIENCE
        while not self.follows():
            if time.monotonic() > deadline:
                sys.exit(f"{self.name}: the connector does not start")
            time.sleep(0.5)
        for change in self.plan.get("changes", []):
            self.run_sql([change])
            time.sleep(self.plan.get("pause", 0))
        records = self.wait_quiet()
        self.write(records)
        self.stack.connect("DELETE", f"/connectors/{self.name}")
        time.sleep(2)  # the slot is let go
        self.stack.sql(f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                       f"WHERE slot_name = 's_{self.name}' AND NOT active")
        return f"{self.name}: {len(records)} records"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    stack = Stack(sys.argv[1])
    for folder in sys.argv[2:]:  # one by one: the registry's database takes one writer
        print(Capture(stack, folder).run(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
