/* allocations_test: what a record costs. Counts malloc, calloc and realloc of the whole program, by
 * standing in for them at link time (-Wl,--wrap), on the records of tests/cases. */
#include "cdc/wire_format.h"
#include "delivery/delivery.h"
#include "order/transform.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static volatile unsigned long allocations; /* the optimizer takes no malloc for a caller of ours */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

/* ---- one record of a case ---- */

struct sample {
    unsigned char *bytes;
    int len;
    struct plan *plan;
};

static struct sample samples[64];
static size_t sample_count;

static void add_sample(const json_t *schemas, const json_t *record, const struct config *config)
{
    const char *value = json_string_value(json_object_get(record, "value"));
    char key[SCHEMA_REF_TEXT_MAX];
    struct wire wire;
    struct error err = {0};
    if (value == NULL)
        return;
    assert_true(sample_count < sizeof samples / sizeof *samples);
    struct sample *s = &samples[sample_count++];
    s->bytes = malloc(strlen(value));
    assert_non_null(s->bytes);
    s->len = EVP_DecodeBlock(s->bytes, (const unsigned char *)value, (int)strlen(value));
    for (size_t i = strlen(value); value[i - 1] == '='; i--)
        s->len--;
    const struct wire_input input = {
        .value = s->bytes, .len = (size_t)s->len, .use_id = WIRE_USE_UNKNOWN};
    assert_true(wire_split(&input, &wire, &err));
    schema_ref_text(&wire.schema, key);
    const char *schema =
        json_string_value(json_object_get(json_object_get(schemas, key), "schema"));
    struct plan_options options = transform_plan_options(config);
    s->plan = plan_compile(schema, strlen(schema), &options, &err);
    assert_non_null(s->plan);
}

static void load(const char *name, const struct config *config)
{
    char path[600];
    json_error_t error;
    snprintf(path, sizeof path, "%s/cases/%s/schemas.json", TESTS_DIR, name);
    json_t *schemas = json_load_file(path, 0, &error);
    snprintf(path, sizeof path, "%s/cases/%s/records.ndjson", TESTS_DIR, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (json_t *record; (record = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error)) != NULL;) {
        add_sample(schemas, record, config);
        json_decref(record);
    }
    fclose(file);
    json_decref(schemas);
}

static void unload(void)
{
    for (; sample_count > 0; sample_count--) {
        free(samples[sample_count - 1].bytes);
        plan_free(samples[sample_count - 1].plan);
    }
}

static bool no_header(const void *context, const char *name)
{
    (void)context, (void)name;
    return false;
}

static enum transform_verdict apply(struct transform *t, const struct sample *s, bool gate)
{
    struct transformed result;
    const struct record record = {.topic = "orders",
                                  .offset = 1,
                                  .timestamp_ms = 1,
                                  .body = s->bytes + 5,
                                  .len = (size_t)s->len - 5,
                                  .has_header = no_header};
    transform_apply(t, s->plan, &record, gate, &result);
    return result.verdict;
}

/* Each record again and again; the first rounds make room for what lasts. */
static void count_in(const char *name)
{
    enum { ROUNDS = 20, DELIVERED_MAX = 1 };
    struct config *config = config_new();
    assert_non_null(config);
    struct transform *t = transform_new(config);
    assert_non_null(t);
    load(name, config);
    assert_true(sample_count > 0);
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < sample_count; i++) {
            unsigned long before = allocations;
            enum transform_verdict verdict = apply(t, &samples[i], round % 2);
            unsigned long spent = allocations - before;
            if (round > 1 && spent > (verdict == TRANSFORM_SKIP ? 0 : DELIVERED_MAX))
                fail_msg("%s, record %zu: %lu allocations", name, i, spent);
        }
    unload();
    transform_free(t);
    config_free(config);
}

static void none_for_what_is_skipped_one_for_what_is_delivered(void **state)
{
    (void)state;
    static const char *const cases[] = {"default",
                                        "replica-identity-default",
                                        "decimal-string-time-isostring",
                                        "column-types",
                                        "unwrapped-op",
                                        "odd-columns",
                                        "numeric-key",
                                        "decimal-negative-scale",
                                        "strays"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        count_in(cases[i]);
}

/* The count itself: without this, a test that counts nothing would pass. */
static void the_count_counts(void **state)
{
    (void)state;
    unsigned long before = allocations;
    void *volatile block = malloc(10);
    block = realloc(block, 20);
    free(block);
    block = calloc(1, 1);
    free(block);
    assert_int_equal(allocations - before, 3);
}

/* An order that was never seen takes its entry in the memory, which grows by doubling. */
static void orders_share_the_memorys_growth(void **state)
{
    (void)state;
    enum { ORDERS = 20000, GROWTHS_MAX = 2 * 10 };
    struct status_cache *status_cache = status_cache_new(ORDERS, &(struct hash_key){{1, 2}});
    assert_non_null(status_cache);
    unsigned long before = allocations;
    for (uint32_t i = 0; i < ORDERS; i++)
        status_cache_swap(status_cache, &i, sizeof i, 1, false);
    assert_true(allocations - before <= GROWTHS_MAX);
    before = allocations;
    for (uint32_t i = 0; i < 2 * ORDERS; i++)
        status_cache_swap(status_cache, &i, sizeof i, 1, false);
    assert_int_equal(allocations - before, 0);
    status_cache_free(status_cache);
}

/* The part that outlives the record is one piece, however long it is. */
static void a_delivery_is_one_allocation(void **state)
{
    (void)state;
    struct slice texts[DELIVERY_TEXT_COUNT] = {[TEXT_ORDER_ID] = slice_of("7"),
                                               [TEXT_BODY] = slice_of("{\"form_name\":\"x\"}"),
                                               [TEXT_VALUE] = slice_of("bytes")};
    unsigned long before = allocations;
    struct delivery *d = delivery_new(texts);
    assert_non_null(d);
    assert_int_equal(allocations - before, 1);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_count_counts),
        cmocka_unit_test(none_for_what_is_skipped_one_for_what_is_delivered),
        cmocka_unit_test(orders_share_the_memorys_growth),
        cmocka_unit_test(a_delivery_is_one_allocation),
    };
    return cmocka_run_group_tests_name("allocations", tests, NULL, NULL);
}
