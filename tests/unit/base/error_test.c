/* error_test: the first error wins, and its text is one bounded line whatever it quotes. */
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_first_one_wins(void **state)
{
    (void)state;
    struct error err = {0};
    assert_false(error_set(&err, ERROR_CONFIG, "first %d", 1));
    assert_false(error_set(&err, ERROR_FAILED, "second"));
    assert_int_equal(err.code, ERROR_CONFIG);
    assert_string_equal(err.text, "first 1");
    assert_int_equal(error_exit_code(&err), 2);
    assert_false(error_set(NULL, ERROR_FAILED, "to nobody"));
}

/* A schema may be called "a\nb": found by fuzzing. */
static void the_text_is_one_line(void **state)
{
    (void)state;
    struct error err = {0};
    error_set(&err, ERROR_UNDECODABLE, "no \"%s\"", "a\nb\r\x1b[2J\x7f\xc3\xa9");
    assert_string_equal(err.text, "no \"a b ?[2J?\xc3\xa9\"");
}

static void the_text_is_bounded(void **state)
{
    (void)state;
    struct error err = {0};
    char many[2 * ERROR_TEXT_MAX];
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    error_set(&err, ERROR_FAILED, "%s", many);
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_one_wins),
        cmocka_unit_test(the_text_is_one_line),
        cmocka_unit_test(the_text_is_bounded),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
