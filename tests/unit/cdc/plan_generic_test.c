/* plan_test: random schemas and random valid values of them, written by an encoder of our own; what
 * the plan captures equals what avro-c's generic reader says.
 *
 * avro-c's reader may be trusted here, because the bytes are valid. */
#include "cdc/plan.h"

#include "fakes/avro_bytes.h"
#include "fakes/searches.h"

#include <avro.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SCHEMAS = 4000 / SEARCH_PARTS, VALUES = 12, DEPTH_MAX = 4, LIMIT = 1 << 20 };

static uint64_t random_state, seed;

/* PROPERTY_SEED in the environment repeats the one schema that failed. */
#define FAIL(format, ...) \
    fail_msg("PROPERTY_SEED=%llu: " format, (unsigned long long)seed, __VA_ARGS__)

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

/* ---- random schemas ---- */

static unsigned names; /* of types, made so far in one schema */

static void add_type(struct buf *s, unsigned depth);

static void add_fields(struct buf *s, unsigned depth)
{
    uint32_t count = random_below(4);
    for (uint32_t i = 0; i < count; i++) {
        buf_addf(s, "%s{\"name\":\"f%u\",\"type\":", i > 0 ? "," : "", i);
        add_type(s, depth + 1);
        buf_add_text(s, "}");
    }
}

static void add_enum(struct buf *s)
{
    uint32_t count = 1 + random_below(4);
    buf_addf(s, "{\"type\":\"enum\",\"name\":\"n%u\",\"symbols\":[", names++);
    for (uint32_t i = 0; i < count; i++)
        buf_addf(s, "%s\"s%u\"", i > 0 ? "," : "", i);
    buf_add_text(s, "]}");
}

/* A list: the one recursive shape that values can end. */
static void add_list(struct buf *s)
{
    unsigned name = names++;
    buf_addf(s,
             "{\"type\":\"record\",\"name\":\"n%u\",\"fields\":[{\"name\":\"next\",\"type\":"
             "[\"null\",\"n%u\"]},{\"name\":\"v\",\"type\":\"long\"}]}",
             name, name);
}

static void add_primitive(struct buf *s)
{
    static const char *const types[] = {"null",  "boolean", "int",   "long",
                                        "float", "double",  "bytes", "string"};
    buf_addf(s, "\"%s\"", types[random_below(sizeof types / sizeof *types)]);
}

/* Branches of different kinds, as Avro demands. */
static void add_union(struct buf *s)
{
    static const char *const branches[] = {"\"null\"",
                                           "\"string\"",
                                           "\"long\"",
                                           "\"double\"",
                                           "\"boolean\"",
                                           "\"bytes\"",
                                           "{\"type\":\"array\",\"items\":[\"null\",\"int\"]}",
                                           "{\"type\":\"map\",\"values\":\"float\"}"};
    uint32_t count = 1 + random_below(4), first = random_below(8), stride = 1 + 2 * random_below(4);
    buf_add_text(s, "[");
    for (uint32_t i = 0; i < count; i++)
        buf_addf(s, "%s%s", i > 0 ? "," : "", branches[(first + i * stride) % 8]);
    buf_add_text(s, "]");
}

static void add_annotated(struct buf *s)
{
    static const char *const types[] = {
        "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":40,\"scale\":3}",
        "{\"type\":\"long\",\"connect.name\":\"io.debezium.time.MicroTimestamp\"}",
        "[\"null\",{\"type\":\"bytes\",\"scale\":2,\"connect.name\":"
        "\"org.apache.kafka.connect.data.Decimal\"}]"};
    buf_add_text(s, types[random_below(sizeof types / sizeof *types)]);
}

static void add_named(struct buf *s, unsigned depth)
{
    switch (random_below(4)) {
    case 0: add_enum(s); break;
    case 1: add_list(s); break;
    case 2:
        buf_addf(s, "{\"type\":\"fixed\",\"name\":\"n%u\",\"size\":%u}", names,
                 1 + random_below(8));
        names++;
        break;
    default:
        buf_addf(s, "{\"type\":\"record\",\"name\":\"n%u\",\"fields\":[", names++);
        add_fields(s, depth);
        buf_add_text(s, "]}");
    }
}

/* Items take bytes: avro-c's reader cannot hold an array of those that do not. */
static void add_item(struct buf *s, unsigned depth)
{
    switch (depth < DEPTH_MAX ? random_below(6) : random_below(5)) {
    case 0: add_enum(s); break;
    case 1: add_list(s); break;
    case 2: add_annotated(s); break;
    case 3: buf_add_text(s, "\"string\""); break;
    case 4: add_union(s); break;
    default:
        buf_add_text(s, "{\"type\":\"array\",\"items\":");
        add_item(s, depth + 1);
        buf_add_text(s, "}");
    }
}

static void add_type(struct buf *s, unsigned depth)
{
    switch (depth < DEPTH_MAX ? random_below(7) : random_below(4)) {
    case 0:
    case 1: add_primitive(s); break;
    case 2: add_union(s); break;
    case 3: add_annotated(s); break;
    case 4:
    case 5: add_named(s, depth); break;
    default:
        buf_add_text(s, random_below(2) ? "{\"type\":\"array\",\"items\":"
                                        : "{\"type\":\"map\",\"values\":");
        add_item(s, depth + 1);
        buf_add_text(s, "}");
    }
}

/* A row whose columns stand in random order among others: id and status, and some that feed the
 * payload, of random types. */
static void add_row(struct buf *s)
{
    static const char *const wanted[] = {"total_amount", "client_city", "quantity", "confirmed_at",
                                         "unit_price"};
    uint32_t columns = 3 + random_below(9), id = random_below(columns), status;
    do
        status = random_below(columns);
    while (status == id);
    buf_add_text(s, "{\"type\":\"record\",\"name\":\"Row\",\"fields\":[");
    for (uint32_t i = 0, next = 0; i < columns; i++) {
        buf_addf(s, "%s{\"name\":\"", i > 0 ? "," : "");
        if (i == id || i == status) {
            buf_addf(s, "%s\",\"type\":%s}", i == id ? "id" : "status",
                     random_below(2) ? "\"string\"" : "[\"null\",\"string\"]");
            continue;
        }
        if (next < sizeof wanted / sizeof *wanted && random_below(2))
            buf_add_text(s, wanted[next++]);
        else
            buf_addf(s, "column%u", i);
        buf_add_text(s, "\",\"type\":");
        add_type(s, 1);
        buf_add_text(s, "}");
    }
    buf_add_text(s, "]}");
}

static void make_schema(struct buf *s)
{
    buf_reset(s);
    names = 0;
    if (random_below(3) == 0) {
        add_row(s);
        return;
    }
    buf_add_text(s, "{\"type\":\"record\",\"name\":\"Envelope\",\"fields\":[{\"name\":\"before\","
                    "\"type\":[\"null\",");
    add_row(s);
    buf_add_text(
        s, "]},{\"name\":\"after\",\"type\":[\"null\",\"Row\"]},{\"name\":\"extra\",\"type\":");
    add_type(s, 1);
    buf_add_text(s, "},{\"name\":\"op\",\"type\":\"string\"}]}");
}

/* ---- random values ---- */

static void encode(struct buf *b, avro_schema_t type, unsigned depth);

static void encode_blob(struct buf *b)
{
    char bytes[300];
    uint32_t len = random_below(10) ? random_below(20) : random_below(sizeof bytes);
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = (char)random_below(256);
    avro_add_blob(b, bytes, len);
}

static int64_t random_long(void)
{
    uint64_t bits = (uint64_t)random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX);
    return (int64_t)(bits >> random_below(64)) * (random_below(2) ? 1 : -1);
}

/* Blocks of both kinds: with and without their size in bytes. */
static void encode_items(struct buf *b, avro_schema_t item, bool map, unsigned depth)
{
    for (uint32_t block = random_below(3); block > 0 && depth < 8; block--) {
        struct buf items;
        uint32_t count = 1 + random_below(3);
        buf_init(&items, LIMIT);
        for (uint32_t i = 0; i < count; i++) {
            if (map)
                encode_blob(&items);
            encode(&items, item, depth + 1);
        }
        bool sized = random_below(2);
        avro_add_long(b, sized ? -(int64_t)count : count);
        if (sized)
            avro_add_long(b, (int64_t)items.len);
        buf_add(b, items.data, items.len);
        buf_done(&items);
    }
    avro_add_long(b, 0);
}

static void encode_union(struct buf *b, avro_schema_t type, unsigned depth)
{
    uint32_t branch = random_below((uint32_t)avro_schema_union_size(type));
    if (depth >= 8) /* lists end here: null is their first branch */
        branch = 0;
    avro_add_long(b, branch);
    encode(b, avro_schema_union_branch(type, (int)branch), depth + 1);
}

static void encode_bytes(struct buf *b, size_t count)
{
    for (; count > 0; count--)
        buf_add_char(b, (char)random_below(256));
}

static avro_schema_t target(avro_schema_t type)
{
    return is_avro_link(type) ? avro_schema_link_target(type) : type;
}

static void encode_record(struct buf *b, avro_schema_t type, unsigned depth)
{
    for (size_t i = 0; i < avro_schema_record_size(type); i++) {
        const char *name = avro_schema_record_field_name(type, (int)i);
        avro_schema_t field = target(avro_schema_record_field_get_by_index(type, (int)i));
        bool plain_status = strcmp(name, "status") == 0 && is_avro_string(field);
        if (plain_status && random_below(2))
            avro_add_text(b, "confirmed");
        else
            encode(b, field, depth + 1);
    }
}

static void encode(struct buf *b, avro_schema_t type, unsigned depth)
{
    type = target(type);
    switch (avro_typeof(type)) {
    case AVRO_NULL: break;
    case AVRO_BOOLEAN: buf_add_char(b, (char)random_below(2)); break;
    case AVRO_INT32: avro_add_long(b, (int32_t)random_long()); break;
    case AVRO_INT64: avro_add_long(b, random_long()); break;
    case AVRO_FLOAT: avro_add_float(b, (float)random_long() / 7); break;
    case AVRO_DOUBLE: avro_add_double(b, (double)random_long() / 7); break;
    case AVRO_STRING:
    case AVRO_BYTES: encode_blob(b); break;
    case AVRO_FIXED: encode_bytes(b, (size_t)avro_schema_fixed_size(type)); break;
    case AVRO_ENUM:
        avro_add_long(b, random_below((uint32_t)avro_schema_enum_number_of_symbols(type)));
        break;
    case AVRO_UNION: encode_union(b, type, depth); break;
    case AVRO_ARRAY: encode_items(b, avro_schema_array_items(type), false, depth); break;
    case AVRO_MAP: encode_items(b, avro_schema_map_values(type), true, depth); break;
    case AVRO_RECORD: encode_record(b, type, depth); break;
    default: FAIL("%s", "a type that is none");
    }
}

/* ---- the two readings ---- */

static void compare_text(const char *name, const struct column *c, const char *data, size_t len)
{
    if (c->kind != COLUMN_TEXT || c->len != len || memcmp(c->data, data, len) != 0)
        FAIL("%s: another text", name);
}

static void compare_bytes(const char *name, const struct column *c, const void *data, size_t len)
{
    if (c->kind == COLUMN_OTHER) /* no decimal */
        return;
    if (c->kind != COLUMN_DECIMAL || c->len != len || memcmp(c->data, data, len) != 0)
        FAIL("%s: other bytes", name);
}

static void compare_value(const char *name, const struct column *c, avro_value_t *value);

static void compare_number(const char *name, const struct column *c, avro_value_t *value)
{
    int32_t small;
    int64_t large;
    float single;
    double real;
    bool same = false;
    if (avro_value_get_int(value, &small) == 0)
        same = c->kind == COLUMN_INT && c->number == small;
    else if (avro_value_get_long(value, &large) == 0)
        same = c->kind == COLUMN_INT && c->number == large;
    else if (avro_value_get_float(value, &single) == 0)
        same = c->kind == COLUMN_FLOAT && c->real == (double)single;
    else if (avro_value_get_double(value, &real) == 0)
        same = c->kind == COLUMN_DOUBLE && c->real == real;
    if (!same)
        FAIL("%s: another number", name);
}

static void compare_enum(const char *name, const struct column *c, avro_value_t *value)
{
    int symbol;
    assert_int_equal(avro_value_get_enum(value, &symbol), 0);
    const char *text = avro_schema_enum_get(avro_value_get_schema(value), symbol);
    compare_text(name, c, text, strlen(text));
}

static void compare_union(const char *name, const struct column *c, avro_value_t *value)
{
    avro_value_t branch;
    assert_int_equal(avro_value_get_current_branch(value, &branch), 0);
    compare_value(name, c, &branch);
}

static void compare_value(const char *name, const struct column *c, avro_value_t *value)
{
    const char *text;
    const void *data;
    size_t size;
    switch (avro_value_get_type(value)) {
    case AVRO_NULL: assert_int_equal(c->kind, COLUMN_NULL); break;
    case AVRO_STRING:
        assert_int_equal(avro_value_get_string(value, &text, &size), 0);
        compare_text(name, c, text, size - 1);
        break;
    case AVRO_BYTES:
        assert_int_equal(avro_value_get_bytes(value, &data, &size), 0);
        compare_bytes(name, c, data, size);
        break;
    case AVRO_ENUM: compare_enum(name, c, value); break;
    case AVRO_UNION: compare_union(name, c, value); break;
    case AVRO_INT32:
    case AVRO_INT64:
    case AVRO_FLOAT:
    case AVRO_DOUBLE: compare_number(name, c, value); break;
    case AVRO_BOOLEAN: assert_int_equal(c->kind, COLUMN_BOOLEAN); break;
    default: assert_int_equal(c->kind, COLUMN_OTHER);
    }
}

static void compare_row(const struct change *change, avro_value_t *row)
{
    avro_value_t value;
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        const char *name = payload_field_columns[f];
        if (avro_value_get_by_name(row, name, &value, NULL) == 0)
            compare_value(name, &change->field[f], &value);
        else
            assert_int_equal(change->field[f].kind, COLUMN_ABSENT);
    }
    assert_int_equal(avro_value_get_by_name(row, "status", &value, NULL), 0);
    compare_value("status", &change->status, &value);
}

/* The row of before or after; false: it is null. */
static bool image(avro_value_t *record, const char *name, avro_value_t *ret_row)
{
    avro_value_t either;
    int branch;
    assert_int_equal(avro_value_get_by_name(record, name, &either, NULL), 0);
    assert_int_equal(avro_value_get_discriminant(&either, &branch), 0);
    return branch != 0 && avro_value_get_current_branch(&either, ret_row) == 0;
}

static void compare_envelope(const struct change *change, avro_value_t *record)
{
    avro_value_t row, value;
    assert_int_equal(change->has_row, image(record, "after", &row));
    if (change->has_row)
        compare_row(change, &row);
    assert_int_equal(change->has_before, image(record, "before", &row));
    if (change->has_before) {
        assert_int_equal(avro_value_get_by_name(&row, "status", &value, NULL), 0);
        compare_value("before.status", &change->before_status, &value);
    }
    assert_int_equal(avro_value_get_by_name(record, "op", &value, NULL), 0);
    compare_value("op", &change->op, &value);
}

static void read_both(const struct plan *plan, avro_value_iface_t *class, const struct buf *body)
{
    struct change change;
    const char *why = NULL;
    uint64_t steps;
    avro_value_t record;
    uint8_t *copy = malloc(body->len ? body->len : 1); /* of its exact length, for ASan */
    assert_non_null(copy);
    if (body->len > 0)
        memcpy(copy, body->data, body->len);
    avro_reader_t reader = avro_reader_memory((const char *)copy, (int64_t)body->len);
    assert_int_equal(avro_generic_value_new(class, &record), 0);
    if (avro_value_read(reader, &record) != 0)
        FAIL("avro-c: %s", avro_strerror());
    if (plan_run(plan, copy, body->len, false, &change, &why, &steps) != PLAN_DONE)
        FAIL("%s", why);
    assert_true(steps <= PLAN_STEPS_PER_BYTE * (body->len + 1));
    if (plan_shape(plan) == PLAN_ENVELOPE)
        compare_envelope(&change, &record);
    else
        compare_row(&change, &record);
    avro_value_decref(&record);
    avro_reader_free(reader);
    free(copy);
}

static struct plan_options default_options(void)
{
    struct plan_options options = {
        .rule_column = "status", .rule_value = "confirmed", .prefix = "__", .op_assumed = true};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.columns[f] = payload_field_columns[f];
    return options;
}

static void one_schema(struct buf *text, struct buf *body)
{
    struct plan_options options = default_options();
    struct error err = {0};
    avro_schema_t schema;
    make_schema(text);
    struct plan *plan = plan_compile(text->data, text->len, &options, &err);
    if (plan == NULL)
        FAIL("%s: %s", buf_text(text), err.text);
    assert_int_equal(avro_schema_from_json_length(text->data, text->len, &schema), 0);
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    assert_non_null(class);
    for (int i = 0; i < VALUES; i++) {
        buf_reset(body);
        encode(body, schema, 0);
        read_both(plan, class, body);
    }
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    plan_free(plan);
}

static void what_is_captured_is_what_avro_c_reads(void **state)
{
    (void)state;
    const char *repeat = getenv("PROPERTY_SEED");
    struct buf text, body;
    buf_init(&text, LIMIT);
    buf_init(&body, LIMIT);
    for (uint64_t n = 0; n < (repeat != NULL ? 1 : SCHEMAS); n++) {
        seed = repeat != NULL ? strtoull(repeat, NULL, 10) : n * 7919 + 1;
        random_state = seed;
        one_schema(&text, &body);
    }
    buf_done(&text);
    buf_done(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_captured_is_what_avro_c_reads)};
    return cmocka_run_group_tests_name("plan against avro-c", tests, NULL, NULL);
}
