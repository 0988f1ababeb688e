#include "cli/arguments.h"

#include "base/slice.h"
#include "config/suggest.h"
#include "config/value.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct command *arguments_command(const char *name, const struct command *const *commands)
{
    for (; name != NULL && *commands != NULL; commands++)
        if (strcmp((*commands)->name, name) == 0)
            return *commands;
    return NULL;
}

enum { NEAR_ENOUGH = 3 }; /* typing errors */

/* The nearest name, if it is near; NULL otherwise. */
static const char *nearest_command(const char *name, const struct command *const *commands)
{
    const char *nearest = NULL;
    size_t least = NEAR_ENOUGH;
    for (; *commands != NULL; commands++) {
        size_t distance = config_distance(name, (*commands)->name);
        if (distance < least && distance < strlen((*commands)->name)) {
            least = distance;
            nearest = (*commands)->name;
        }
    }
    return nearest;
}

static bool no_command(const struct command *const *commands, struct error *err)
{
    char names[200] = "";
    for (size_t used = 0; *commands != NULL && used < sizeof names; commands++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "",
                                 (*commands)->name);
    return error_set(err, ERROR_CONFIG, "say what to do; there are %s; see elementor-sync help",
                     names);
}

/* Only a word that looks like a name is shown: it may be a secret in the wrong place. */
static bool no_such_command(const char *name, const struct command *const *commands,
                            struct error *err)
{
    bool is_plain = config_name_is_plain(name);
    const char *nearest = is_plain ? nearest_command(name, commands) : NULL;
    if (nearest != NULL)
        return error_set(err, ERROR_CONFIG,
                         "%s: no such command; did you mean %s? See elementor-sync help", name,
                         nearest);
    return error_set(err, ERROR_CONFIG, "%s: no such command; see elementor-sync help",
                     is_plain ? name : "that word");
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

static const char *nearest_argument(const struct command *command, const char *name)
{
    const char *nearest = NULL;
    size_t least = NEAR_ENOUGH;
    for (size_t i = 0; i < command->argument_count; i++) {
        size_t distance = config_distance(name, command->arguments[i].name);
        if (distance < least) {
            least = distance;
            nearest = command->arguments[i].name;
        }
    }
    return nearest;
}

/* Only text in the form of an argument's name is shown: with --set webhook.url URL, this is the
 * URL. */
static void refuse_word(const struct invocation *call, const char *word, struct error *err)
{
    char name[CONFIG_NAME_MAX];
    const char *command = call->command->name;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    bool is_name = has_prefix(name, "--") && config_name_is_plain(name + 2);
    const char *nearest = is_name ? nearest_argument(call->command, name) : NULL;
    if (nearest != NULL)
        error_set(err, ERROR_CONFIG, "%s: %s has no such argument; did you mean %s?", name, command,
                  nearest);
    else if (is_name)
        error_set(err, ERROR_CONFIG, "%s: %s has no such argument; see elementor-sync help %s",
                  name, command, command);
    else if (call->set_count > 0 && strchr(call->sets[call->set_count - 1], '=') == NULL)
        error_set(err, ERROR_CONFIG,
                  "--set: write NAME=VALUE in one word, with a = between them, such as --set "
                  "webhook.timeout=5s");
    else
        error_set(err, ERROR_CONFIG,
                  "a word of the command line is not an argument of %s (not shown, as it may be a "
                  "secret); see elementor-sync help %s",
                  command, command);
}

static bool take_set(struct invocation *call, const char *value, struct error *err)
{
    if (call->set_count == ARGUMENTS_SETS_MAX)
        return error_set(err, ERROR_CONFIG, "--set: more than %d", ARGUMENTS_SETS_MAX);
    call->sets[call->set_count++] = value;
    return true;
}

/* One argument and its value, behind a = in the same word or in the next one; how many words it
 * took, 0 on an error. */
static int take(struct invocation *call, const char *word, const char *next, struct error *err)
{
    char name[CONFIG_NAME_MAX];
    size_t len = strcspn(word, "=");
    const char *joined = has_prefix(word, "--") && word[len] == '=' ? word + len + 1 : NULL;
    snprintf(name, sizeof name, "%.*s", (int)len, word);
    const struct argument *own = find_own(call->command, name);
    bool is_config = strcmp(name, "--config") == 0, is_set = strcmp(name, "--set") == 0;
    if (own == NULL && !is_config && !is_set) {
        refuse_word(call, word, err);
        return 0;
    }
    bool takes_value = own == NULL || own->kind != ARGUMENT_FLAG;
    const char *value = joined != NULL ? joined : next;
    if (takes_value ? value == NULL : joined != NULL) {
        error_set(err, ERROR_CONFIG, takes_value ? "%s: its value is missing" : "%s takes no value",
                  name);
        return 0;
    }
    bool ok = true;
    if (own != NULL)
        ok = fill(own, value, call->options + own->offset, err);
    else if (is_set)
        ok = take_set(call, value, err);
    else
        call->config_path = value;
    return ok ? 1 + (takes_value && joined == NULL) : 0;
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
        config_forget_secret(&call->hidden[i]);
    call->hidden_count = 0;
}

bool arguments_parse(int argc, char *const *argv, const struct command *const *commands,
                     struct invocation *ret, struct error *err)
{
    *ret = (struct invocation){0};
    if (argc < 2)
        return no_command(commands, err);
    ret->command = arguments_command(argv[1], commands);
    if (ret->command == NULL) {
        bool is_help = argc > 2 && strcmp(argv[1], "help") == 0; /* main prints that of a command */
        return no_such_command(argv[is_help ? 2 : 1], commands, err);
    }
    clear(ret->command, ret->options);
    for (int i = 2; i < argc;) {
        int taken = take(ret, argv[i], i + 1 < argc ? argv[i + 1] : NULL, err);
        if (taken == 0)
            return false;
        i += taken;
    }
    return true;
}
