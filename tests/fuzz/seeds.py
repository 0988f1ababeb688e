#!/usr/bin/env python3
"""Writes the fuzz targets' seeds from tests/cases, and what they once found.   seeds.py FOLDER"""
import base64, json, pathlib, shutil, struct, sys

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE.parent / "cases"


def number(value):
    zigzag, out = (value << 1) ^ (value >> 63), b""
    while zigzag >= 0x80:
        out, zigzag = out + bytes([zigzag & 0x7f | 0x80]), zigzag >> 7
    return out + bytes([zigzag])


def blob(data):
    return number(len(data)) + data


def any_branch(value):
    """One column of payload_fuzz's rows: a union whose branches are, in this order, null, string,
    long, double, decimal, float, boolean, VariableScaleDecimal, int."""
    if value is None:
        return number(0)
    if isinstance(value, str):
        return number(1) + blob(value.encode())
    if isinstance(value, bool):
        return number(6) + bytes([value])
    if isinstance(value, int):
        return number(2) + number(value)
    if isinstance(value, float):
        return number(3) + struct.pack("<d", value)
    if isinstance(value, bytes):
        return number(4) + blob(value)
    scale, unscaled = value
    return number(7) + number(scale) + blob(unscaled)


def row(values, status, at):
    return b"".join(map(any_branch, values)) + number(1) + blob(status) + at


def payload_seeds():
    texts = ["1", "CMD-1", "Amina \"Él\" \\ ☃ 😀", "\x00\x01\x1f", "", None, "P"]
    rows = [texts + [2, "1250.50", b"\x04\xd2"], texts + ["2.00", 0.1, (3, b"\x01\x02")],
            [12, b"\x07", 1.5, (-2, b"\x7f"), True, 7, "x", 1, "1e3", -1],
            ["__debezium_unavailable_value"] + texts[1:] + ["3", 0, "NaN"]]
    times = [number(0), number(1) + blob(b"2026-11-22T09:15:30.5+01:00"), number(2) + number(10**15)]
    for options in range(4):
        for op in b"curd":
            for values in rows:
                for at in times:
                    before = number(1) + row(values, b"pending", at) if op == ord("u") else number(0)
                    after = number(1) + row(values, b"confirmed", at) if op != ord("d") else number(0)
                    yield bytes([options]) + before + after + number(1) + number(3) + number(1) + \
                        number(4) + blob(bytes([op]))


def split(record):
    """A case's value: its schema's id, and its Avro."""
    value, headers = base64.b64decode(record["value"]), dict(record["headers"])
    named = headers.get("apicurio.value.contentId")
    if named is not None:
        return int.from_bytes(base64.b64decode(named["base64"]), "big"), value
    return int.from_bytes(value[1:5], "big"), value[5:]


def case_seeds():
    schemas, plans = set(), set()
    for folder in sorted(CASES.iterdir()):
        if not folder.is_dir():
            continue
        known = json.loads((folder / "schemas.json").read_text())
        for line in (folder / "records.ndjson").read_text().splitlines():
            record = json.loads(line)
            if record["value"] is None:
                continue
            number, body = split(record)
            schema = known[str(number)]["schema"].encode()
            schemas.add(schema)
            plans.add(schema + b"\0" + body)
    return schemas, plans


def reference_seeds():
    row = {"type": "record", "name": "Value", "namespace": "shop", "fields": [
        {"name": "id", "type": "string"}, {"name": "status", "type": "shop.Status"},
        {"name": "total_amount", "type": ["null", "Money"]}]}
    envelope = {"type": "record", "name": "Envelope", "fields": [
        {"name": "before", "type": ["null", "shop.Value"]},
        {"name": "after", "type": ["null", "shop.Value"]}, {"name": "op", "type": "string"}]}
    status = {"type": "enum", "name": "shop.Status", "symbols": ["pending", "confirmed"]}
    money = {"type": "fixed", "name": "Money", "namespace": "shop", "size": 8,
             "logicalType": "decimal", "scale": 2}
    yield b"\0".join(json.dumps(s).encode() for s in (envelope, row, status, money))
    yield b"\0".join(json.dumps(s).encode() for s in (row, status, money))


def wire_seeds():
    """use_id, four headers, value, as wire_fuzz reads them."""
    long, guid = (7).to_bytes(8, "big"), bytes([1]) + bytes(range(16))
    values = [b"\0" + (7).to_bytes(4, "big") + b"x", b"\0" + long + b"x", b"\x02H", b"{}", b""]
    names = [(None,) * 4, (guid, None, None, None), (b"\0\0\0\0\7", None, None, None),
             (None, long, None, b"BINARY"), (None, None, long, b"BINARY"), (None, long, long, None),
             (guid, None, long, None), (None, long, None, b"JSON"), (b"", None, None, None)]
    for use_id in range(3):
        for headers in names:
            for value in values:
                yield bytes([use_id]) + b"".join(
                    b"\xff" if h is None else bytes([len(h)]) + h for h in headers) + value


def write(folder, name, seeds):
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(seeds):
        (target / f"seed-{i}").write_bytes(seed)
    for found in sorted((HERE / "findings").glob(f"{name}-*")):
        shutil.copy(found, target)


def main():
    folder = pathlib.Path(sys.argv[1])
    schemas, plans = case_seeds()
    write(folder, "schema_fuzz", [*sorted(schemas), *reference_seeds()])
    write(folder, "plan_fuzz", sorted(plans))
    write(folder, "payload_fuzz", payload_seeds())
    write(folder, "wire_fuzz", wire_seeds())


if __name__ == "__main__":
    main()
