#include "config/value.h"

#include "base/printable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { UNITS_MAX = 5, SHOWN_MAX = 64, LIMIT_MAX = 32 };

struct value_unit {
    const char *name;
    int64_t scale;
};

/* The accepted forms, units from small to large. */
static const struct quantity {
    const char *noun, *examples;
    struct value_unit units[UNITS_MAX];
} quantities[] = {
    [CONFIG_QUANTITY_COUNT] = {"a whole number", "1, 16, 500", {{"", 1}}},
    [CONFIG_QUANTITY_DURATION] = {"a duration",
                                  "250ms, 5s, 2m, 1h",
                                  {{"ms", 1},
                                   {"s", 1000},
                                   {"m", 60 * 1000},
                                   {"h", 60 * 60 * 1000},
                                   {"d", 24 * 60 * 60 * 1000}}},
    [CONFIG_QUANTITY_SIZE] = {"a size",
                              "65536, 64KiB, 8MiB, 1GiB",
                              {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}},
};

enum outcome { PARSED, NO_NUMBER, NO_UNIT, TOO_LARGE };

static const struct value_unit *find_unit(const struct quantity *q, const char *name)
{
    for (size_t i = 0; i < UNITS_MAX && q->units[i].name != NULL; i++)
        if (strcmp(q->units[i].name, name) == 0)
            return &q->units[i];
    return NULL;
}

static enum outcome parse(const struct quantity *q, const char *text, int64_t *ret_value)
{
    int64_t value = 0;
    bool too_large = false;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0)
        return NO_NUMBER;
    for (size_t i = 0; i < digits; i++)
        too_large |= __builtin_mul_overflow(value, 10, &value) ||
                     __builtin_add_overflow(value, text[i] - '0', &value);
    const struct value_unit *unit = find_unit(q, text + digits);
    if (unit == NULL)
        return text[digits] == '\0' ? NO_UNIT : NO_NUMBER;
    if (too_large || __builtin_mul_overflow(value, unit->scale, &value))
        return TOO_LARGE;
    *ret_value = value;
    return PARSED;
}

const char *config_quantity_format(enum config_quantity quantity, int64_t value, char *text,
                                   size_t size)
{
    const struct quantity *q = &quantities[quantity];
    const struct value_unit *unit = &q->units[0];
    for (size_t i = 0; i < UNITS_MAX && q->units[i].name != NULL; i++)
        if (value > 0 && value % q->units[i].scale == 0)
            unit = &q->units[i];
    snprintf(text, size, "%" PRId64 "%s", value / unit->scale, unit->name);
    return text;
}

bool config_quantity_parse(enum config_quantity quantity, const char *text, int64_t min,
                           int64_t max, int64_t *ret_value, struct error *err)
{
    const struct quantity *q = &quantities[quantity];
    char shown[SHOWN_MAX], least[LIMIT_MAX], most[LIMIT_MAX], complaint[LIMIT_MAX];
    int64_t value = 0;
    enum outcome outcome = parse(q, text, &value);
    if (outcome == PARSED && value >= min && value <= max) {
        *ret_value = value;
        return true;
    }
    if (outcome == NO_NUMBER)
        snprintf(complaint, sizeof complaint, "is not %s", q->noun);
    else
        snprintf(complaint, sizeof complaint, "%s",
                 outcome == NO_UNIT ? "has no unit" : "is out of range");
    return error_set(err, ERROR_CONFIG, "\"%s\" %s; write %s such as %s (%s to %s)",
                     config_show(text, shown, sizeof shown), complaint, q->noun, q->examples,
                     config_quantity_format(quantity, min, least, sizeof least),
                     config_quantity_format(quantity, max, most, sizeof most));
}

int config_choice_parse(const char *allowed, const char *word, struct error *err)
{
    size_t len = strlen(word);
    const char *choice = allowed;
    for (int index = 0;; index++) {
        size_t choice_len = strcspn(choice, "|");
        if (choice_len == len && memcmp(choice, word, len) == 0)
            return index;
        if (choice[choice_len] == '\0')
            break;
        choice += choice_len + 1;
    }
    char shown[SHOWN_MAX];
    error_set(err, ERROR_CONFIG, "\"%s\" is not one of %s", config_show(word, shown, sizeof shown),
              allowed);
    return -1;
}

const char *config_show(const char *text, char *shown, size_t size)
{
    static const char cut[] = "...";
    size_t len = strlen(text);
    bool fits = len < size;
    if (!fits) {
        len = size - sizeof cut;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--; /* a character stays whole */
    }
    memcpy(shown, text, len);
    shown[len] = '\0';
    printable_make(shown); /* never longer than it was */
    strcat(shown, fits ? "" : cut);
    return shown;
}

bool config_holds_credentials(const char *text)
{
    return text != NULL && strchr(text, '@') != NULL;
}
