#include "config/diff.h"

#include <string.h>

struct changes {
    const char *const *except;
    struct buf *names;
};

static bool is_left_out(const char *const *except, const char *name)
{
    for (; *except != NULL; except++) {
        size_t len = strlen(*except);
        if (strcmp(*except, name) == 0 ||
            (len > 0 && (*except)[len - 1] == '.' && strncmp(*except, name, len) == 0))
            return true;
    }
    return false;
}

static void note(const struct changes *c, const char *prefix, const char *rest)
{
    char name[CONFIG_NAME_MAX] = "";
    struct buf b = {.data = name, .cap = sizeof name, .limit = sizeof name - 1};
    buf_addf(&b, "%s%s", prefix, rest);
    if (!buf_ok(&b) || is_left_out(c->except, name))
        return;
    buf_addf(c->names, "%s%s", c->names->len > 0 ? ", " : "", name);
}

static bool text_differs(const char *a, const char *b)
{
    return a != b && (a == NULL || b == NULL || strcmp(a, b) != 0);
}

#define DIFFERS_TEXT(a, b) text_differs(a, b)
#define DIFFERS_SECRET(a, b) text_differs(a, b)
#define DIFFERS_SWITCH(a, b) ((a) != (b))
#define DIFFERS_COUNT(a, b) ((a) != (b))
#define DIFFERS_DURATION(a, b) ((a) != (b))
#define DIFFERS_SIZE(a, b) ((a) != (b))
#define DIFFERS_CHOICE(a, b) ((a) != (b))

static void compare_table(const struct changes *c, const struct config *a, const struct config *b)
{
    const struct {
        const char *name;
        bool differs;
    } options[] = {
#define X(member, name, type, fallback, min, max, allowed, help) \
    {name, DIFFERS_##type(a->member, b->member)},
        CONFIG_OPTIONS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].differs)
            note(c, options[i].name, "");
}

static const char *value_of(const struct config_pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    return NULL;
}

/* Each name once: those of the first list with another value, or none, in the second; then those
 * that only the second has. */
static void compare_pairs(const struct changes *c, const char *prefix, const struct config_pair *a,
                          size_t a_count, const struct config_pair *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++)
        if (text_differs(a[i].value, value_of(b, b_count, a[i].name)))
            note(c, prefix, a[i].name);
    for (size_t i = 0; i < b_count; i++)
        if (value_of(a, a_count, b[i].name) == NULL)
            note(c, prefix, b[i].name);
}

void config_changes(const struct config *a, const struct config *b, const char *const *except,
                    struct buf *ret_names)
{
    const struct changes c = {except, ret_names};
    compare_table(&c, a, b);
    for (size_t f = 0; f < FIELD_COUNT; f++)
        if (text_differs(a->payload_column[f], b->payload_column[f]))
            note(&c, "payload.fields.", payload_field_names[f]);
    for (size_t f = 0; f < FIELD_COUNT; f++)
        if (text_differs(a->payload_label[f], b->payload_label[f]))
            note(&c, "payload.labels.", payload_field_names[f]);
    compare_pairs(&c, "kafka.properties.", a->kafka_properties, a->kafka_property_count,
                  b->kafka_properties, b->kafka_property_count);
    compare_pairs(&c, "webhook.headers.", a->webhook_headers, a->webhook_header_count,
                  b->webhook_headers, b->webhook_header_count);
    compare_pairs(&c, "registry.headers.", a->registry_headers, a->registry_header_count,
                  b->registry_headers, b->registry_header_count);
    compare_pairs(&c, "trace.headers.", a->trace_headers, a->trace_header_count, b->trace_headers,
                  b->trace_header_count);
}
