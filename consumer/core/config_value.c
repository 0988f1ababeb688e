#include "core/config_value.h"

#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit sizes[] = {
    {"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}, {NULL, 0}};

/* Digits only, without sign; returns where they end, NULL when there are none or too many. */
static const char *read_digits(const char *text, int64_t *ret_value)
{
    int64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *at - '0', &value))
            return NULL;
    if (at == text)
        return NULL;
    *ret_value = value;
    return at;
}

static bool read_with_unit(const char *text, const struct unit *units, int64_t *ret_value)
{
    int64_t value;
    const char *unit = read_digits(text, &value);
    for (; unit != NULL && units->name != NULL; units++)
        if (strcmp(units->name, unit) == 0)
            return !__builtin_mul_overflow(value, units->factor, ret_value);
    return false;
}

bool config_parse_duration(const char *text, int64_t *ret_ms, struct error *err)
{
    return read_with_unit(text, durations, ret_ms) ||
           error_set(err, ERROR_CONFIG,
                     "\"%s\" is not a duration; write a whole number and a unit: 250ms, 5s, 2m, 1h",
                     text);
}

bool value_read_size(const char *text, int64_t *ret_value, struct error *err)
{
    return read_with_unit(text, sizes, ret_value) ||
           error_set(err, ERROR_CONFIG,
                     "\"%s\" is not a size; write bytes or a unit: 65536, 64KiB, 8MiB, 1GiB", text);
}

bool value_read_count(const char *text, int64_t *ret_value, struct error *err)
{
    int64_t value;
    const char *end = read_digits(text, &value);
    if (end == NULL || *end != '\0')
        return error_set(err, ERROR_CONFIG, "\"%s\" is not a whole number", text);
    *ret_value = value;
    return true;
}

bool value_read_switch(const char *text, bool *ret_value, struct error *err)
{
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return error_set(err, ERROR_CONFIG, "\"%s\" is neither true nor false", text);
    *ret_value = yes;
    return true;
}

bool value_read_choice(const char *text, const char *allowed, int *ret_value, struct error *err)
{
    size_t len = strlen(text);
    int index = 0;
    for (const char *word = allowed; word != NULL; index++) {
        size_t size = strcspn(word, "|");
        if (size == len && memcmp(word, text, len) == 0) {
            *ret_value = index;
            return true;
        }
        word = word[size] == '|' ? word + size + 1 : NULL;
    }
    return error_set(err, ERROR_CONFIG, "\"%s\" is not one of %s", text, allowed);
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

unsigned value_distance(const char *a, const char *b, unsigned limit)
{
    enum { LONGEST = 64 };
    unsigned row[LONGEST + 1];
    size_t len = strlen(b);
    if (len > LONGEST || strlen(a) > LONGEST)
        return limit + 1;
    for (size_t j = 0; j <= len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= len; j++) {
            unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = least(row[j] + 1, row[j - 1] + 1, replaced);
        }
    }
    return row[len] <= limit ? row[len] : limit + 1;
}
