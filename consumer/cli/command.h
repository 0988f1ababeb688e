/* command: what `elementor-sync VERB` can be. One file a verb: its arguments, then its work.
 *
 * A verb's arguments fill a struct of its own: each row names the member that it fills. Members no
 * argument fills are false, NULL or -1. --config and --set belong to every verb; main loads the
 * configuration, checks what the verb needs of it, and sets up the log before the verb runs. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/error.h"
#include "config/config.h"

#include <stddef.h>

enum argument_kind {
    ARGUMENT_FLAG,    /* bool; takes no value */
    ARGUMENT_TEXT,    /* const char *, borrowed from argv */
    ARGUMENT_COUNT,   /* int64_t, at least 1 */
    ARGUMENT_DURATION /* int64_t, milliseconds */
};

struct argument {
    const char *name; /* "--limit" */
    enum argument_kind kind;
    size_t offset;           /* of the member it fills */
    const char *placeholder; /* of its value, for the help: "N"; "" for a flag */
    const char *help;
};

/* What main does with the configuration before the verb runs. */
enum verb_config {
    VERB_CONFIG_CHECKED, /* loaded, checked for what the verb needs, its warnings logged */
    VERB_CONFIG_LOADED,  /* loaded; the verb checks it itself (config_finish) */
    VERB_CONFIG_NONE     /* not looked at: nothing but defaults */
};

struct verb {
    const char *name, *summary;
    const struct argument *arguments;
    size_t argument_count;
    size_t options_size; /* of the struct that the arguments fill; at most VERB_OPTIONS_MAX */
    enum verb_config config;
    const char *const
        *settings;  /* of a verb that makes its own surroundings: "name=value", ended by
                     * NULL; file and environment are not read, --set wins over them */
    unsigned needs; /* CONFIG_NEED_… */
    bool (*run)(struct config *config, const void *options, struct error *err);
};

enum { VERB_OPTIONS_MAX = 256 };

extern const struct verb verb_run, verb_preview, verb_check, verb_demo, verb_options,
    verb_dashboard, verb_token, verb_offsets, verb_replay, verb_retry, verb_redrive, verb_park,
    verb_forget;

#endif
