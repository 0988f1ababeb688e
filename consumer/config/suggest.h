/* suggest: the message for an option that does not exist, with the nearest one that does. Pure. */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

#include <stddef.h>

/* Typing errors between two names (insertions, deletions, substitutions); case and "." "_" "-"
 * count as the same. Looks at fewer than CONFIG_NAME_MAX (config/config.h) bytes of each. */
size_t config_distance(const char *a, const char *b);

/* 'unknown option "webhok.url"; did you mean "webhook.url"?' Returns text. */
const char *config_suggest(const char *name, char *text, size_t size);

#endif
