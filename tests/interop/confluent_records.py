#!/usr/bin/env python3
"""Writes a case's records once more as Confluent's own serializer does that names a schema by its GUID,
in a header.   confluent_records.py CASE OUT

OUT/records.ndjson has the same rows at the same places, OUT/schemas.json the schemas by their GUIDs.
The registry is Confluent's own stand-in for one: the real one is not to be had by the package registries.
"""
import base64, io, json, pathlib, sys, uuid

import fastavro
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

HEADER = "__value_schema_id"


class Rewriter:
    def __init__(self, schemas):
        self.schemas, self.by_guid, self.made = schemas, {}, {}
        self.registry = SchemaRegistryClient.new_client({"url": "mock://"})

    def serializer(self, number):
        if number not in self.made:
            text = self.schemas[number]["schema"]
            self.made[number] = text, AvroSerializer(
                self.registry, text, conf={"schema.id.serializer": header_schema_id_serializer,
                                           "auto.register.schemas": True})
        return self.made[number]

    def value(self, topic, value):
        """(bytes, headers) of a value in the default form."""
        number = str(int.from_bytes(value[1:5], "big"))
        text, serialize = self.serializer(number)
        row = fastavro.schemaless_reader(io.BytesIO(value[5:]), json.loads(text))
        headers = []
        data = serialize(row, SerializationContext(f"{topic}-{number}", MessageField.VALUE, headers))
        [(name, guid)] = headers
        assert name == HEADER and guid[0] == 1 and len(guid) == 17, headers
        self.by_guid[str(uuid.UUID(bytes=guid[1:]))] = self.schemas[number]
        return data, [[name, {"base64": base64.b64encode(guid).decode()}]]

    def record(self, record):
        if record["value"] is None:
            return record
        data, headers = self.value(record["topic"], base64.b64decode(record["value"]))
        return record | {"value": base64.b64encode(data).decode(),
                         "headers": record["headers"] + headers}


def main():
    case, out = map(pathlib.Path, sys.argv[1:])
    rewriter = Rewriter(json.loads((case / "schemas.json").read_text()))
    records = [rewriter.record(json.loads(line))
               for line in (case / "records.ndjson").read_text().splitlines()]
    out.mkdir(parents=True, exist_ok=True)
    (out / "records.ndjson").write_text("".join(json.dumps(r) + "\n" for r in records))
    (out / "schemas.json").write_text(json.dumps(rewriter.by_guid) + "\n")


if __name__ == "__main__":
    main()
