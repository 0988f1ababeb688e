/* command: the commands of `elementor-sync COMMAND`. One file for each: its arguments, then its
 * work.
 *
 * A command's arguments fill a struct of its own: each row names the member that it fills. Members
 * no argument fills are false, NULL or -1. --config and --set belong to every command; main loads
 * the configuration, checks what the command needs of it, and sets up the log before the command
 * runs. */
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

/* The preparation of the configuration by main before the command runs. */
enum command_config {
    COMMAND_CONFIG_CHECKED, /* loaded, checked for what the command needs, its warnings logged */
    COMMAND_CONFIG_LOADED,  /* loaded; the command checks it itself (config_finish) */
    COMMAND_CONFIG_NONE     /* not looked at: nothing but defaults */
};

struct command {
    const char *name, *summary;
    const char *failure;         /* what exit code 1 means; NULL: it could not be done */
    const char *const *examples; /* behind "elementor-sync ", ended by NULL; NULL: none */
    const struct argument *arguments;
    size_t argument_count;
    size_t options_size; /* of the struct that the arguments fill; at most COMMAND_OPTIONS_MAX */
    enum command_config config;
    const char *const
        *settings;  /* of a command that makes its own surroundings: "name=value", ended by
                     * NULL; file and environment are not read, --set wins over them */
    unsigned needs; /* CONFIG_NEED_… */
    bool (*run)(struct config *config, const void *options, struct error *err);
};

enum { COMMAND_OPTIONS_MAX = 256 };

extern const struct command command_run, command_preview, command_check, command_demo,
    command_options, command_dashboard, command_token, command_offsets, command_replay,
    command_retry, command_redrive, command_park, command_dismiss, command_pause, command_resume,
    command_forget, command_reconcile, command_health, command_version;

#endif
