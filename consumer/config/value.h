/* value: text to number and back for the config's counts, durations and sizes.
 *
 *   "250ms" -> 250        "64KiB" -> 65536        "16" -> 16
 *
 * Pure. Errors open with the value in quotes and end with the accepted form. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum config_quantity {
    CONFIG_QUANTITY_COUNT,    /* whole number */
    CONFIG_QUANTITY_DURATION, /* milliseconds; always with a unit: ms s m h d */
    CONFIG_QUANTITY_SIZE      /* bytes; plain, KiB, MiB or GiB */
};

/* All of text as a number from min to max (in the quantity's own unit; min is at least 0). */
bool config_quantity_parse(enum config_quantity quantity, const char *text, int64_t min,
                           int64_t max, int64_t *ret_value, struct error *err) must_check;

/* A value in the largest unit that holds it exactly: 60000 is "1m". Returns text. */
const char *config_quantity_format(enum config_quantity quantity, int64_t value, char *text,
                                   size_t size);

/* The index of `word` in "a|b|c"; -1 with err set when it is none of them. */
int config_choice_parse(const char *allowed, const char *word, struct error *err);

/* Copies text for a message: on one line, and cut with "..." when it does not fit; returns shown.
 */
const char *config_show(const char *text, char *shown, size_t size);

/* True when a text that is not a secret by its name may hold credentials all the same:
 * user:password@host. Such a text is never shown. */
bool config_holds_credentials(const char *text);

#endif
