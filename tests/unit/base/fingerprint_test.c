/* fingerprint_test: what is shown of secrets. */
#include "base/fingerprint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *option, *secret, *shown;
} cases[] = {
    /* Python: hashlib.scrypt(SECRET, salt=b"elementor-sync fingerprint", n=2**14, r=8, p=1,
       dklen=4) */
    {"auth.hs256_secret", "0123456789abcdef0123456789abcdef", "(set) #ecc526a8"},
    {"registry.token", "0123456789abcdef0123456789abcdeg", "(set) #69b082d7"},
    /* what can be guessed */
    {"auth.hs256_secret", "0123456789abcdef0123456789abcde", "(set)"},
    {"registry.token", "", "(set)"},
    {"registry.password", "0123456789abcdef0123456789abcdef", "(set)"},
};

static void shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[FINGERPRINT_SHOWN];
        assert_string_equal(fingerprint_show(cases[i].option, cases[i].secret, text),
                            cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
