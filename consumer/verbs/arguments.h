/* arguments: the command line, read by a verb's table. */
#ifndef VERBS_ARGUMENTS_H
#define VERBS_ARGUMENTS_H

#include "verbs/verbs.h"

enum { ARGUMENTS_SETS_MAX = 256 };

struct invocation {
    const struct verb *verb;
    const char *config_path;              /* NULL: none */
    const char *sets[ARGUMENTS_SETS_MAX]; /* of --set */
    size_t set_count;
    _Alignas(max_align_t) unsigned char options[VERB_OPTIONS_MAX]; /* the verb's own struct */
};

/* Texts stay borrowed from argv. verbs is a NULL-terminated list. Errors name the argument, and for
 * an unknown verb those that there are. */
bool arguments_parse(int argc, char *const *argv, const struct verb *const *verbs,
                     struct invocation *ret, struct error *err) must_check;

#endif
