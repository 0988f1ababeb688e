/* plan_dump: what a plan captures, for comparison with other readers.
 *
 *   plan_dump <LINES   each {"schema": text, "body": hex}; prints {"column": "kind value", …} each
 */
#include "cdc/plan.h"
#include "tools/tool.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *from_hex(const char *text, size_t *ret_len)
{
    size_t len = strlen(text) / 2;
    uint8_t *bytes = malloc(len ? len : 1);
    if (bytes == NULL)
        die("memory", "none");
    for (size_t i = 0; i < len; i++) {
        const char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    *ret_len = len;
    return bytes;
}

static void add_hex(char *text, const struct column *c)
{
    for (size_t i = 0; i < c->len; i++)
        sprintf(text + 2 * i, "%02x", (unsigned char)c->data[i]);
}

static json_t *show(const struct column *c)
{
    static const char *const kinds[] = {
        [COLUMN_ABSENT] = "absent",   [COLUMN_NULL] = "null",       [COLUMN_TEXT] = "text",
        [COLUMN_INT] = "int",         [COLUMN_FLOAT] = "float",     [COLUMN_DOUBLE] = "double",
        [COLUMN_DECIMAL] = "decimal", [COLUMN_BOOLEAN] = "boolean", [COLUMN_OTHER] = "other"};
    size_t size = 2 * c->len + 100;
    char *text = calloc(1, size);
    if (text == NULL)
        die("memory", "none");
    int n = snprintf(text, size, "%s", kinds[c->kind]);
    if (c->kind == COLUMN_INT)
        snprintf(text + n, size - (size_t)n, " %" PRId64 " %d", c->number, c->ticks);
    else if (c->kind == COLUMN_BOOLEAN)
        snprintf(text + n, size - (size_t)n, " %" PRId64, c->number);
    else if (c->kind == COLUMN_FLOAT || c->kind == COLUMN_DOUBLE)
        snprintf(text + n, size - (size_t)n, " %.17g", c->real);
    else if (c->kind == COLUMN_DECIMAL)
        n += snprintf(text + n, size - (size_t)n, " %d", c->scale);
    if (c->kind == COLUMN_TEXT || c->kind == COLUMN_DECIMAL) {
        text[n] = ' ';
        add_hex(text + n + 1, c);
    }
    json_t *json = json_string(text);
    free(text);
    return json;
}

static void print(const struct change *change)
{
    json_t *out = json_object();
    for (size_t f = 0; f < FIELD_COUNT; f++)
        json_object_set_new(out, payload_field_columns[f], show(&change->field[f]));
    json_object_set_new(out, "-status", show(&change->status));
    json_object_set_new(out, "-before", show(&change->before_status));
    json_object_set_new(out, "-op", show(&change->op));
    json_object_set_new(out, "-lsn", show(&change->lsn));
    json_object_set_new(out, "-event", show(&change->event_ms));
    json_dumpf(out, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(out);
}

static void dump(const json_t *line, const struct plan_options *options)
{
    const char *schema = json_string_value(json_object_get(line, "schema")), *why;
    struct error err = {0};
    struct change change;
    size_t len;
    struct plan *plan = plan_compile(schema, strlen(schema), options, &err);
    if (plan == NULL)
        die(schema, err.text);
    uint8_t *body = from_hex(json_string_value(json_object_get(line, "body")), &len);
    if (plan_run(plan, body, len, false, &change, &why, NULL) != PLAN_DONE)
        die(schema, why);
    print(&change);
    free(body);
    plan_free(plan);
}

int main(void)
{
    struct plan_options options = {
        .rule_column = "status", .rule_value = "confirmed", .prefix = "__", .op_assumed = true};
    json_error_t error;
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.columns[f] = payload_field_columns[f];
    for (json_t *line; (line = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, &error)) != NULL;) {
        dump(line, &options);
        json_decref(line);
    }
    return 0;
}
