/* printable_test: what strangers wrote, where a terminal shows it. */
#include "base/printable.h"

#include "base/error.h"
#include "config/config.h"
#include "config/value.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text, *shown, *json;
} texts[] = {
    {"", "", "\"\""},
    {"plain \xc3\xa9 \xd8\xb9\xd9\x84\xd9\x8a \xf0\x9f\x98\x80",
     "plain \xc3\xa9 \xd8\xb9\xd9\x84\xd9\x8a \xf0\x9f\x98\x80",
     "\"plain \xc3\xa9 \xd8\xb9\xd9\x84\xd9\x8a \xf0\x9f\x98\x80\""},
    {"\x1b]0;title\x07\x1b[2J", "?]0;title??[2J", "\"\\u001b]0;title\\u0007\\u001b[2J\""},
    {"a\tb\r\nc\x7f", "a b  c?", "\"a\\u0009b\\u000d\\u000ac\\u007f\""},
    {"\xc2\x9b"
     "31m\xc2\x85",
     "?31m?", "\"\\u009b31m\\u0085\""},
    {"x\xe2\x80\xaey\xe2\x81\xa6z\xe2\x81\xa9\xe2\x80\x8e\xd8\x9c", "x?y?z???",
     "\"x\\u202ey\\u2066z\\u2069\\u200e\\u061c\""},
    {"l\xe2\x80\xa8p\xe2\x80\xa9", "l?p?", "\"l\\u2028p\\u2029\""},
    {"t\xf3\xa0\x80\x81", "t?", "\"t\\udb40\\udc01\""},
    {"\xff\xc3", "??", "\"\\ufffd\\ufffd\""},
    {"\"\\", "\"\\", "\"\\\"\\\\\""},
};

static void each_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char shown[128];
        struct buf b;
        assert_string_equal(printable(texts[i].text, shown, sizeof shown), texts[i].shown);
        buf_init(&b, 4096);
        printable_add_json(&b, texts[i].text, strlen(texts[i].text));
        assert_string_equal(buf_text(&b), texts[i].json);
        json_t *read = json_loads(buf_text(&b), JSON_DECODE_ANY, NULL);
        assert_non_null(read);
        if (i != 8) /* its bytes are no text */
            assert_string_equal(json_string_value(read), texts[i].text);
        json_decref(read);
        buf_done(&b);
    }
    printable_make(NULL);
}

static void a_copy_is_cut_at_a_character(void **state)
{
    char shown[4];
    (void)state;
    assert_string_equal(printable("ab\xc3\xa9", shown, sizeof shown), "ab");
    assert_string_equal(printable("a\xc3\xa9z", shown, sizeof shown), "a\xc3\xa9");
}

/* Errors and configuration values both quote a text to an operator. */
static void errors_and_values_are_printable(void **state)
{
    char shown[64];
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error err = {0};
        error_set(&err, ERROR_FAILED, "%s", texts[i].text);
        assert_string_equal(err.text, texts[i].shown);
        assert_string_equal(config_show(texts[i].text, shown, sizeof shown), texts[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_text),
                                       cmocka_unit_test(a_copy_is_cut_at_a_character),
                                       cmocka_unit_test(errors_and_values_are_printable)};
    return cmocka_run_group_tests_name("printable", tests, NULL, NULL);
}
