/* case_mismatch_test: statuses that people take for the rule's value. */
#include "order/near_miss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *text, const char *value, bool near)
{
    if (case_mismatch(text, strlen(text), value) != near)
        fail_msg("\"%s\" for \"%s\" is %s near miss", text, value, near ? "no" : "a");
}

static void the_same_to_the_eye(void **state)
{
    static const char *const texts[] = {"Confirmed",
                                        "CONFIRMED",
                                        " confirmed",
                                        "confirmed ",
                                        "confirmed\t",
                                        "confirmed\n",
                                        "con firmed",
                                        "confirmed.",
                                        "\"confirmed\"",
                                        "confirmed\xc2\xa0" /* no-break space */,
                                        "\xe2\x80\x8b"
                                        "confirmed" /* zero width */,
                                        "\xef\xbb\xbf"
                                        "confirmed" /* BOM */,
                                        "\xd1\x81"
                                        "onfirmed" /* Cyrillic с */,
                                        "c\xd0\xbe"
                                        "nfirmed" /* Cyrillic о */,
                                        "c\xce\xbf"
                                        "nfirmed" /* Greek ο */,
                                        "confirm\xd0\xb5"
                                        "d",
                                        "\xef\xbd\x83onfirmed" /* full width */,
                                        "confirme\xcc\x81"
                                        "d" /* combining accent */,
                                        "confirm\xc3\xa9"
                                        "d",
                                        "conf\xc4\xb1rmed" /* Turkish ı */};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect(texts[i], "confirmed", true);
}

static void one_letter_apart(void **state)
{
    static const char *const texts[] = {"CONFIRM\xc3\x89"
                                        "E",
                                        "Confirm\xc3\xa9"
                                        "e",
                                        "confirm\xc3\xa9",
                                        "confirmee",
                                        "confimed",
                                        "conifrmed"};
    static const bool near[] = {true, true, true, true, true, false};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect(texts[i], "confirmed", near[i]);
    expect("confirmed",
           "confirm\xc3\xa9"
           "e",
           true);
    expect("confirmee",
           "confirm\xc3\xa9"
           "e",
           true);
}

static void something_else(void **state)
{
    static const char *const texts[] = {"confirmed",
                                        "",
                                        " ",
                                        "pending",
                                        "unconfirmed",
                                        "cancelled",
                                        "confirmation_pending",
                                        "not confirmed",
                                        "conf",
                                        "\xff",
                                        "confirmed by phone",
                                        "\xe7\xa1\xae\xe8\xae\xa4"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect(texts[i], "confirmed", false);
    expect("said", "paid", false);
    expect("pai", "paid", false);
    expect("PAID", "paid", true);
    expect("pay\xc3\xa9", "paye", true);
    expect("3", "2", false);
    expect("confirmed2", "confirmed", false);
    expect("x", "", false);
    expect("\xe5\xb7\xb2\xe7\xa1\xae", "\xe5\xb7\xb2\xe7\xa1\xae", false);
    expect("\xe5\xb7\xb2\xe7\xa1\xae ", "\xe5\xb7\xb2\xe7\xa1\xae", true);
    expect("\xe5\xb7\xb2\xe4\xbb\x98", "\xe5\xb7\xb2\xe7\xa1\xae", false);
}

/* Bytes of any kind. */
static void any_bytes(void **state)
{
    char text[300];
    (void)state;
    for (size_t len = 0; len < sizeof text; len++) {
        for (size_t i = 0; i < len; i++)
            text[i] = (char)(i * 37 + len * 11);
        (void)case_mismatch(text, len, "confirmed");
        memset(text, 'c', len);
        (void)case_mismatch(text, len, "confirmed");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_to_the_eye), cmocka_unit_test(one_letter_apart),
        cmocka_unit_test(something_else), cmocka_unit_test(any_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
