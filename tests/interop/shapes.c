/* shapes: bodies of the form shapes with their values, for shapes.py: a JSON object a line. */
#include "order/payload.h"
#include "order/shape/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const texts[] = {
    "plain",
    "Zo\xc3\xa9 \xf0\x9f\x9b\x8d \xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7",
    "a&b=c;d%20e+f#g?h",
    "\"quoted\" 'single' \\back\\ /slash/",
    "line\r\nbreak\ttab \b\f\x01\x1f",
    "[0]={x},[y]:~*!()-_.",
    "<script>alert(1)</script>",
    "  spaces  "};
enum { TEXTS = sizeof texts / sizeof *texts };
static const char *const numbers[] = {"2", "1250.50", "2501.00"};

static struct column text_column(const char *text)
{
    return (struct column){.kind = COLUMN_TEXT, .data = text, .len = strlen(text)};
}

static struct change change_of(size_t i)
{
    struct change c = {.op = text_column("u")};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        c.field[f] = text_column(texts[(i + f) % TEXTS]);
    c.field[FIELD_CLIENT_CITY] = (struct column){.kind = COLUMN_NULL};
    for (size_t n = 0; n < 3; n++)
        c.field[FIELD_QUANTITY + n] = text_column(numbers[n]);
    c.field[FIELD_CONFIRMED_AT] = text_column("2026-11-22T09:15:30.123456Z");
    return c;
}

static void print(const char *shape, const struct buf *body, const struct buf *nested)
{
    struct buf line;
    buf_init(&line, PAYLOAD_BODY_MAX);
    buf_addf(&line, "{\"shape\":\"%s\",\"body\":", shape);
    if (!json_add_string(&line, body->data, body->len))
        abort();
    buf_addf(&line, ",\"nested\":%s}", nested->data);
    puts(buf_text(&line));
    buf_done(&line);
}

int main(void)
{
    const struct payload_options options = {"Order \"form\" & co", PAYLOAD_NESTED, NULL, 0};
    struct form_options form = {.form_id = "a1b2c3d", .form_name = options.form_name};
    struct buf nested, body;
    struct shape_values values;
    struct rejection rejection;
    for (size_t f = 0; f < FIELD_COUNT; f++)
        form.labels[f] = payload_field_names[f];
    buf_init(&nested, PAYLOAD_BODY_MAX);
    buf_init(&body, PAYLOAD_BODY_MAX);
    for (size_t i = 0; i < TEXTS; i++) {
        struct change change = change_of(i);
        buf_reset(&nested);
        if (!payload_render(&change, 0, &options, &nested, &rejection) ||
            !shape_values_read((struct slice){nested.data, nested.len}, &values))
            abort();
        (void)buf_text(&nested);
        buf_reset(&body);
        if (!form_write(&form, &values, &body))
            abort();
        print("elementor", &body, &nested);
        buf_reset(&body);
        if (!form_write_advanced(&form, &values, &body))
            abort();
        print("elementor-advanced", &body, &nested);
    }
    buf_done(&nested);
    buf_done(&body);
    return 0;
}
