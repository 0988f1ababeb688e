/* tally_test: counts of texts. */
#include "check/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void add(struct tally *t, const char *text)
{
    tally_add(t, text, strlen(text));
}

static void most_frequent_first(void **state)
{
    struct tally t = {0};
    char text[256];
    (void)state;
    assert_string_equal(tally_list(&t, "", text, sizeof text), "none");
    add(&t, "pending");
    add(&t, "shipped");
    add(&t, "shipped");
    assert_string_equal(tally_list(&t, "", text, sizeof text), "shipped (2), pending (1)");
    assert_string_equal(tally_list(&t, "\"", text, sizeof text),
                        "\"shipped\" (2), \"pending\" (1)");
    assert_int_equal(t.total, 3);
}

static void no_more_than_there_is_room_for(void **state)
{
    struct tally t = {0};
    char text[1024], small[48];
    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof text, "v%d", i);
        add(&t, text);
    }
    assert_int_equal(t.others, 40 - TALLY_ENTRIES);
    assert_non_null(strstr(tally_list(&t, "", text, sizeof text), " and others (28)"));
    assert_string_equal(tally_list(&t, "", small, sizeof small), "v0 (1), v1 (1) and others (38)");
}

static void nothing_reaches_a_terminal(void **state)
{
    struct tally t = {0};
    char text[1024], longer[200];
    (void)state;
    add(&t, "a\x1b[31mb\xff\xc2\x9b");
    assert_string_equal(tally_list(&t, "", text, sizeof text), "a?[31mb?? (1)");
    t = (struct tally){0};
    memset(longer, 'x', sizeof longer);
    for (size_t i = 0; i + 1 < sizeof longer; i += 2)
        memcpy(longer + i, "\xc3\xa9", 2);
    tally_add(&t, longer, sizeof longer);
    assert_true(strlen(t.entries[0].text) < TALLY_TEXT);
    assert_non_null(strstr(t.entries[0].text, "\xc3\xa9…"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(most_frequent_first),
                                       cmocka_unit_test(no_more_than_there_is_room_for),
                                       cmocka_unit_test(nothing_reaches_a_terminal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
