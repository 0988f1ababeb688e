"""The configuration's JSON Schema says what the program does, and reports are what theirs says.

usage: configuration.py PROGRAM

Python's jsonschema judges a file by schemas/config.schema.json, the program judges the same file by
`check --offline --json`. Every option is tried, in both ways to write its name.
"""
import concurrent.futures, itertools, json, os, pathlib, re, subprocess, sys, tempfile

from jsonschema import Draft202012Validator
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The variables that the examples take from the environment.
FILLED = {"KAFKA_BROKERS": "kafka:9092", "REGISTRY_URL": "http://registry:8081"}


def validator(name):
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


CONFIG, REPORT = validator("config"), validator("check")


class Program:
    def __init__(self, path, folder):
        self.path, self.folder, self.numbers = path, folder, itertools.count()

    def reads(self, text, **environment):
        """True when the program can read the file, whatever it then says of it. Each report is looked at."""
        file = self.folder / f"{next(self.numbers)}.yaml"
        file.touch(0o600)
        file.write_text(text)
        done = subprocess.run([self.path, "check", "--offline", "--json", "--config", str(file)], capture_output=True,
                              text=True, timeout=60, env={"PATH": os.environ["PATH"], **environment})
        if done.stdout == "":
            assert done.returncode == 2 and done.stderr.startswith("elementor-sync: "), (text, done)
            return False
        report = json.loads(done.stdout)
        REPORT.validate(report)
        reached = {(finding["area"], finding["name"]) for finding in report["findings"]
                   if finding["area"] not in ("configuration", "webhook")}
        assert reached <= {("kafka", "librdkafka")}, reached  # --offline reaches nothing
        told = [finding["level"] for finding in report["findings"]]
        assert (report["failures"], report["warnings"]) == (told.count("fail"), told.count("warn")), report
        assert report["ok"] == (done.returncode == 0) == (report["failures"] == 0), (done.returncode, report)
        return True


def instances(text):
    """As an editor reads the file, with numbers and booleans, and as the program does: text alone."""
    return [yaml.load(text, loader) or {} for loader in (yaml.SafeLoader, yaml.BaseLoader)]


def errors(text):
    return [error for instance in instances(text) for error in CONFIG.iter_errors(instance)]


# ---- files that are good ----

def examples():
    """Every configuration that the repository shows."""
    for file in (ROOT / "docker").rglob("shop.yaml"):
        yield str(file.relative_to(ROOT)), file.read_text()
    for page in ("README.md", "consumer/README.md"):
        for block in re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text(), re.S):
            yield page, block


def options():
    """(name, definition) of the table's own."""
    for name, definition in CONFIG.schema["$defs"].items():
        if "." in name and not name.endswith(".*"):
            yield name, definition


def forms(definition):
    return definition.get("anyOf", [definition])


def limits(definition):
    """The words or the numbers that an option takes: the first and the last."""
    for form in forms(definition):
        if "enum" in form:
            yield from form["enum"]
        elif "minimum" in form:
            yield from (form["minimum"], form["maximum"])


def whole(values, nested):
    """A file of these options, as mappings or with dots in its names."""
    tree = {}
    for name, value in values.items():
        place, last = tree, name
        while nested and "." in last:
            first, last = last.split(".", 1)
            place = place.setdefault(first, {})
        place[last] = value
    return yaml.safe_dump(tree, allow_unicode=True)


# A value of each option that has no default; these refer to files, or need each other.
TEXTS = {"payload.time_zone": "Africa/Algiers", "rule.placeholder": "hex:6162"}
APART = {"payload.template", "payload.shape"}
OPEN = {"kafka.properties.client.id": "", "kafka.properties.ssl.ca.location": "/ca.pem",
        "kafka.properties.socket.keepalive.enable": True, "webhook.headers.X-Api-Key": "k",
        "registry.headers.X-Registry-GroupId": 7, "trace.headers.Authorization": "Bearer t"}


def full_files():
    """Every option at once: at its default, at its least and at its most."""
    for pick in (0, -1):
        values = dict(OPEN)
        for name, definition in options():
            found = list(limits(definition))
            if name not in APART:
                values[name] = found[pick] if found else TEXTS.get(name, definition.get("default", "1s" if any(
                    form.get("$ref") == "#/$defs/duration" for form in forms(definition)) else "text"))
        for nested in (False, True):
            yield f"every option, {pick}, {'nested' if nested else 'dotted'}", whole(values, nested)
    yield "filled in", whole({name: f"${{VALUE:-{next(limits(definition))}}}" for name, definition in options()
                              if kind(definition) == "number"}, True)


# ---- files that are bad ----

BAD_OF = {"switch": ["yes please", 1, None, [True]], "choice": ["nothing of that", -7, None, {"a": "b"}],
          "number": ["many", -1, 10**18, 1.5, None, [1], "5 "], "duration": [5, "5", "5 s", "-5s", "1w", None, ["5s"]],
          "text": [None, ["a"], {"x": "y"}, "", "a\nb"]}
BAD_NAMES = ["kafka: {broker: a}", "Kafka.brokers: a", "kafka.brokers.x: a", "kafka: 5", "kafka:", "- kafka.brokers: a",
             "payload.fields.nonsense: a", "payload: {labels: {nonsense: a}}", "webhook.headers.a.b: c",
             "webhook: {headers: {'a b': c}}", "kafka.properties: {a: [b]}", "kafka.properties: x", "nonsense: {a: b}",
             "kafka: {properties: {a: }}", "registry: {headers: {a: ''}}"]


def kind(definition):
    for form in forms(definition):
        if "enum" in form:
            return "switch" if True in form["enum"] and "true" in form["enum"] else "choice"
        if "minimum" in form:
            return "number"
        if form.get("$ref") == "#/$defs/duration":
            return "duration"
    return "text"


def bad_files():
    """Each option with one bad value, in turn; each kind of option with every bad value."""
    seen = {}
    for name, definition in options():
        bad = BAD_OF[kind(definition)]
        turn = seen.setdefault(kind(definition), itertools.count())
        number = next(turn)
        for value in bad if number == 0 else [bad[number % len(bad)]]:
            yield whole({name: value}, number % 2 == 0)
    yield from BAD_NAMES


# The schema cannot tell these, and says so.
PROGRAM_ALONE = ["webhook.timeout: 1d", "webhook.response_max: 1GiB", "webhook.concurrency: '5000'",
                 "kafka.brokers: a:1\nkafka: {brokers: b:1}", "kafka.properties.group.id: mine",
                 "webhook.headers.Host: x", "payload.template: none.json", "payload.time_zone: Nowhere/City"]


# ---- the comparison ----

def main(path):
    with tempfile.TemporaryDirectory(prefix="configuration-") as folder:
        program, wrong = Program(path, pathlib.Path(folder)), []
        good = [*examples(), *full_files()]
        bad = list(bad_files())
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            read = list(pool.map(lambda text: program.reads(text, **FILLED),
                                 [text for _, text in good] + bad + PROGRAM_ALONE))
        for (where, text), is_read in zip(good, read):
            wrong += [f"{where}: {error.json_path}: {error.message}" for error in errors(text)]
            wrong += [] if is_read else [f"{where}: the program does not read it"]
        for text, is_read in zip(bad, read[len(good):]):
            wrong += [f"the program reads it: {text!r}"] if is_read else []
            wrong += [] if next(CONFIG.iter_errors(instances(text)[0]), None) else [f"the schema takes it: {text!r}"]
        for text, is_read in zip(PROGRAM_ALONE, read[len(good) + len(bad):]):
            wrong += [f"the program reads it: {text!r}"] if is_read else []
            wrong += [f"the schema can tell by now; say so: {text!r}"] if errors(text) else []
    assert len(good) > 7 and len(bad) > 120, (len(good), len(bad))
    print("\n".join(wrong) or f"{len(good)} good files and {len(bad)} bad ones: the schema and the program agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
