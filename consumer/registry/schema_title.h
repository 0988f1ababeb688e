/* schema_title: the name by which people know a schema: "shop.public.orders.Envelope". Pure. */
#ifndef REGISTRY_SCHEMA_TITLE_H
#define REGISTRY_SCHEMA_TITLE_H

#include <stdbool.h>

enum { SCHEMA_TITLE_MAX = 200 };

/* The full name of the schema's record, or of the first record of a union; "" when it has none. */
void schema_title(const char *schema, char ret_title[SCHEMA_TITLE_MAX]);

/* A topic may hold this table: the title's namespace is Debezium's name of the topic, with
 * what a name of Avro's may not hold replaced, or the last part of it (MirrorMaker puts the source
 * cluster's name in front). Titles without a namespace fit, as do Debezium's own records. */
bool schema_title_fits(const char *title, const char *topic);

#endif
