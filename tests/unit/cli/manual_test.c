/* manual: every command, argument and option is on the page and in each shell's completion. */
#include "cli/manual.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct argument strange[] = {
    {"--say", ARGUMENT_TEXT, 0, "WORD", ".begins like a request; it's [odd]: \\d"}};
static const struct command command_strange = {
    .name = "strange", .summary = "it's \\ strange", .arguments = strange, .argument_count = 1};
static const struct command *const commands[] = {&command_run, &command_check, &command_redrive,
                                                 &command_strange, NULL};

static void assert_holds(const struct buf *b, const char *text)
{
    if (memmem(b->data, b->len, text, strlen(text)) == NULL)
        fail_msg("no \"%s\"", text);
}

static void all_of_it_is_in_each_text(void **state)
{
    static const char *const words[] = {"--man", "--completions=bash", "--completions=zsh",
                                        "--completions=fish"};
    (void)state;
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        char *argv[] = {"elementor-sync", "help", (char *)(uintptr_t)words[w]};
        struct error err = {0};
        struct buf b;
        bool ok;
        buf_init(&b, MANUAL_MAX);
        assert_true(manual_is_wanted(&b, 3, argv, commands, &ok, &err));
        assert_true(ok && buf_ok(&b));
        for (size_t i = 0; commands[i] != NULL; i++)
            assert_holds(&b, commands[i]->name);
        assert_holds(&b, w == 0 ? "\\-\\-until\\-end" : w == 3 ? "-l until-end" : "--until-end");
        for (size_t i = 0; i < config_option_count; i++)
            assert_holds(&b, config_options[i].name);
        buf_done(&b);
    }
}

static void nothing_is_taken_for_markup(void **state)
{
    struct error err = {0};
    struct buf b;
    (void)state;
    buf_init(&b, MANUAL_MAX);
    manual_add_page(&b, commands);
    assert_holds(&b, "\nit's \\e strange\n");
    assert_holds(&b, "\n\\&.begins like a request; it's [odd]: \\ed\n");
    buf_reset(&b);
    assert_true(manual_add_completions(&b, "zsh", commands, &err));
    assert_holds(&b, "it'\\''s \\[odd\\]\\: \\\\d]:WORD: '");
    buf_done(&b);
}

static void other_words_are_others(void **state)
{
    static const struct {
        const char *words[2];
        bool wanted, ok;
    } cases[] = {{{"--completions", "fish"}, true, true}, {{"--completions", "tcsh"}, true, false},
                 {{"--completions=", NULL}, true, false}, {{"--completions", NULL}, true, false},
                 {{"--complete", NULL}, false, true},     {{"run", NULL}, false, true}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *argv[] = {"elementor-sync", "help", (char *)(uintptr_t)cases[i].words[0],
                        (char *)(uintptr_t)cases[i].words[1]};
        struct error err = {0};
        struct buf b;
        bool ok;
        buf_init(&b, MANUAL_MAX);
        int argc = cases[i].words[1] != NULL ? 4 : 3;
        assert_int_equal(manual_is_wanted(&b, argc, argv, commands, &ok, &err), cases[i].wanted);
        assert_int_equal(ok, cases[i].ok);
        assert_int_equal(err.code, cases[i].ok ? ERROR_NONE : ERROR_CONFIG);
        buf_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_is_in_each_text),
        cmocka_unit_test(nothing_is_taken_for_markup),
        cmocka_unit_test(other_words_are_others),
    };
    return cmocka_run_group_tests_name("manual", tests, NULL, NULL);
}
