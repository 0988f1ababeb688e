#include "registry/schema_table.h"

static size_t bucket_of(const struct schema_table *table, const struct schema_ref *schema)
{
    return hash_keyed(&table->hash_key, schema, sizeof *schema) % SCHEMA_TABLE_BUCKETS;
}

struct registry_entry *schema_table_find(const struct schema_table *table,
                                         const struct schema_ref *schema)
{
    struct registry_entry *entry = table->buckets[bucket_of(table, schema)];
    while (entry != NULL && !schema_ref_equal(&entry->ref, schema))
        entry = entry->next_in_bucket;
    return entry;
}

/* Records full of nonsense must not fill the cache for good. */
static bool forget_a_missing_one(struct schema_table *table)
{
    for (int i = 0; i < SCHEMA_TABLE_BUCKETS; i++) {
        struct registry_entry *entry = table->buckets[i];
        while (entry != NULL && entry->answer != REGISTRY_FAILED &&
               entry->answer != REGISTRY_MISSING)
            entry = entry->next_in_bucket;
        if (entry == NULL)
            continue;
        schema_table_remove(table, entry);
        return true;
    }
    return false;
}

bool schema_table_make_room(struct schema_table *table)
{
    return table->count < SCHEMA_TABLE_MAX || forget_a_missing_one(table);
}

void schema_table_insert(struct schema_table *table, struct registry_entry *entry)
{
    struct registry_entry **bucket = &table->buckets[bucket_of(table, &entry->ref)];
    entry->next_in_bucket = *bucket;
    *bucket = entry;
    table->count++;
}

void schema_table_remove(struct schema_table *table, struct registry_entry *entry)
{
    struct registry_entry **link = &table->buckets[bucket_of(table, &entry->ref)];
    while (*link != entry)
        link = &(*link)->next_in_bucket;
    *link = entry->next_in_bucket;
    table->count--;
    registry_entry_free(entry);
}

void schema_table_done(struct schema_table *table)
{
    for (int i = 0; i < SCHEMA_TABLE_BUCKETS; i++)
        while (table->buckets[i] != NULL)
            schema_table_remove(table, table->buckets[i]);
}
