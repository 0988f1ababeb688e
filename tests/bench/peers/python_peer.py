"""The same job with confluent-kafka, fastavro and requests: confirmed orders are decoded and posted by
CONCURRENCY threads, a batch at a time, and offsets committed behind each batch.

usage: python_peer.py BROKERS TOPIC GROUP SCHEMA_FILE URL CONCURRENCY

Runs until it is killed. No retry, parking, outcome record or signature, as a first version of a shop's own
would be; orders of one batch may overtake each other.
"""
import concurrent.futures, io, json, sys, threading

import confluent_kafka, fastavro, requests

PREFIX_BYTES = 5  # the magic byte and the schema's id
TEXTS = ("order_number", "client_name", "client_phone", "client_address", "client_city", "product_name")
BATCH = 1000
local = threading.local()


def body(row):
    """Amounts as the database has them: json would make floats of them."""
    fields = {"order_id": str(row["id"]), **{name: row[name] for name in TEXTS}, "quantity": row["quantity"],
              "unit_price": "@unit_price@", "total_amount": "@total_amount@", "status": "confirmed",
              "confirmed_at": str(row["confirmed_at"])}
    text = json.dumps({"form_name": "order_confirmation", "fields": fields}, ensure_ascii=False)
    for name in ("unit_price", "total_amount"):
        text = text.replace(f'"@{name}@"', str(row[name]))
    return text.encode()


def post(url, row):
    if not hasattr(local, "session"):
        local.session = requests.Session()
    answer = local.session.post(url, data=body(row), timeout=30, headers={
        "Content-Type": "application/json", "webhook-id": f"{row['id']}-{row['confirmed_at']}"})
    answer.raise_for_status()


def confirmed(schema, value):
    """The row that an event confirms, or None."""
    if value is None:
        return None
    change = fastavro.schemaless_reader(io.BytesIO(value[PREFIX_BYTES:]), schema)
    before, after = change["before"], change["after"]
    is_new = after and after["status"] == "confirmed" and not (before and before["status"] == "confirmed")
    return after if is_new else None


def main():
    brokers, topic, group, schema_file, url, concurrency = sys.argv[1:]
    schema = fastavro.parse_schema(json.load(open(schema_file)))
    consumer = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": group,
                                         "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    with concurrent.futures.ThreadPoolExecutor(int(concurrency)) as pool:
        while True:
            records = [r for r in consumer.consume(BATCH, 0.1) if r.error() is None]
            rows = [row for row in (confirmed(schema, r.value()) for r in records) if row]
            list(pool.map(lambda row: post(url, row), rows))
            if records:
                consumer.commit(asynchronous=False)


if __name__ == "__main__":
    main()
