/* signature_test: the specification's own example, several keys, and what is no key. */
#include "delivery/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Published with the Standard Webhooks libraries. */
#define KEY "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY "{\"test\": 2432232314}"
enum { TIMESTAMP = 1614265330 };

/* 64 bytes, 0 … 63 */
#define LONG_KEY                                                                                 \
    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+" \
    "Pw="                                                                                        \
    "="
#define LONG_SIGNATURE "v1,LZ5zuwHTqQH3VM8ERUusjzVQq1FXzemvpR8Mk7Ivp5c="

static void check(const char *keys, const char *expected)
{
    struct signature_keys parsed;
    struct error err = {0};
    char text[SIGNATURE_TEXT_MAX];
    assert_true(signature_keys_parse(keys, &parsed, &err));
    assert_true(signature_write(&parsed, ID, TIMESTAMP, BODY, strlen(BODY), text));
    assert_string_equal(text, expected);
}

static void the_published_example(void **state)
{
    (void)state;
    check(KEY, SIGNATURE);
    check("  " KEY " ", SIGNATURE);
}

static void one_signature_for_each_key(void **state)
{
    (void)state;
    check(KEY " " LONG_KEY, SIGNATURE " " LONG_SIGNATURE);
    check(LONG_KEY "," KEY, LONG_SIGNATURE " " SIGNATURE);
    check(KEY " " KEY " " KEY " " KEY, SIGNATURE " " SIGNATURE " " SIGNATURE " " SIGNATURE);
}

static void padding_may_be_left_out(void **state)
{
    struct signature_keys parsed;
    struct error err = {0};
    (void)state;
    assert_true(signature_keys_parse("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGA", &parsed, &err));
    assert_int_equal(parsed.keys[0].len, 25);
    assert_true(signature_keys_parse("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk=", &parsed, &err));
    assert_int_equal(parsed.keys[0].len, 26);
    assert_int_equal(parsed.keys[0].bytes[25], 25);
}

static void what_is_no_key(void **state)
{
    static const char *const texts[] = {
        "",
        " , ",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=", /* 23 bytes */
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+"
        "P0A=", /* 65 bytes */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-",
        "whsec_MfKQ9r8GKYqr=wjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqr\nwjUPD8ILPZIo2LaLaSw",
        KEY " " KEY " " KEY " " KEY " " KEY,
        KEY " nonsense",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct signature_keys parsed;
        struct error err = {0};
        if (signature_keys_parse(texts[i], &parsed, &err))
            fail_msg("\"%s\" was taken", texts[i]);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_null(strstr(err.text, "MfKQ")); /* never shown */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_example), cmocka_unit_test(one_signature_for_each_key),
        cmocka_unit_test(padding_may_be_left_out), cmocka_unit_test(what_is_no_key)};
    return cmocka_run_group_tests_name("signature", tests, NULL, NULL);
}
