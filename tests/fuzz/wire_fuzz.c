/* wire_fuzz: records whose schema is named somewhere.   input: use_id {length header}×4 value
 *
 * A length of 255 is a header that is missing. The headers, in order: Confluent's, Apicurio's
 * content id, its global id, its encoding. */
#include "fuzz/fuzz.h"

#include "cdc/wire_format.h"

enum { HEADERS = 4, MISSING = 255, USE_IDS = 3 };

static const char *const names[HEADERS] = {"__value_schema_id", "apicurio.value.contentId",
                                           "apicurio.value.globalId", "apicurio.value.encoding"};

struct headers {
    uint8_t *bytes[HEADERS]; /* NULL: missing */
    size_t len[HEADERS];
};

static struct slice header(const void *context, const char *name)
{
    const struct headers *h = context;
    for (size_t i = 0; i < HEADERS; i++)
        if (strcmp(names[i], name) == 0)
            return (struct slice){(const char *)h->bytes[i], h->bytes[i] != NULL ? h->len[i] : 0};
    return (struct slice){0};
}

static const uint8_t *take_headers(struct headers *h, const uint8_t *at, const uint8_t *end)
{
    for (size_t i = 0; i < HEADERS && at < end; i++) {
        uint8_t len = *at++;
        if (len == MISSING)
            continue;
        h->len[i] = len < end - at ? len : (size_t)(end - at);
        h->bytes[i] = fuzz_copy(at, h->len[i]);
        at += h->len[i];
    }
    return at;
}

static void check_schema(const struct wire *wire)
{
    static const uint8_t none[SCHEMA_GUID_LEN];
    char text[SCHEMA_REF_TEXT_MAX];
    bool is_guid = wire->schema.kind == SCHEMA_REF_GUID;
    PROMISE(wire->schema.kind != SCHEMA_REF_NONE);
    PROMISE(is_guid ? wire->schema.number == 0
                    : wire->schema.number > 0 && memcmp(wire->schema.guid, none, sizeof none) == 0);
    PROMISE(strlen(schema_ref_text(&wire->schema, text)) > 0);
}

static void check_body(const struct wire_input *input, const struct wire *wire)
{
    size_t taken = (size_t)(wire->body - (const uint8_t *)input->value);
    PROMISE(taken + wire->len == input->len);
    PROMISE(wire->header != NULL ? taken == 0 : taken == 5 || taken == 9);
    PROMISE(wire->header != NULL || taken == 5 || input->use_id != WIRE_USE_UNKNOWN);
}

/* A header's schema does not depend on the value: bytes that look like an id change nothing, and
 * are no second choice. */
static void check_headers_go_first(const struct wire_input *input, bool ok, const struct wire *wire)
{
    struct wire_input other = *input;
    struct wire again;
    struct error err = {0};
    other.value = "\0\0\0\0\7x";
    other.len = 6;
    bool ok_again = wire_split(&other, &again, &err);
    if (header(input->context, names[0]).data == NULL &&
        header(input->context, names[1]).data == NULL &&
        header(input->context, names[2]).data == NULL) {
        PROMISE(ok_again && again.header == NULL && again.schema.number == 7);
        return;
    }
    PROMISE(ok == ok_again);
    PROMISE(!ok || (wire->header != NULL && again.header == wire->header &&
                    schema_ref_equal(&wire->schema, &again.schema)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct headers h = {0};
    struct error err = {0};
    struct wire wire;
    if (size == 0)
        return 0;
    const uint8_t *at = take_headers(&h, data + 1, data + size);
    size_t len = (size_t)(data + size - at);
    uint8_t *value = fuzz_copy(at, len);
    const struct wire_input input = {.value = value,
                                     .len = len,
                                     .header = header,
                                     .context = &h,
                                     .use_id = (enum wire_use_id)(data[0] % USE_IDS - 1)};
    bool ok = wire_split(&input, &wire, &err);
    PROMISE(ok == (err.code == ERROR_NONE));
    PROMISE(ok || err.code == ERROR_UNDECODABLE);
    PROMISE(strlen(err.text) < sizeof err.text && strchr(err.text, '\n') == NULL);
    if (ok) {
        check_schema(&wire);
        check_body(&input, &wire);
    }
    check_headers_go_first(&input, ok, &wire);
    for (size_t i = 0; i < HEADERS; i++)
        free(h.bytes[i]);
    free(value);
    return 0;
}
