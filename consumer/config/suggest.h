/* suggest: what to tell someone who named an option that does not exist. Pure. */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_NAME_MAX 128 /* bytes of an option's name, its NUL included */

/* Letters, digits, dots, underscores and dashes, at least one and fewer than CONFIG_NAME_MAX. A
 * text with anything else is not repeated in messages: it may be a secret in the wrong place. */
bool config_name_is_plain(const char *name);

/* Typing errors between two names (insertions, deletions, substitutions); case and "." "_" "-"
 * count as the same. Looks at fewer than CONFIG_NAME_MAX bytes of each. */
size_t config_distance(const char *a, const char *b);

/* 'unknown option "webhok.url"; did you mean "webhook.url"?' Returns text. */
const char *config_suggest(const char *name, char *text, size_t size);

#endif
