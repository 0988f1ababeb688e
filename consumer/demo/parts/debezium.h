/* debezium: a change of the shop's table as Debezium writes it: key and envelope in Avro, in the
 * Confluent wire format, by the schemas of schemas/. */
#ifndef DEMO_PARTS_DEBEZIUM_H
#define DEMO_PARTS_DEBEZIUM_H

#include "base/buf.h"
#include "base/error.h"
#include "demo/parts/shop.h"

enum { DEBEZIUM_KEY_SCHEMA = 1, DEBEZIUM_VALUE_SCHEMA = 2 }; /* their ids in the registry */

struct debezium;

struct debezium *debezium_new(struct error *err);
void debezium_free(struct debezium *d); /* accepts NULL */

/* Replaces the contents of key and value. at_us: when the change was committed. Each call is one
 * more position in the database's log. */
bool debezium_encode(struct debezium *d, const struct shop_change *change, int64_t at_us,
                     struct buf *key, struct buf *value, struct error *err) must_check;

/* The schema with this id as JSON text, static; NULL: not found. */
const char *debezium_schema(int id);

#endif
