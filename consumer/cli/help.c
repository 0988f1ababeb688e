#include "cli/help.h"

#include "cli/arguments.h"

#include <string.h>

enum { COMMAND_COLUMN = 14, ARGUMENT_COLUMN = 24 };

static bool is_any(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

bool help_is_wanted(int argc, char *const *argv, const struct command *const *commands,
                    const struct command **ret_command)
{
    bool is_help = argc > 1 && strcmp(argv[1], "help") == 0;
    const char *name = argc > 1 + is_help ? argv[1 + is_help] : NULL;
    *ret_command = arguments_command(name, commands);
    if (is_help && (name == NULL || *ret_command != NULL || strcmp(name, "help") == 0))
        return true;
    for (int i = 1; i < argc; i++)
        if (is_any(argv[i], "--help", "-h"))
            return true;
    return false;
}

static void add_blanks(struct buf *b, size_t count)
{
    while (count-- > 0)
        buf_add_char(b, ' ');
}

/* Words from the present column on, further lines from `indent` on; then a line's end. */
static void add_wrapped(struct buf *b, const char *text, size_t column, size_t indent, size_t width)
{
    bool first = true;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (!first && column + 1 + len > width) {
            buf_add_char(b, '\n');
            add_blanks(b, indent);
            column = indent;
            first = true;
        }
        if (!first)
            buf_add_char(b, ' ');
        buf_add(b, text, len);
        column += len + !first;
        first = false;
        text += len + (text[len] == ' ');
    }
    buf_add_char(b, '\n');
}

/* "  left            text", the text in a column of its own, or below where left is too wide. */
static void add_row(struct buf *b, const char *left, const char *placeholder, const char *text,
                    size_t indent, size_t width)
{
    size_t column = 2 + strlen(left) + (*placeholder != '\0' ? 1 + strlen(placeholder) : 0);
    buf_addf(b, "  %s%s%s", left, *placeholder != '\0' ? " " : "", placeholder);
    if (column + 2 > indent) {
        buf_add_char(b, '\n');
        column = 0;
    }
    add_blanks(b, indent - column);
    add_wrapped(b, text, indent, indent, width);
}

static void add_heading(struct buf *b, const char *heading, const struct terminal_style *style)
{
    buf_addf(b, "\n%s%s%s\n", style->strong, heading, style->off);
}

void help_add_all(struct buf *b, const struct command *const *commands, size_t width,
                  const struct terminal_style *style)
{
    add_wrapped(b,
                "elementor-sync: delivers confirmed orders from a Kafka CDC topic to an Elementor "
                "webhook",
                0, 0, width);
    buf_addf(b, "\n%susage:%s elementor-sync COMMAND [--config FILE] [--set NAME=VALUE]...\n\n",
             style->strong, style->off);
    for (; *commands != NULL; commands++)
        add_row(b, (*commands)->name, "", (*commands)->summary, COMMAND_COLUMN, width);
    add_row(b, "help", "",
            "all of one command: help COMMAND; help --man, help --completions=bash|zsh|fish",
            COMMAND_COLUMN, width);
    buf_add_char(b, '\n');
    add_wrapped(b,
                "Options come from the file (YAML), then the environment (kafka.brokers is "
                "KAFKA_BROKERS), then --set. Secrets may come from files: "
                "WEBHOOK_URL_FILE=/run/secrets/url. elementor-sync options lists them all.",
                0, 0, width);
}

static void add_exit_codes(struct buf *b, const struct command *command, size_t width,
                           const struct terminal_style *style)
{
    add_heading(b, "exit codes:", style);
    add_row(b, "0", "", "done", 6, width);
    add_row(b, "1", "", command->failure != NULL ? command->failure : "it could not be done", 6,
            width);
    add_row(b, "2", "", "usage or configuration: the message says what to change", 6, width);
    add_row(b, "3", "", "something outside is down: trying again later may do", 6, width);
}

void help_add_command(struct buf *b, const struct command *command, size_t width,
                      const struct terminal_style *style)
{
    buf_addf(b, "%susage:%s elementor-sync %s [--config FILE] [--set NAME=VALUE]...%s\n\n",
             style->strong, style->off, command->name,
             command->argument_count > 0 ? " [ARGUMENT]..." : "");
    add_wrapped(b, command->summary, 0, 0, width);
    if (command->argument_count > 0)
        add_heading(b, "arguments:", style);
    for (size_t i = 0; i < command->argument_count; i++) {
        const struct argument *a = &command->arguments[i];
        add_row(b, a->name, a->placeholder, a->help, ARGUMENT_COLUMN, width);
    }
    if (command->examples != NULL) {
        add_heading(b, "examples:", style);
        for (const char *const *example = command->examples; *example != NULL; example++)
            buf_addf(b, "  elementor-sync %s\n", *example);
    }
    add_exit_codes(b, command, width, style);
}
