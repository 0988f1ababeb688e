/* schema_table_test: a full table makes room for an id by forgetting one that is not known, never a
 * schema. */
#include "registry/schema_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct registry_entry *add(struct schema_table *table, int64_t id,
                                  enum registry_answer answer)
{
    const struct schema_ref ref = schema_ref_id(id);
    struct registry_entry *entry = registry_entry_new(NULL, &ref);
    assert_non_null(entry);
    entry->answer = answer;
    schema_table_insert(table, entry);
    return entry;
}

static struct registry_entry *find(const struct schema_table *table, int64_t id)
{
    const struct schema_ref ref = schema_ref_id(id);
    return schema_table_find(table, &ref);
}

/* Ten to a bucket: each is found, and taken out from wherever it stands. */
static void entries_are_found_until_removed(void **state)
{
    struct schema_table *table = calloc(1, sizeof *table);
    (void)state;
    assert_non_null(table);
    for (int64_t id = 1; id <= SCHEMA_TABLE_MAX; id++)
        add(table, id, REGISTRY_HAVE);
    for (int64_t id = 1; id <= SCHEMA_TABLE_MAX; id += 2)
        schema_table_remove(table, find(table, id));
    for (int64_t id = 1; id <= SCHEMA_TABLE_MAX; id++) {
        const struct registry_entry *entry = find(table, id);
        assert_int_equal(entry == NULL, id % 2);
        if (entry != NULL)
            assert_int_equal(entry->ref.number, id);
    }
    assert_int_equal(table->count, SCHEMA_TABLE_MAX / 2);
    schema_table_done(table);
    free(table);
}

static void only_unknown_ids_make_room(void **state)
{
    static const enum registry_answer unknown[] = {REGISTRY_MISSING, REGISTRY_FAILED};
    struct schema_table *table = calloc(1, sizeof *table);
    (void)state;
    assert_non_null(table);
    for (int64_t id = 1; id < SCHEMA_TABLE_MAX; id++)
        add(table, id, id % 2 != 0 ? REGISTRY_HAVE : REGISTRY_PENDING);
    assert_true(schema_table_make_room(table));
    assert_int_equal(table->count, SCHEMA_TABLE_MAX - 1); /* there was room */
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        add(table, SCHEMA_TABLE_MAX, unknown[i]);
        assert_true(schema_table_make_room(table));
        assert_null(find(table, SCHEMA_TABLE_MAX));
        assert_int_equal(table->count, SCHEMA_TABLE_MAX - 1);
    }
    add(table, SCHEMA_TABLE_MAX, REGISTRY_HAVE);
    assert_false(schema_table_make_room(table));
    assert_int_equal(table->count, SCHEMA_TABLE_MAX);
    schema_table_done(table);
    free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found_until_removed),
        cmocka_unit_test(only_unknown_ids_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
