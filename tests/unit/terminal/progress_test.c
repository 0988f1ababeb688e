/* progress_test: what a command is at is shown after a second, on a terminal, and goes away. */
#include "terminal/progress.h"

#include "cli/confirm.h"
#include "fakes/pseudo_terminal.h"
#include "sys/clock.h"
#include "terminal/style.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct pseudo_terminal shown;

static void a_long_step_is_shown_and_goes_away(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    pseudo_terminal_begin(&shown, 80);
    int64_t began_ms = clock_mono_ms();
    progress_step("reading topic orders", 1200);
    progress_at(300);
    bool is_there =
        pseudo_terminal_await(&shown, "[#####               ] reading topic orders: 300 of 1200, ");
    int64_t after_ms = clock_mono_ms() - began_ms;
    progress_step("asking \x1b[2J", -1);
    progress_one_more();
    bool is_next = pseudo_terminal_await(&shown, "asking ?[2J: 1, ");
    progress_end();
    pseudo_terminal_end(&shown);
    assert_true(is_there);
    assert_true(after_ms >= 1000); /* a quick command shows nothing of it */
    assert_true(is_next);
    assert_string_equal(shown.text + shown.len - 4, "\r\033[K");
}

static void a_short_step_shows_nothing(void **state)
{
    (void)state;
    pseudo_terminal_begin(&shown, 80);
    int64_t began_ms = clock_mono_ms();
    progress_step("reading", 2);
    progress_at(1);
    progress_end();
    bool short_enough = clock_mono_ms() - began_ms < 1000;
    pseudo_terminal_end(&shown);
    if (short_enough)
        assert_string_equal(shown.text, "");
}

/* A line that wraps could not be taken away again. */
static void the_line_fits_the_terminal(void **state)
{
    (void)state;
    pseudo_terminal_begin(&shown, 40);
    progress_step("reading topic a.very.long.name.of.a.topic.in.a.cluster", 10);
    bool is_there = pseudo_terminal_await(&shown, "reading topic");
    progress_end();
    pseudo_terminal_end(&shown);
    assert_true(is_there);
    const char *text = strstr(shown.text, "\033[K") + 3;
    assert_true(strcspn(text, "\r") < 40);
}

/* Nothing in a file, nor where a cursor does not move. */
static void nothing_is_drawn_elsewhere(void **state)
{
    (void)state;
    setenv("TERM", "dumb", 1);
    pseudo_terminal_begin(&shown, 80);
    assert_false(terminal_is_there(STDERR_FILENO));
    progress_step("reading", 2); /* begins no thread that could draw */
    progress_end();
    pseudo_terminal_end(&shown);
    setenv("TERM", "xterm", 1);
    assert_string_equal(shown.text, "");
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_false(terminal_is_there(null));
    close(null);
}

static void colours_are_for_terminals_that_want_them(void **state)
{
    (void)state;
    pseudo_terminal_begin(&shown, 132);
    bool coloured = *terminal_style(STDOUT_FILENO)->bad != '\0';
    size_t width = terminal_width(STDOUT_FILENO);
    setenv("NO_COLOR", "1", 1);
    bool refused = terminal_style(STDOUT_FILENO) == &terminal_plain;
    setenv("NO_COLOR", "", 1);
    bool empty = terminal_style(STDOUT_FILENO) != &terminal_plain;
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    bool dumb = terminal_style(STDOUT_FILENO) == &terminal_plain;
    unsetenv("TERM");
    bool unknown = terminal_style(STDOUT_FILENO) == &terminal_plain;
    setenv("TERM", "xterm", 1);
    pseudo_terminal_end(&shown);
    assert_true(coloured && refused && empty && dumb && unknown);
    assert_int_equal(width, 132);
    int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_ptr_equal(terminal_style(file), &terminal_plain);
    assert_int_equal(terminal_width(file), TERMINAL_WIDTH);
    close(file);
}

static void every_yes_is_one(void **state)
{
    static const struct {
        const char *typed;
        bool yes;
    } cases[] = {{"y\n", true}, {"Y\n", true},  {"Yes\n", true},
                 {"\n", false}, {"n\n", false}, {"yep\n", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        pseudo_terminal_begin(&shown, 80);
        pseudo_terminal_type(&shown, cases[i].typed);
        bool yes = command_confirm("Send them?", false, -1, &err);
        pseudo_terminal_end(&shown);
        assert_string_equal(shown.text, "Send them? [y/N] ");
        if (yes != cases[i].yes)
            fail_msg("%s", cases[i].typed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_long_step_is_shown_and_goes_away),
                                       cmocka_unit_test(a_short_step_shows_nothing),
                                       cmocka_unit_test(the_line_fits_the_terminal),
                                       cmocka_unit_test(nothing_is_drawn_elsewhere),
                                       cmocka_unit_test(colours_are_for_terminals_that_want_them),
                                       cmocka_unit_test(every_yes_is_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
