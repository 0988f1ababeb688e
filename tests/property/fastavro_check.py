#!/usr/bin/env python3
"""The plan against fastavro: random values of the cases' real schemas and of random ones.

usage: fastavro_check.py PLAN_DUMP [COUNT [SEED]]   needs fastavro

Writes a corpus by fastavro, has plan_dump read it, and compares what it captured with what fastavro
reads. The same seed makes the same corpus.
"""
import io, json, pathlib, random, subprocess, sys

import fastavro, fastavro.read

fastavro.read.LOGICAL_READERS.clear()  # raw values: annotations are compared by our own rules

CASES = pathlib.Path(__file__).resolve().parent.parent / "cases"
FIELDS = ["id", "order_number", "client_name", "client_phone", "client_address", "client_city",
          "product_name", "quantity", "unit_price", "total_amount", "status", "confirmed_at"]
TICKS = {"io.debezium.time.Timestamp": 3, "org.apache.kafka.connect.data.Timestamp": 3,
         "io.debezium.time.MicroTimestamp": 6, "io.debezium.time.NanoTimestamp": 9}
LOGICAL = {"timestamp-millis": 3, "timestamp-micros": 6}
DECIMAL = "org.apache.kafka.connect.data.Decimal"


def without_logical(node):
    """fastavro would not write raw bytes for a decimal; Connect's own annotations stay."""
    if isinstance(node, list):
        return [without_logical(n) for n in node]
    if isinstance(node, dict):
        return {k: without_logical(v) for k, v in node.items() if k != "logicalType"}
    return node


def named_types(node, names, space=""):
    if isinstance(node, list):
        for n in node:
            named_types(n, names, space)
    elif isinstance(node, dict):
        if node["type"] in ("record", "enum", "fixed"):
            full = node["name"] if "." in node["name"] else \
                f'{node.get("namespace", space)}.{node["name"]}'
            names[full] = names[full.rsplit(".", 1)[-1]] = node
            for f in node.get("fields", []):
                named_types(f["type"], names, full.rpartition(".")[0])
        elif isinstance(node["type"], (list, dict)):
            named_types(node["type"], names, space)
        for inner in ("items", "values"):
            if inner in node:
                named_types(node[inner], names, space)


class Maker:
    """Random values of a schema."""

    def __init__(self, rng, names):
        self.rng, self.names = rng, names

    def text(self):
        return "".join(self.rng.choice("aé😀\"\\\n 0") for _ in range(self.rng.randrange(12)))

    def data(self):
        return self.rng.randbytes(self.rng.randrange(12))

    def whole(self, bits):
        return self.rng.randrange(-(1 << self.rng.randrange(bits)), 1 << self.rng.randrange(bits))

    def value(self, t, depth=0):
        if isinstance(t, str) and t in self.names:
            t = self.names[t]
        if isinstance(t, list):
            branch = t[0] if depth > 12 and "null" in t else self.rng.choice(t)
            return self.value(branch, depth + 1)
        kind = t if isinstance(t, str) else t["type"]
        if isinstance(kind, (list, dict)):
            return self.value(kind, depth)
        make = {"null": lambda: None, "boolean": lambda: self.rng.random() < .5,
                "int": lambda: self.whole(31), "long": lambda: self.whole(63),
                "float": lambda: float(self.rng.randrange(1 << 24)) / 8,
                "double": lambda: self.rng.random() * 10 ** self.rng.randrange(-9, 20),
                "bytes": self.data, "string": self.text}
        if kind in make:
            return make[kind]()
        if kind == "record":
            return {f["name"]: self.value(f["type"], depth + 1) for f in t["fields"]}
        if kind == "enum":
            return self.rng.choice(t["symbols"])
        if kind == "fixed":
            return self.rng.randbytes(t["size"])
        count = self.rng.randrange(3) if depth < 8 else 0
        if kind == "array":
            return [self.value(t["items"], depth + 1) for _ in range(count)]
        return {self.text(): self.value(t["values"], depth + 1) for _ in range(count)}


def case_schemas():
    for folder in sorted(f for f in CASES.iterdir() if f.is_dir() and f.name != "other-columns"):
        for entry in json.loads((folder / "schemas.json").read_text()).values():
            schema = without_logical(json.loads(entry["schema"]))
            if isinstance(schema, list):  # a union at the top: its record
                schema = next(branch for branch in schema if isinstance(branch, dict))
            names = {f["name"] for f in schema["fields"]}
            if {"op", "after"} <= names or {"id", "status"} <= names and "order_number" in names:
                yield schema


def random_schema(rng):
    types = ["string", "int", "long", "float", "double", "bytes", "boolean", "null"]
    types += [["null", t] for t in types[:-1]] + [[t, "null"] for t in types[:-1]]
    types += [{"type": "bytes", "connect.name": DECIMAL, "scale": s} for s in (0, 3, -2)]
    types += [{"type": "long", "connect.name": n} for n in TICKS]
    types += [["null", "string", {"type": "array", "items": "long"}, "double"],
              {"type": "array", "items": ["null", "string"]}, {"type": "map", "values": "double"}]
    columns = ["id", "status"] + rng.sample([f for f in FIELDS if f not in ("id", "status")], 6)
    columns += [f"other{i}" for i in range(rng.randrange(6))]
    rng.shuffle(columns)
    row = {"type": "record", "name": "Row", "namespace": "shop", "fields": [
        {"name": c, "type": rng.choice(["string", ["null", "string"]])
         if c in ("id", "status") else rng.choice(types)} for c in columns]}
    if rng.random() < .4:
        return row
    source = {"type": "record", "name": "Source", "namespace": "shop", "fields": [
        {"name": "ts_ms", "type": "long"}, {"name": "lsn", "type": ["null", "long"]}]}
    return {"type": "record", "name": "Envelope", "namespace": "shop", "fields": [
        {"name": "before", "type": ["null", row]}, {"name": "after", "type": ["null", "Row"]},
        {"name": "source", "type": source}, {"name": "op", "type": "string"}]}


def branch_of(t, value, names):
    """The type that a value was read by; unions here never hold two that look alike."""
    if isinstance(t, str) and t in names:
        t = names[t]
    if isinstance(t, list):
        fits = {type(None): ["null"], bool: ["boolean"], int: ["int", "long"], str: ["string", "enum"],
                float: ["float", "double"], bytes: ["bytes", "fixed"], list: ["array"],
                dict: ["record", "map"]}[type(value)]
        resolved = [names.get(b, b) if isinstance(b, str) else b for b in t]
        return next(b for b in resolved if (b if isinstance(b, str) else b["type"]) in fits)
    return branch_of(t["type"], value, names) \
        if isinstance(t, dict) and isinstance(t["type"], (list, dict)) else t


def ticks_of(t):
    name = t.get("connect.name", "") if isinstance(t, dict) else ""
    if name in TICKS:
        return TICKS[name]
    return 255 if name.startswith(("io.debezium.time.", "org.apache.kafka.connect.data.")) else 0


def show(t, value, names):
    """As plan_dump shows a column."""
    t = branch_of(t, value, names)
    kind = t if isinstance(t, str) else t["type"]
    if value is None:
        return "null"
    if kind in ("string", "enum"):
        return f"text {value.encode().hex()}"
    if kind in ("int", "long"):
        return f"int {value} {ticks_of(t)}"
    if kind in ("float", "double"):
        return f"{kind} {value:.17g}"
    if kind == "boolean":
        return f"boolean {int(value)}"
    if kind == "bytes" and isinstance(t, dict) and t.get("connect.name") == DECIMAL:
        return f"decimal {int(t['scale'])} {value.hex()}"
    if kind == "record" and set(value) == {"scale", "value"}:
        return f"decimal {value['scale']} {value['value'].hex()}"
    return "other"


def expected(schema, value, names):
    types = {f["name"]: f["type"] for f in schema["fields"]}
    envelope = {"op", "after"} <= types.keys()
    row, row_type, meta = value, schema, {}
    if envelope:
        row, row_type = value["after"], branch_of(types["after"], {}, names)
        source = branch_of(types["source"], value["source"], names)
        source_types = {f["name"]: f["type"] for f in source["fields"]}
        meta = {"-op": (types["op"], value["op"]),
                "-lsn": (source_types["lsn"], value["source"]["lsn"]),
                "-event": (source_types["ts_ms"], value["source"]["ts_ms"])}
        if value["before"] is not None:
            before = {f["name"]: f["type"] for f in row_type["fields"]}
            meta["-before"] = (before["status"], value["before"]["status"])
    else:
        for key, name in (("-op", "__op"), ("-lsn", "__lsn"), ("-event", "__source_ts_ms")):
            if name in types:
                meta[key] = (types[name], value[name])
    columns = {f["name"]: f["type"] for f in row_type["fields"]} if row is not None else {}
    out = {f: show(columns[f], row[f], names) if f in columns else "absent" for f in FIELDS}
    out["-status"] = out["status"]
    for key in ("-op", "-lsn", "-event", "-before"):
        out[key] = show(*meta[key], names) if key in meta else "absent"
    return out


def corpus(count, seed):
    rng = random.Random(seed)
    real = list(case_schemas())
    for i in range(count):
        schema = real[i % len(real)] if i % 2 else random_schema(rng)
        names = {}
        named_types(schema, names)
        value = Maker(rng, names).value(schema)
        parsed = fastavro.parse_schema(json.loads(json.dumps(schema)))
        body = io.BytesIO()
        fastavro.schemaless_writer(body, parsed, value)
        body.seek(0)
        read = fastavro.schemaless_reader(body, parsed)
        yield schema, body.getvalue(), expected(schema, read, names)


def main():
    tool = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    records = list(corpus(count, seed))
    lines = "".join(json.dumps({"schema": json.dumps(s), "body": b.hex()}) + "\n"
                    for s, b, _ in records)
    done = subprocess.run([tool], input=lines, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    got = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(got) == len(records), (len(got), len(records))
    for i, (have, (schema, body, want)) in enumerate(zip(got, records)):
        assert have == want, f"record {i} of seed {seed}:\n{json.dumps(schema)}\n{body.hex()}\n" \
            + "\n".join(f"{k}: {have.get(k)} not {want[k]}" for k in want if have.get(k) != want[k])
    columns = sum(v != "absent" for _, _, want in records for v in want.values())
    print(f"{count} records, {columns} columns as fastavro reads them (seed {seed})")


if __name__ == "__main__":
    main()
