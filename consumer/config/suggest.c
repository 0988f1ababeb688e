#include "config/suggest.h"

#include "base/slice.h"
#include "config/config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* One for all of kafka.properties.*, whose names are not known here. */
#define A_KAFKA_PROPERTY "kafka.properties.client.id"

/* The i-th name there is; NULL behind the last. */
static const char *candidate(size_t i, char *text, size_t size)
{
    if (i < config_option_count)
        return config_options[i].name;
    i -= config_option_count;
    if (i < FIELD_COUNT) {
        snprintf(text, size, "payload.fields.%s", payload_field_names[i]);
        return text;
    }
    return i == FIELD_COUNT ? A_KAFKA_PROPERTY : NULL;
}

/* So that KAFKA_BROKERS and kafka-brokers are no distance from kafka.brokers. */
static int fold(char c)
{
    return c == '_' || c == '-' ? '.' : tolower((unsigned char)c);
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's; one row of the matrix is kept. */
size_t config_distance(const char *a, const char *b)
{
    size_t row[CONFIG_NAME_MAX], len = strnlen(b, CONFIG_NAME_MAX - 1);
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 0; i < CONFIG_NAME_MAX && a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < len; j++) {
            size_t substituted = diagonal + (fold(a[i]) != fold(b[j]));
            diagonal = row[j + 1];
            row[j + 1] = min3(substituted, row[j] + 1, diagonal + 1);
        }
    }
    return row[len];
}

/* The known name within a few typing errors. */
static bool find_nearest(const char *name, char *ret_nearest, size_t size)
{
    char text[CONFIG_NAME_MAX];
    const char *known;
    size_t least = strlen(name) / 5 + 2; /* one more than is let pass */
    bool found = false;
    for (size_t i = 0; (known = candidate(i, text, sizeof text)) != NULL; i++) {
        size_t d = config_distance(name, known);
        if (d < least) {
            least = d;
            snprintf(ret_nearest, size, "%s", known);
            found = true;
        }
    }
    return found;
}

/* The first known name that begins with "name.". */
static bool find_member(const char *name, char *ret_member, size_t size)
{
    char text[CONFIG_NAME_MAX];
    const char *known;
    for (size_t i = 0; (known = candidate(i, text, sizeof text)) != NULL; i++) {
        const char *rest = after_prefix(known, name);
        if (rest != NULL && *rest == '.') {
            snprintf(ret_member, size, "%s", known);
            return true;
        }
    }
    return false;
}

/* The known name that this one extends: "kafka.brokers" for "kafka.brokers.host". */
static bool find_parent(const char *name, char *ret_parent, size_t size)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const char *rest = after_prefix(name, config_options[i].name);
        if (rest != NULL && *rest == '.') {
            snprintf(ret_parent, size, "%s", config_options[i].name);
            return true;
        }
    }
    return false;
}

static bool ends_with(const char *text, const char *tail)
{
    size_t len = strlen(text), tail_len = strlen(tail);
    return len >= tail_len && strcmp(text + len - tail_len, tail) == 0;
}

/* Known names that differ in their prefix only, as 'a" or "b': "timeout" or "http.timeout" for
 * webhook.timeout. */
static bool find_prefixes(const char *name, char *ret_names, size_t size)
{
    char text[CONFIG_NAME_MAX], tail[CONFIG_NAME_MAX + 1];
    const char *known, *dot = strchr(name, '.');
    size_t len = 0;
    snprintf(tail, sizeof tail, ".%s", dot != NULL ? dot + 1 : name);
    for (size_t i = 0; (known = candidate(i, text, sizeof text)) != NULL; i++)
        if (ends_with(known, tail) && len < size)
            len +=
                (size_t)snprintf(ret_names + len, size - len, "%s%s", len ? "\" or \"" : "", known);
    return len > 0;
}

static const char *without_prefix(const char *text, const char *prefix)
{
    const char *rest = after_prefix(text, prefix);
    return rest != NULL ? rest : text;
}

/* True when it looks like a property of librdkafka without, or with half of, its prefix. */
static bool find_property(const char *name, char *ret_property, size_t size)
{
    static const char *const families[] = {"kafka.", "properties.", "sasl.", "ssl.", "security."};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (has_prefix(name, families[i])) {
            snprintf(ret_property, size, "kafka.properties.%s",
                     without_prefix(without_prefix(name, "kafka."), "properties."));
            return true;
        }
    }
    return false;
}

const char *config_suggest(const char *name, char *text, size_t size)
{
    char hint[2 * CONFIG_NAME_MAX];
    if (!config_name_is_plain(name))
        snprintf(text, size, "this is not an option's name; names look like kafka.brokers");
    else if (find_member(name, hint, sizeof hint))
        snprintf(text, size, "\"%s\" is a group of options, such as \"%s\"", name, hint);
    else if (find_nearest(name, hint, sizeof hint) || find_parent(name, hint, sizeof hint) ||
             find_property(name, hint, sizeof hint) || find_prefixes(name, hint, sizeof hint))
        snprintf(text, size, "unknown option \"%s\"; did you mean \"%s\"?", name, hint);
    else
        snprintf(text, size, "unknown option \"%s\"; elementor-sync options lists all of them",
                 name);
    return text;
}
