/* wire_format: every place where a record can name its schema, and what names none. Bytes are
 * copied to allocations of exactly their length, so that ASan sees a read past the end. */
#include "cdc/wire_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) (text), sizeof(text) - 1
#define NO_BYTES NULL, 0
#define GUID "\x89\x79\x17\x62\x23\x36\x41\x86\x96\x74\x29\x9b\x90\xa8\x02\xe2"
#define GUID_TEXT "89791762-2336-4186-9674-299b90a802e2"
#define UNSET WIRE_USE_UNKNOWN

enum { HEADERS_MAX = 3 };

struct wire_case {
    const char *name;
    enum wire_use_id use_id;
    struct {
        const char *name, *bytes;
        size_t len;
    } headers[HEADERS_MAX];
    const char *value;
    size_t len;
    const char *schema; /* schema_ref_text; NULL: refused */
    size_t body_at;     /* in the value */
    const char *error;  /* a part of it */
};

static const struct wire_case cases[] = {
    /* the value's first bytes */
    {"empty", UNSET, {{0}}, BYTES(""), NULL, 0, "0 bytes"},
    {"1 byte", UNSET, {{0}}, BYTES("\0"), NULL, 0, "1 bytes"},
    {"4 bytes", UNSET, {{0}}, BYTES("\0\0\0\1"), NULL, 0, "4 bytes"},
    {"4-byte id", UNSET, {{0}}, BYTES("\0\0\0\1\2x"), "258", 5, NULL},
    {"no body", UNSET, {{0}}, BYTES("\0\0\0\0\1"), "1", 5, NULL},
    {"4-byte content id", WIRE_USE_CONTENT_ID, {{0}}, BYTES("\0\0\0\0\1x"), "1", 5, NULL},
    {"4-byte global id", WIRE_USE_GLOBAL_ID, {{0}}, BYTES("\0\0\0\0\1x"), "globalId 1", 5, NULL},
    {"8-byte content id", WIRE_USE_CONTENT_ID, {{0}}, BYTES("\0\0\0\0\0\0\0\0\7x"), "7", 9, NULL},
    {"8-byte global id",
     WIRE_USE_GLOBAL_ID,
     {{0}},
     BYTES("\0\0\0\0\0\0\0\0\7"),
     "globalId 7",
     9,
     NULL},
    {"8 bytes of either", UNSET, {{0}}, BYTES("\0\0\0\0\0\0\0\0\7x"), NULL, 0, "registry.use_id"},
    {"8-byte zero",
     WIRE_USE_GLOBAL_ID,
     {{0}},
     BYTES("\0\0\0\0\0\0\0\0\0x"),
     NULL,
     0,
     "schema id 0"},
    {"half an 8-byte id",
     WIRE_USE_GLOBAL_ID,
     {{0}},
     BYTES("\0\0\0\0\0\0\0\7"),
     NULL,
     0,
     "schema id 0"},
    {"negative", UNSET, {{0}}, BYTES("\0\xff\xff\xff\xffx"), NULL, 0, "schema id -1"},
    {"8-byte negative",
     WIRE_USE_CONTENT_ID,
     {{0}},
     BYTES("\0\0\0\0\0\xff\xff\xff\xff"),
     NULL,
     0,
     "schema id -1"},
    {"magic 1", UNSET, {{0}}, BYTES("\1" GUID "x"), NULL, 0, "no header names its schema"},
    {"AWS Glue", UNSET, {{0}}, BYTES("\3\0" GUID "x"), NULL, 0, "begins with byte 0x03"},
    {"JSON", UNSET, {{0}}, BYTES("{\"before\":null}"), NULL, 0, "JSON"},
    /* headers: the whole value is Avro, whatever it begins with */
    {"Apicurio, content id",
     UNSET,
     {{"apicurio.value.contentId", BYTES("\0\0\0\0\0\0\1\2")},
      {"apicurio.value.encoding", BYTES("BINARY")}},
     BYTES("\2H"),
     "258",
     0,
     NULL},
    {"Apicurio, global id",
     UNSET,
     {{"apicurio.value.globalId", BYTES("\0\0\0\1\0\0\0\7")}},
     BYTES("\0\0\0\0\1x"),
     "globalId 4294967303",
     0,
     NULL},
    {"the option is not for headers",
     WIRE_USE_GLOBAL_ID,
     {{"apicurio.value.contentId", BYTES("\0\0\0\0\0\0\0\7")}},
     BYTES("\2H"),
     "7",
     0,
     NULL},
    {"both of Apicurio's",
     UNSET,
     {{"apicurio.value.globalId", BYTES("\0\0\0\0\0\0\0\7")},
      {"apicurio.value.contentId", BYTES("\0\0\0\0\0\0\0\5")}},
     BYTES("\2H"),
     "5",
     0,
     NULL},
    {"no body at all",
     UNSET,
     {{"apicurio.value.contentId", BYTES("\0\0\0\0\0\0\0\7")}},
     BYTES(""),
     "7",
     0,
     NULL},
    {"Confluent, GUID",
     UNSET,
     {{"__value_schema_id", BYTES("\1" GUID)}},
     BYTES("\2H"),
     GUID_TEXT,
     0,
     NULL},
    {"Confluent, GUID and magic byte",
     UNSET,
     {{"__value_schema_id", BYTES("\1" GUID)}},
     BYTES("\0\0\0\0\1x"),
     GUID_TEXT,
     0,
     NULL},
    {"Confluent, id",
     UNSET,
     {{"__value_schema_id", BYTES("\0\0\0\1\2")}},
     BYTES("\2H"),
     "258",
     0,
     NULL},
    {"Confluent, null",
     UNSET,
     {{"__value_schema_id", NO_BYTES}},
     BYTES("\0\0\0\0\1x"),
     "1",
     5,
     NULL},
    {"the key's",
     UNSET,
     {{"__key_schema_id", BYTES("\1" GUID)}},
     BYTES("\0\0\0\0\1x"),
     "1",
     5,
     NULL},
    {"another header",
     UNSET,
     {{"__debezium.oldkey", BYTES("k")}},
     BYTES("\0\0\0\0\1x"),
     "1",
     5,
     NULL},
    /* headers that are none */
    {"7 bytes",
     UNSET,
     {{"apicurio.value.globalId", BYTES("\0\0\0\0\0\0\7")}},
     BYTES("\0\0\0\0\1x"),
     NULL,
     0,
     "apicurio.value.globalId, of 7 bytes"},
    {"text",
     UNSET,
     {{"apicurio.value.contentId", BYTES("7")}},
     BYTES("\2H"),
     NULL,
     0,
     "of 1 bytes"},
    {"zero",
     UNSET,
     {{"apicurio.value.globalId", BYTES("\0\0\0\0\0\0\0\0")}},
     BYTES("\2H"),
     NULL,
     0,
     "of 8 bytes"},
    {"negative id",
     UNSET,
     {{"apicurio.value.globalId", BYTES("\x80\0\0\0\0\0\0\1")}},
     BYTES("\2H"),
     NULL,
     0,
     "of 8 bytes"},
    {"empty header",
     UNSET,
     {{"apicurio.value.globalId", BYTES("")}},
     BYTES("\2H"),
     NULL,
     0,
     "of 0 bytes"},
    {"Avro as JSON",
     UNSET,
     {{"apicurio.value.contentId", BYTES("\0\0\0\0\0\0\0\7")},
      {"apicurio.value.encoding", BYTES("JSON")}},
     BYTES("{}"),
     NULL,
     0,
     "avro.encoding=BINARY"},
    {"Confluent, empty",
     UNSET,
     {{"__value_schema_id", BYTES("")}},
     BYTES("\0\0\0\0\1x"),
     NULL,
     0,
     "of 0 bytes"},
    {"Confluent, half a GUID",
     UNSET,
     {{"__value_schema_id", BYTES("\1\1\1\1\1")}},
     BYTES("\2H"),
     NULL,
     0,
     "of 5 bytes"},
    {"Confluent, GUID of another magic",
     UNSET,
     {{"__value_schema_id", BYTES("\0" GUID)}},
     BYTES("\2H"),
     NULL,
     0,
     "of 17 bytes"},
    {"Confluent, Protobuf's",
     UNSET,
     {{"__value_schema_id", BYTES("\1" GUID "\0")}},
     BYTES("\2H"),
     NULL,
     0,
     "of 18 bytes"},
    {"Confluent's and Apicurio's",
     UNSET,
     {{"__value_schema_id", BYTES("\1" GUID)},
      {"apicurio.value.globalId", BYTES("\0\0\0\0\0\0\0\7")}},
     BYTES("\2H"),
     NULL,
     0,
     "two schemas"},
};

static uint8_t *exact_copy(const void *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    return copy;
}

static char *copies[HEADERS_MAX];

static struct slice header(const void *context, const char *name)
{
    const struct wire_case *c = context;
    for (size_t i = 0; i < HEADERS_MAX; i++)
        if (c->headers[i].name != NULL && strcmp(c->headers[i].name, name) == 0)
            return (struct slice){copies[i], c->headers[i].len};
    return (struct slice){0};
}

static void check(const struct wire_case *c)
{
    struct error err = {0};
    struct wire wire = {0};
    char text[SCHEMA_REF_TEXT_MAX];
    uint8_t *value = exact_copy(c->value, c->len);
    for (size_t i = 0; i < HEADERS_MAX; i++)
        copies[i] = c->headers[i].bytes != NULL
                        ? (char *)exact_copy(c->headers[i].bytes, c->headers[i].len)
                        : NULL;
    const struct wire_input input = {value, c->len, header, c, c->use_id};
    bool ok = wire_split(&input, &wire, &err);
    if (ok != (c->schema != NULL) || (!ok && strstr(err.text, c->error) == NULL))
        fail_msg("%s: %s", c->name, ok ? schema_ref_text(&wire.schema, text) : err.text);
    if (ok && (strcmp(schema_ref_text(&wire.schema, text), c->schema) != 0 ||
               wire.body != value + c->body_at || wire.len != c->len - c->body_at))
        fail_msg("%s: schema %s, body at %td, of %zu bytes", c->name, text, wire.body - value,
                 wire.len);
    assert_true(ok || err.code == ERROR_UNDECODABLE);
    for (size_t i = 0; i < HEADERS_MAX; i++)
        free(copies[i]);
    free(value);
}

static void schemas_are_found_where_the_serializers_write_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

static void a_record_without_headers_is_not_asked_for_any(void **state)
{
    struct error err = {0};
    struct wire wire;
    const struct wire_input input = {.value = "\0\0\0\0\7x", .len = 6, .use_id = UNSET};
    (void)state;
    assert_true(wire_split(&input, &wire, &err));
    assert_int_equal(wire.schema.number, 7);
    assert_null(wire.header);
}

/* As keys of tables they must not be confused: a global id 7 is another schema than content id 7.
 */
static void numberings_are_told_apart(void **state)
{
    const struct schema_ref id = schema_ref_id(7),
                            global = {.kind = SCHEMA_REF_GLOBAL, .number = 7},
                            guid = {.kind = SCHEMA_REF_GUID, .guid = {7}}, none = {0};
    char text[SCHEMA_REF_TEXT_MAX];
    (void)state;
    assert_false(schema_ref_equal(&id, &global));
    assert_false(schema_ref_equal(&id, &guid));
    assert_true(schema_ref_equal(&id, &(struct schema_ref){.kind = SCHEMA_REF_ID, .number = 7}));
    assert_string_equal(schema_ref_text(&guid, text), "07000000-0000-0000-0000-000000000000");
    assert_string_equal(schema_ref_text(&none, text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_are_found_where_the_serializers_write_them),
        cmocka_unit_test(a_record_without_headers_is_not_asked_for_any),
        cmocka_unit_test(numberings_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
