/* schema_table: the registry's entries by their schemas' names or ids, a bounded number of them.
 * For registry.c alone. */
#ifndef REGISTRY_SCHEMA_TABLE_H
#define REGISTRY_SCHEMA_TABLE_H

#include "base/hash.h"
#include "registry/schema_entry.h"

enum { SCHEMA_TABLE_BUCKETS = 1024, SCHEMA_TABLE_MAX = 10000 };

struct schema_table {
    struct hash_key hash_key;
    struct registry_entry *buckets[SCHEMA_TABLE_BUCKETS]; /* owned */
    int count;
};

/* NULL: it has none. */
struct registry_entry *schema_table_find(const struct schema_table *table,
                                         const struct schema_ref *schema);

/* True: there is room for one more, if need be in the place of an id that the registry does not
 * know. Schemas are never forgotten, they are on loan. */
bool schema_table_make_room(struct schema_table *table) must_check;

/* Takes over an entry that it does not have yet. */
void schema_table_insert(struct schema_table *table, struct registry_entry *entry);

/* Frees an entry that it has. */
void schema_table_remove(struct schema_table *table, struct registry_entry *entry);

void schema_table_done(struct schema_table *table);

#endif
