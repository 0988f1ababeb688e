#include "cli/manual.h"

#include "base/slice.h"
#include "config/reference/reference.h"

#include <string.h>

/* ---- the manual page ---- */

/* Prose: a backslash is none of groff's, and no line begins with a request. */
static void add_prose(struct buf *b, const char *text)
{
    if (*text == '.' || *text == '\'')
        buf_add_text(b, "\\&");
    for (; *text != '\0'; text++)
        if (*text == '\\')
            buf_add_text(b, "\\e");
        else
            buf_add_char(b, *text);
    buf_add_char(b, '\n');
}

/* Text that is typed: a dash must stay one that a shell takes. */
static void add_typed(struct buf *b, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\\')
            buf_add_text(b, "\\e");
        else if (*text == '-')
            buf_add_text(b, "\\-");
        else
            buf_add_char(b, *text);
}

static void add_argument(struct buf *b, const char *name, const char *placeholder, const char *help)
{
    buf_add_text(b, ".TP\n\\fB");
    add_typed(b, name);
    buf_add_text(b, "\\fR");
    if (*placeholder != '\0')
        buf_addf(b, " \\fI%s\\fR", placeholder);
    buf_add_char(b, '\n');
    add_prose(b, help);
}

static void add_examples(struct buf *b, const struct command *command)
{
    if (command->examples == NULL)
        return;
    buf_add_text(b, ".PP\n.EX\n");
    for (const char *const *example = command->examples; *example != NULL; example++) {
        buf_add_text(b, "elementor\\-sync ");
        add_typed(b, *example);
        buf_add_char(b, '\n');
    }
    buf_add_text(b, ".EE\n");
}

static void add_command(struct buf *b, const struct command *command)
{
    buf_addf(b, ".SS %s\n", command->name);
    add_prose(b, command->summary);
    for (size_t i = 0; i < command->argument_count; i++) {
        const struct argument *a = &command->arguments[i];
        add_argument(b, a->name, a->placeholder, a->help);
    }
    if (command->failure != NULL) {
        buf_add_text(b, ".PP\nExit status 1: ");
        add_prose(b, command->failure);
    }
    add_examples(b, command);
}

static void add_options(struct buf *b)
{
    buf_add_text(b, ".SH OPTIONS OF THE CONFIGURATION\n");
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *o = &config_options[i];
        char form[REFERENCE_FORM_MAX];
        buf_add_text(b, ".TP\n\\fB");
        add_typed(b, o->name);
        buf_add_text(b, "\\fR (");
        add_typed(b, reference_form(o, form, sizeof form));
        if (o->fallback != NULL) {
            buf_add_text(b, "; default ");
            add_typed(b, o->fallback);
        }
        buf_add_text(b, ")\n");
        add_prose(b, o->help);
    }
}

void manual_add_page(struct buf *b, const struct command *const *commands)
{
    buf_addf(b, ".TH ELEMENTOR\\-SYNC 1 \"\" \"elementor\\-sync %s\" \"User Commands\"\n",
             ELEMENTOR_SYNC_VERSION);
    buf_add_text(b, ".SH NAME\n"
                    "elementor\\-sync \\- deliver confirmed orders from a Kafka CDC topic to an "
                    "Elementor webhook\n"
                    ".SH SYNOPSIS\n"
                    "\\fBelementor\\-sync\\fR \\fICOMMAND\\fR [\\fB\\-\\-config\\fR \\fIFILE\\fR] "
                    "[\\fB\\-\\-set\\fR \\fINAME\\fR=\\fIVALUE\\fR]... [\\fIARGUMENT\\fR]...\n"
                    ".SH DESCRIPTION\n"
                    "When an order in PostgreSQL becomes confirmed, its data reaches an Elementor "
                    "webhook: once, complete, and without the shop's transaction waiting for it. "
                    "The program is a Kafka consumer group that reads the changes which Debezium "
                    "writes.\n"
                    ".PP\n"
                    "Options come from the file (YAML), then the environment (kafka.brokers is "
                    "KAFKA_BROKERS), then \\fB\\-\\-set\\fR. Every secret is also read from the "
                    "file that its variable with _FILE behind it names.\n"
                    ".SH COMMANDS\n");
    for (; *commands != NULL; commands++)
        add_command(b, *commands);
    buf_add_text(b, ".SS help\nPrint all of one command, with its name behind it.\n");
    add_argument(b, "--man", "", "print this page");
    add_argument(b, "--completions", "bash|zsh|fish", "print the completion of a shell");
    add_options(b);
    buf_add_text(b, ".SH EXIT STATUS\n"
                    ".TP\n0\nIt is done.\n"
                    ".TP\n1\nIt could not be done, or as the command says.\n"
                    ".TP\n2\nUsage or configuration: the message says what to change.\n"
                    ".TP\n3\nSomething outside is down: trying again later may do.\n"
                    ".SH FILES\n"
                    ".TP\n\\fI/etc/elementor\\-sync/shop.yaml\\fR\n"
                    "The configuration that the systemd units read.\n"
                    ".TP\n\\fI/etc/elementor\\-sync/secrets/\\fR\n"
                    "Files with one secret each, which the units load as credentials.\n");
}

/* ---- completions ---- */

/* In single quotes of a shell; brackets and colons mean something to zsh. */
static void add_quoted(struct buf *b, const char *text, bool zsh)
{
    for (; *text != '\0'; text++)
        if (*text == '\'')
            buf_add_text(b, "'\\''");
        else if (zsh && strchr("[]:\\", *text) != NULL)
            buf_addf(b, "\\%c", *text);
        else
            buf_add_char(b, *text);
}

static void add_option_names(struct buf *b, const char *separator, const char *end)
{
    for (size_t i = 0; i < config_option_count; i++)
        buf_addf(b, "%s%s%s", i > 0 ? separator : "", config_options[i].name, end);
}

/* The words that options of a choice take, as branches of a shell's case. */
static void add_choices(struct buf *b, const char *form)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *o = &config_options[i];
        bool is_switch = strcmp(o->type, "SWITCH") == 0;
        if (!is_switch && strcmp(o->type, "CHOICE") != 0)
            continue;
        char words[REFERENCE_FORM_MAX];
        size_t len = strlen(is_switch ? "true|false" : o->allowed);
        if (len >= sizeof words)
            continue;
        memcpy(words, is_switch ? "true|false" : o->allowed, len + 1);
        for (char *c = words; *c != '\0'; c++)
            if (*c == '|')
                *c = ' ';
        buf_addf(b, form, o->name, words);
    }
}

/* A = parts words in bash: "--set" "kafka.start" "=" "la". */
static void add_bash(struct buf *b, const struct command *const *commands)
{
    buf_add_text(b, "# bash completion of elementor-sync, by `elementor-sync help "
                    "--completions=bash`\n"
                    "_elementor_sync()\n{\n"
                    "    local cur=${COMP_WORDS[COMP_CWORD]} name= words=\n"
                    "    local prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}\n"
                    "    COMPREPLY=()\n"
                    "    [ \"$cur\" != = ] || { prev='=' cur=; }\n"
                    "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
                    "        COMPREPLY=($(compgen -W '");
    for (size_t i = 0; commands[i] != NULL; i++)
        buf_addf(b, "%s ", commands[i]->name);
    buf_add_text(b,
                 "help --help --version' -- \"$cur\"))\n        return\n    fi\n"
                 "    case $prev in\n"
                 "    --config) COMPREPLY=($(compgen -f -- \"$cur\")) && return ;;\n"
                 "    --set)\n        compopt -o nospace\n        COMPREPLY=($(compgen -S = -W '");
    add_option_names(b, " ", "");
    buf_add_text(b, "' -- \"$cur\"))\n        return\n        ;;\n"
                    "    =)\n        name=${COMP_WORDS[COMP_CWORD - 1]}\n"
                    "        [ \"$name\" != = ] || name=${COMP_WORDS[COMP_CWORD - 2]}\n"
                    "        case $name in\n");
    add_choices(b, "        %s) words='%s' ;;\n");
    buf_add_text(b, "        --completions) words='bash zsh fish' ;;\n        esac\n"
                    "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n        return\n"
                    "        ;;\n    esac\n    case $command in\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        buf_addf(b, "    %s) words='", commands[i]->name);
        for (size_t a = 0; a < commands[i]->argument_count; a++)
            buf_addf(b, "%s ", commands[i]->arguments[a].name);
        buf_add_text(b, "--config --set --help' ;;\n");
    }
    buf_add_text(b, "    help) words='--man --completions ");
    for (size_t i = 0; commands[i] != NULL; i++)
        buf_addf(b, "%s%s", i > 0 ? " " : "", commands[i]->name);
    buf_add_text(b, "' ;;\n    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
                    "complete -F _elementor_sync elementor-sync\n");
}

static void add_zsh(struct buf *b, const struct command *const *commands)
{
    buf_add_text(b, "#compdef elementor-sync\n"
                    "# by `elementor-sync help --completions=zsh`\n"
                    "_elementor_sync_set() {\n"
                    "    if compset -P '*='; then\n        case ${IPREFIX%=} in\n");
    add_choices(b, "        *%s) compadd %s ;;\n");
    buf_add_text(b, "        esac\n    else\n        compadd -S = ");
    add_option_names(b, " ", "");
    buf_add_text(b, "\n    fi\n}\n"
                    "_elementor_sync() {\n"
                    "    local -a commands\n    commands=(\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        buf_addf(b, "        '%s:", commands[i]->name);
        add_quoted(b, commands[i]->summary, false);
        buf_add_text(b, "'\n");
    }
    buf_add_text(b, "        'help:all of one command'\n    )\n"
                    "    if ((CURRENT == 2)); then\n"
                    "        _describe command commands\n        return\n    fi\n"
                    "    local -a common\n"
                    "    common=('*--set[an option]:option:_elementor_sync_set' "
                    "'--config[the configuration]:file:_files' '--help[all of this command]')\n"
                    "    shift words\n    ((CURRENT--))\n"
                    "    case $words[1] in\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        buf_addf(b, "    %s)\n        _arguments $common", commands[i]->name);
        for (size_t a = 0; a < commands[i]->argument_count; a++) {
            const struct argument *argument = &commands[i]->arguments[a];
            buf_addf(b, " \\\n            '%s[", argument->name);
            add_quoted(b, argument->help, true);
            buf_addf(b, argument->kind == ARGUMENT_FLAG ? "]'" : "]:%s: '", argument->placeholder);
        }
        buf_add_text(b, "\n        ;;\n");
    }
    buf_add_text(b, "    help) _describe command commands -- ;;\n    esac\n}\n"
                    "_elementor_sync \"$@\"\n");
}

static void add_fish(struct buf *b, const struct command *const *commands)
{
    buf_add_text(b, "# fish completion of elementor-sync, by `elementor-sync help "
                    "--completions=fish`\n"
                    "complete -c elementor-sync -f\n"
                    "complete -c elementor-sync -l config -rF -d 'the configuration'\n"
                    "complete -c elementor-sync -l set -x -d 'an option' -a '");
    add_option_names(b, " ", "=");
    buf_add_text(b, "'\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        buf_addf(b, "complete -c elementor-sync -n __fish_use_subcommand -a %s -d '",
                 commands[i]->name);
        add_quoted(b, commands[i]->summary, false);
        buf_add_text(b, "'\n");
        for (size_t a = 0; a < commands[i]->argument_count; a++) {
            const struct argument *argument = &commands[i]->arguments[a];
            buf_addf(b,
                     "complete -c elementor-sync -n '__fish_seen_subcommand_from %s' -l %s%s -d '",
                     commands[i]->name, argument->name + 2,
                     argument->kind == ARGUMENT_FLAG ? "" : " -x");
            add_quoted(b, argument->help, false);
            buf_add_text(b, "'\n");
        }
    }
    buf_add_text(b, "complete -c elementor-sync -n __fish_use_subcommand -a help -d 'all of one "
                    "command'\n"
                    "complete -c elementor-sync -n '__fish_seen_subcommand_from help' -a '");
    for (size_t i = 0; commands[i] != NULL; i++)
        buf_addf(b, "%s%s", i > 0 ? " " : "", commands[i]->name);
    buf_add_text(b, "'\n");
}

bool manual_add_completions(struct buf *b, const char *shell, const struct command *const *commands,
                            struct error *err)
{
    static const struct {
        const char *name;
        void (*add)(struct buf *b, const struct command *const *commands);
    } shells[] = {{"bash", add_bash}, {"zsh", add_zsh}, {"fish", add_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].add(b, commands);
            return true;
        }
    return error_set(err, ERROR_CONFIG, "--completions: write bash, zsh or fish");
}

bool manual_is_wanted(struct buf *b, int argc, char *const *argv,
                      const struct command *const *commands, bool *ret_ok, struct error *err)
{
    const char *word = argc > 2 && strcmp(argv[1], "help") == 0 ? argv[2] : "";
    *ret_ok = true;
    if (strcmp(word, "--man") == 0) {
        manual_add_page(b, commands);
        return true;
    }
    const char *rest = after_prefix(word, "--completions");
    if (rest == NULL || (*rest != '=' && *rest != '\0'))
        return false;
    const char *next = argc > 3 ? argv[3] : "";
    *ret_ok = manual_add_completions(b, *rest == '=' ? rest + 1 : next, commands, err);
    return true;
}
