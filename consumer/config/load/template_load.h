/* template_load: payload.template, a JSON file whose strings may name values, read into parts.
 *
 *   {"event": "order_confirmed", "id": "${order_id}", "note": "for ${client_name}: ${column:note}"}
 *
 * White space between the tokens is left out; every other byte of the file stays as it is, the
 * order of the keys too. A string that is nothing but one placeholder becomes its value, with the
 * value's own type; in a longer one the value is a part of the text. "$${" is "${" itself. */
#ifndef CONFIG_LOAD_TEMPLATE_LOAD_H
#define CONFIG_LOAD_TEMPLATE_LOAD_H

#include "base/slice.h"
#include "config/config.h"

/* The values besides the payload's fields and the table's columns: name, id. The body is the same
 * in every attempt, so there is no time of sending among them. */
#define TEMPLATE_CONSTANTS(X)                                               \
    X(EVENT_ID, "event_id") /* the webhook-id */                            \
    X(EVENT_AT, "event_at") /* when the change was made, by the database */ \
    X(FORM_NAME, "form_name")

enum template_constant {
#define X(id, name) TEMPLATE_##id,
    TEMPLATE_CONSTANTS(X)
#undef X
};

enum template_part_kind {
    TEMPLATE_TEXT,    /* JSON, as it stands in the file */
    TEMPLATE_FIELD,   /* index: enum payload_field */
    TEMPLATE_COLUMN,  /* index: in `columns` */
    TEMPLATE_CONSTANT /* index: enum template_constant */
};

struct template_part {
    enum template_part_kind kind;
    bool in_text; /* a part of a string: no quotes, and null is nothing */
    size_t index;
    struct slice text; /* of TEMPLATE_TEXT */
};

/* One allocation; free with free(). */
struct payload_template {
    size_t column_count;
    const char *columns[CHANGE_EXTRA_MAX]; /* no two the same */
    size_t part_count;
    struct template_part parts[];
};

/* Reads a template of len bytes. NULL with err CONFIG: "order.json:7: unknown placeholder …".
 * shown: the file's name in errors. */
struct payload_template *template_read(const char *shown, const char *text, size_t len,
                                       struct error *err) must_check;

/* Sets config->template where payload.shape is template. CONFIG, with file and line, when the file
 * cannot be read or is none, or when one of the two options is set without the other. */
bool template_load(struct config *config, struct error *err) must_check;

#endif
