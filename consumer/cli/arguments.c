#include "cli/arguments.h"

#include "config/value.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command *find_command(const char *name, const struct command *const *commands)
{
    for (; *commands != NULL; commands++)
        if (strcmp((*commands)->name, name) == 0)
            return *commands;
    return NULL;
}

static bool no_such_command(const char *what, const char *name,
                            const struct command *const *commands, struct error *err)
{
    char names[200] = "";
    for (size_t used = 0; *commands != NULL && used < sizeof names; commands++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "",
                                 (*commands)->name);
    return error_set(err, ERROR_CONFIG, "%s%s; there are %s; see elementor-sync --help", name, what,
                     names);
}

/* -1 in every number, NULL and false elsewhere. */
static void clear(const struct command *command, unsigned char *options)
{
    assert(command->options_size <= COMMAND_OPTIONS_MAX);
    memset(options, 0, COMMAND_OPTIONS_MAX);
    for (size_t i = 0; i < command->argument_count; i++) {
        const struct argument *a = &command->arguments[i];
        if (a->kind == ARGUMENT_COUNT || a->kind == ARGUMENT_DURATION)
            *(int64_t *)(void *)(options + a->offset) = -1;
    }
}

static bool parse_count(const char *name, const char *text, int64_t *ret, struct error *err)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1)
        return error_set(err, ERROR_CONFIG, "%s: \"%s\" is not a whole number of at least 1", name,
                         text);
    *ret = value;
    return true;
}

static bool fill(const struct argument *a, const char *value, void *member, struct error *err)
{
    struct error why = {0};
    switch (a->kind) {
    case ARGUMENT_FLAG: *(bool *)member = true; return true;
    case ARGUMENT_TEXT: *(const char **)member = value; return true;
    case ARGUMENT_COUNT: return parse_count(a->name, value, member, err);
    default: break;
    }
    return config_parse_duration(value, member, &why) ||
           error_set(err, ERROR_CONFIG, "%s: %s", a->name, why.text);
}

static const struct argument *find_own(const struct command *command, const char *name)
{
    for (size_t i = 0; i < command->argument_count; i++)
        if (strcmp(command->arguments[i].name, name) == 0)
            return &command->arguments[i];
    return NULL;
}

/* Only text in the form of an argument's name is shown: with --set webhook.url URL, this is the
 * URL. */
static void refuse_word(const struct invocation *call, const char *word, struct error *err)
{
    int len = (int)strcspn(word, "=");
    if (strncmp(word, "--", 2) == 0 && config_name_is_plain(word + 2))
        error_set(err, ERROR_CONFIG, "%.*s: %s has no such argument; see elementor-sync --help",
                  len, word, call->command->name);
    else if (call->set_count > 0 && strchr(call->sets[call->set_count - 1], '=') == NULL)
        error_set(err, ERROR_CONFIG,
                  "--set: write NAME=VALUE in one word, with a = between them, such as --set "
                  "webhook.timeout=5s");
    else
        error_set(err, ERROR_CONFIG,
                  "a word of the command line is not an argument of %s (not shown, as it may be a "
                  "secret); see elementor-sync --help",
                  call->command->name);
}

/* One argument and its value, if it takes one; how many words it took, 0 on an error. */
static int take(struct invocation *call, const char *name, const char *value, struct error *err)
{
    const struct argument *own = find_own(call->command, name);
    bool common = strcmp(name, "--config") == 0 || strcmp(name, "--set") == 0;
    if (own == NULL && !common) {
        refuse_word(call, name, err);
        return 0;
    }
    bool takes_value = common || own->kind != ARGUMENT_FLAG;
    if (takes_value && value == NULL) {
        error_set(err, ERROR_CONFIG, "%s: its value is missing", name);
        return 0;
    }
    if (own != NULL)
        return fill(own, value, call->options + own->offset, err) ? 1 + takes_value : 0;
    if (strcmp(name, "--config") == 0) {
        call->config_path = value;
    } else if (call->set_count == ARGUMENTS_SETS_MAX) {
        error_set(err, ERROR_CONFIG, "--set: more than %d", ARGUMENTS_SETS_MAX);
        return 0;
    } else {
        call->sets[call->set_count++] = value;
    }
    return 2;
}

bool arguments_hide(struct invocation *call, struct config *config, struct error *err)
{
    for (size_t i = 0; i < call->set_count; i++) {
        char *word = (char *)(uintptr_t)call->sets[i], name[CONFIG_NAME_MAX];
        size_t len = strcspn(word, "=");
        snprintf(name, sizeof name, "%.*s", (int)len, word);
        if (word[len] == '\0' || !(config_name_is_secret(name) || config_holds_credentials(word)))
            continue;
        call->sets[i] = call->hidden[call->hidden_count] = strdup(word);
        if (call->sets[i] == NULL)
            return error_no_memory(err);
        call->hidden_count++;
        memset(word + len + 1, 'x', strlen(word + len + 1));
        config_warn(config,
                    "--set %s: a secret on the command line was visible in the list of processes, "
                    "and may be in the shell's history; pass it by the environment or a file (the "
                    "variable's name with _FILE)",
                    config_name_is_plain(name) ? name : "(a name)");
    }
    return true;
}

void arguments_done(struct invocation *call)
{
    for (size_t i = 0; i < call->hidden_count; i++)
        free(call->hidden[i]);
    call->hidden_count = 0;
}

bool arguments_parse(int argc, char *const *argv, const struct command *const *commands,
                     struct invocation *ret, struct error *err)
{
    *ret = (struct invocation){0};
    if (argc < 2)
        return no_such_command("say what to do", "", commands, err);
    ret->command = find_command(argv[1], commands);
    if (ret->command == NULL)
        return no_such_command(": no such command",
                               config_name_is_plain(argv[1]) ? argv[1] : "that word", commands,
                               err);
    clear(ret->command, ret->options);
    for (int i = 2; i < argc;) {
        int taken = take(ret, argv[i], i + 1 < argc ? argv[i + 1] : NULL, err);
        if (taken == 0)
            return false;
        i += taken;
    }
    return true;
}
