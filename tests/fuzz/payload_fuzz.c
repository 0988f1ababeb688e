/* payload_fuzz: envelope → rule → payload.   input: one byte of options, body
 *
 * Every column of the row may be of any type, as the bytes choose. A delivered body must parse
 * with jansson, have exactly the fields it should, and give back every text. */
#include "fuzz/fuzz.h"

#include "order/transform.h"

#include <jansson.h>

/* tests/fuzz/seeds.py knows the order of these branches. */
#define ANY                                                                                      \
    "[\"null\",\"string\",\"long\",\"double\",{\"type\":\"bytes\",\"scale\":2,\"connect.name\":" \
    "\"org.apache.kafka.connect.data.Decimal\"},\"float\",\"boolean\",{\"type\":\"record\","     \
    "\"name\":\"VariableScaleDecimal\",\"fields\":[{\"name\":\"scale\",\"type\":\"int\"},"       \
    "{\"name\":\"value\",\"type\":\"bytes\"}]},\"int\"]"
#define ANY_AGAIN                                                                                 \
    "[\"null\",\"string\",\"long\",\"double\",{\"type\":\"bytes\",\"scale\":-3,\"connect.name\":" \
    "\"org.apache.kafka.connect.data.Decimal\"},\"float\",\"boolean\",\"VariableScaleDecimal\","  \
    "{\"type\":\"int\",\"connect.name\":\"io.debezium.time.Date\"}]"
#define TIME                                                                       \
    "[\"null\",\"string\",{\"type\":\"long\",\"connect.name\":\"io.debezium.time." \
    "MicroTimestamp\"}]"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"

static const char schema[] =
    "{\"type\":\"record\",\"name\":\"Envelope\",\"fields\":["
    "{\"name\":\"before\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Value\",\"fields\":"
    "[" FIELD("id", ANY) "," FIELD("order_number", ANY_AGAIN) "," FIELD("client_name", ANY_AGAIN) "," FIELD("client_phone", ANY_AGAIN) "," FIELD(
        "client_address",
        ANY_AGAIN) "," FIELD("client_city",
                             ANY_AGAIN) "," FIELD("product_name",
                                                  ANY_AGAIN) "," FIELD("quantity",
                                                                       ANY_AGAIN) "," FIELD("unit_"
                                                                                            "price",
                                                                                            ANY_AGAIN) "," FIELD("total_amount", ANY_AGAIN) "," FIELD("status", "[\"null\",\"string\"]") "," FIELD("confirmed_at", TIME) "]}]}," FIELD("after", "[\"null\",\"Value\"]") ","
                                                                                                                                                                                                                                                                        "{\"name\":\"source\",\"type\":{\"type\":\"record\",\"name\":\"Source\",\"fields\":[" FIELD("ts_ms", "[\"null\",\"long\"]") "," FIELD(
                                                                                                                                                                                                                                                                            "lsn",
                                                                                                                                                                                                                                                                            "[\"null\",\"long\"]") "]}}," FIELD("op",
                                                                                                                                                                                                                                                                                                                "\"string\"") "]}";

static struct plan *plan;
static struct config *configs[2];
static struct transform *transforms[2]; /* which borrow the configs */

static void set(struct config *config, const char *name, const char *value)
{
    PROMISE(config_set(config, name, value, "fuzz", NULL));
}

static void start(void)
{
    struct error err = {0};
    configs[0] = config_new();
    configs[1] = config_new();
    struct plan_options options = transform_plan_options(configs[0]);
    plan = plan_compile(schema, strlen(schema), &options, &err);
    PROMISE(plan != NULL);
    set(configs[0], "rule.memory", "16");
    set(configs[1], "rule.memory", "0");
    set(configs[1], "rule.snapshot", "deliver");
    set(configs[1], "payload.shape", "flat");
    set(configs[1], "payload.form_name", "commande \"payée\" \\ 😀");
    for (size_t i = 0; i < 2; i++)
        transforms[i] = transform_new(configs[i]);
}

static bool is_number(enum payload_field f)
{
    return f == FIELD_QUANTITY || f == FIELD_UNIT_PRICE || f == FIELD_TOTAL_AMOUNT;
}

static void check_field(const json_t *fields, enum payload_field f, const struct column *c)
{
    const json_t *value = json_object_get(fields, payload_field_names[f]);
    if (is_number(f)) {
        PROMISE(json_is_number(value) && json_number_value(value) >= 0);
        return;
    }
    PROMISE(json_is_string(value));
    if (c->kind == COLUMN_TEXT) /* a time too: it leaves as it came */
        PROMISE(json_string_length(value) == c->len &&
                memcmp(json_string_value(value), c->data, c->len) == 0);
}

/* jansson keeps integers of 64 bits and finite reals: a longer number is no fault of the body's. */
static json_t *parse(const struct buf *body)
{
    json_error_t error;
    json_t *root =
        json_loadb(body->data, body->len,
                   JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    PROMISE(root != NULL || json_error_code(&error) == json_error_numeric_overflow);
    return root;
}

static void check_body(const struct buf *body, bool flat, const struct change *change)
{
    json_t *root = parse(body);
    if (root == NULL)
        return;
    const json_t *fields = flat ? root : json_object_get(root, "fields");
    PROMISE(json_object_size(root) == (flat ? FIELD_COUNT + 1 : 2));
    PROMISE(json_object_size(fields) == (flat ? FIELD_COUNT + 1 : FIELD_COUNT));
    PROMISE(json_is_string(json_object_get(root, "form_name")));
    for (size_t f = 0; f < FIELD_COUNT; f++)
        check_field(fields, (enum payload_field)f, &change->field[f]);
    json_decref(root);
}

static bool no_header(const void *context, const char *name)
{
    (void)context, (void)name;
    return false;
}

static void apply(const uint8_t *body, size_t len, unsigned which, bool gate)
{
    const struct record record = {.topic = "t",
                                  .offset = 1,
                                  .timestamp_ms = 1,
                                  .body = body,
                                  .len = len,
                                  .has_header = no_header};
    struct transformed t;
    struct change change;
    const char *why;
    transform_apply(transforms[which], plan, &record, gate, &t);
    if (t.verdict == TRANSFORM_DELIVER) {
        PROMISE(plan_run(plan, body, len, false, &change, &why, NULL) == PLAN_DONE);
        PROMISE(t.order_id.len > 0);
        PROMISE(strncmp(t.id, "msg_", 4) == 0);
        PROMISE(t.confirmed_at.len >= 20);
        check_body(t.body, which == 1, &change);
    }
    PROMISE(t.verdict == TRANSFORM_DELIVER || t.why[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (plan == NULL)
        start();
    if (size == 0)
        return -1;
    uint8_t *body = fuzz_copy(data + 1, size - 1);
    apply(body, size - 1, data[0] & 1, data[0] & 2);
    free(body);
    return 0;
}
