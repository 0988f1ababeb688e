/* help: every command's own words, at every width; its examples are calls that it takes. */
#include "cli/arguments.h"
#include "cli/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct command *const commands[] = {
    &command_run,     &command_preview,   &command_check,   &command_dashboard, &command_token,
    &command_demo,    &command_options,   &command_offsets, &command_replay,    &command_retry,
    &command_redrive, &command_park,      &command_dismiss, &command_pause,     &command_resume,
    &command_forget,  &command_reconcile, &command_health,  &command_version,   NULL};

/* An example as a shell would split it: blanks, double quotes, and no redirection. */
static int split(char *line, char **argv)
{
    int argc = 1;
    argv[0] = "elementor-sync";
    while (*line != '\0' && *line != '<') {
        bool quoted = *line == '"';
        argv[argc++] = line + quoted;
        line += quoted;
        line += strcspn(line, quoted ? "\"" : " ");
        if (quoted && *line == '"')
            *line++ = '\0';
        while (*line == ' ')
            *line++ = '\0';
    }
    return argc;
}

static void examples_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; commands[i] != NULL; i++) {
        assert_non_null(commands[i]->examples);
        for (const char *const *example = commands[i]->examples; *example != NULL; example++) {
            char line[200], *argv[32];
            struct invocation call;
            struct error err = {0};
            strcpy(line, *example);
            if (!arguments_parse(split(line, argv), argv, commands, &call, &err))
                fail_msg("%s: %s", *example, err.text);
            assert_ptr_equal(call.command, commands[i]);
        }
    }
}

static void assert_fits(const struct buf *b, size_t width)
{
    assert_true(buf_ok(b));
    for (size_t at = 0, len; at < b->len; at += len + 1) {
        len = strcspn(b->data + at, "\n");
        bool may_be_cut = memchr(b->data + at, ' ', len) != NULL;
        bool is_line_of_shell = strncmp(b->data + at, "  elementor-sync ", 17) == 0 ||
                                strncmp(b->data + at, "usage: ", 7) == 0;
        if (may_be_cut && !is_line_of_shell && len > width)
            fail_msg("wider than %zu: %.*s", width, (int)len, b->data + at);
    }
}

static void texts_fit_the_terminal(void **state)
{
    static const size_t widths[] = {60, TERMINAL_WIDTH, 200};
    (void)state;
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        struct buf b;
        buf_init(&b, HELP_MAX);
        help_add_all(&b, commands, widths[w], &terminal_plain);
        assert_fits(&b, widths[w]);
        for (size_t i = 0; commands[i] != NULL; i++) {
            buf_reset(&b);
            help_add_command(&b, commands[i], widths[w], &terminal_plain);
            assert_fits(&b, widths[w]);
        }
        buf_done(&b);
    }
}

static void a_commands_help_has_all_of_it(void **state)
{
    static const char *const wanted[] = {"usage: elementor-sync reconcile ", "  --since TIME  ",
                                         "  elementor-sync reconcile --send < orders.csv\n",
                                         "  1   an order is missing", "  3   "};
    struct buf b;
    (void)state;
    buf_init(&b, HELP_MAX);
    help_add_command(&b, &command_reconcile, TERMINAL_WIDTH, &terminal_plain);
    buf_add_char(&b, '\0');
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strstr(b.data, wanted[i]) == NULL)
            fail_msg("no \"%s\" in %s", wanted[i], b.data);
    buf_done(&b);
}

static void help_is_wanted_in_every_form(void **state)
{
    static const struct {
        const char *words[4];
        bool wanted;
        const struct command *command;
    } cases[] = {
        {{"help"}, true, NULL},
        {{"help", "run"}, true, &command_run},
        {{"help", "help"}, true, NULL},
        {{"help", "version"}, true, &command_version},
        {{"help", "help", "help"}, true, NULL},
        {{"help", "help", "run"}, true, NULL},
        {{"help", "--help"}, true, NULL},
        {{"help", "nope"}, false, NULL},
        {{"help", "nope", "-h"}, true, NULL},
        {{"run", "--help"}, true, &command_run},
        {{"run", "-h"}, true, &command_run},
        {{"run", "--config", "f", "-h"}, true, &command_run},
        {{"nope", "-h"}, true, NULL},
        {{"-h"}, true, NULL},
        {{"run", "help"}, false, NULL},
        {{"version"}, false, NULL},
        {{0}, false, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *argv[6] = {"elementor-sync"};
        const struct command *command;
        int argc = 1;
        for (size_t word = 0; word < 4 && cases[i].words[word] != NULL; word++)
            argv[argc++] = (char *)(uintptr_t)cases[i].words[word];
        bool wanted = help_is_wanted(argc, argv, commands, &command);
        if (wanted != cases[i].wanted || (wanted && command != cases[i].command))
            fail_msg("%s %s", argv[1], argc > 2 ? argv[2] : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_are_taken),
        cmocka_unit_test(texts_fit_the_terminal),
        cmocka_unit_test(a_commands_help_has_all_of_it),
        cmocka_unit_test(help_is_wanted_in_every_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
