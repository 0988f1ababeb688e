/* decimal_test: decimals of every sign, size and scale; floating point; the grammar of numbers. */
#include "base/decimal.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 8192 };

#define BYTES(text) (text), sizeof(text) - 1

static const struct {
    const char *bytes;
    size_t len;
    int32_t scale;
    const char *expected;
} decimals[] = {
    /* zero */
    {BYTES(""), 0, "0"},
    {BYTES(""), 2, "0.00"},
    {BYTES(""), -2, "0"},
    {BYTES("\0"), 0, "0"},
    {BYTES("\0"), 2, "0.00"},
    {BYTES("\0\0\0\0\0"), -3, "0"},
    /* one byte, both signs and their ends */
    {BYTES("\x01"), 0, "1"},
    {BYTES("\x7f"), 0, "127"},
    {BYTES("\x80"), 0, "-128"},
    {BYTES("\xff"), 0, "-1"},
    /* where the point falls: behind, within, at the first digit, before it */
    {BYTES("\x7b"), 0, "123"},
    {BYTES("\x7b"), 1, "12.3"},
    {BYTES("\x7b"), 2, "1.23"},
    {BYTES("\x7b"), 3, "0.123"},
    {BYTES("\x7b"), 5, "0.00123"},
    {BYTES("\x85"), 2, "-1.23"},
    {BYTES("\x85"), 4, "-0.0123"},
    {BYTES("\xff"), 3, "-0.001"},
    /* zeros at the end are digits too */
    {BYTES("\x64"), 2, "1.00"},
    {BYTES("\x27\x10"), 3, "10.000"},
    /* a negative scale multiplies */
    {BYTES("\x07"), -1, "70"},
    {BYTES("\x07"), -3, "7000"},
    {BYTES("\xf9"), -2, "-700"},
    /* needless sign bytes */
    {BYTES("\0\0\0\x7b"), 2, "1.23"},
    {BYTES("\xff\xff\xff\xff\xff\x85"), 2, "-1.23"},
    {BYTES("\0\xff"), 0, "255"},
    {BYTES("\xff\0"), 0, "-256"},
    /* where words and chunks of digits end */
    {BYTES("\0\xff\xff\xff\xff"), 0, "4294967295"},
    {BYTES("\x01\0\0\0\0"), 0, "4294967296"},
    {BYTES("\xff\0\0\0\0"), 0, "-4294967296"},
    {BYTES("\x80\0\0\0"), 0, "-2147483648"},
    {BYTES("\x3b\x9a\xc9\xff"), 0, "999999999"},
    {BYTES("\x3b\x9a\xca\0"), 0, "1000000000"},
    {BYTES("\x3b\x9a\xca\x01"), 9, "1.000000001"},
    {BYTES("\x0d\xe0\xb6\xb3\xa7\x64\0\0"), 0, "1000000000000000000"},
    {BYTES("\x0d\xe0\xb6\xb3\xa7\x64\0\0"), 18, "1.000000000000000000"},
    /* 64 bits, and beyond */
    {BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff"), 0, "9223372036854775807"},
    {BYTES("\x80\0\0\0\0\0\0\0"), 0, "-9223372036854775808"},
    {BYTES("\x80\0\0\0\0\0\0\0"), 2, "-92233720368547758.08"},
    {BYTES("\0\x80\0\0\0\0\0\0\0"), 0, "9223372036854775808"},
    {BYTES("\xff\x7f\xff\xff\xff\xff\xff\xff\xff"), 0, "-9223372036854775809"},
    {BYTES("\0\xff\xff\xff\xff\xff\xff\xff\xff"), 0, "18446744073709551615"},
    {BYTES("\x01\0\0\0\0\0\0\0\0"), 4, "1844674407370955.1616"},
    {BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 0,
     "170141183460469231731687303715884105727"},
    {BYTES("\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 10, "-17014118346046923173168730371.5884105728"},
};

static void decimals_keep_their_digits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof decimals / sizeof *decimals; i++) {
        struct buf b;
        buf_init(&b, LIMIT);
        if (!decimal_add(&b, (const uint8_t *)decimals[i].bytes, decimals[i].len,
                         decimals[i].scale))
            fail_msg("%s is refused", decimals[i].expected);
        assert_string_equal(buf_text(&b), decimals[i].expected);
        buf_done(&b);
    }
}

/* Decimal text doubled `times` times, as on paper. */
static void double_digits(char *digits, int times)
{
    size_t len = strlen(digits);
    while (times-- > 0) {
        int carry = 0;
        for (size_t i = len; i-- > 0;) {
            int twice = (digits[i] - '0') * 2 + carry;
            digits[i] = (char)('0' + twice % 10);
            carry = twice / 10;
        }
        if (carry > 0) {
            memmove(digits + 1, digits, ++len);
            digits[0] = '1';
        }
    }
}

/* -2^(8n-1), the lowest number of n bytes, for every n there may be. */
static void the_lowest_number_of_every_length(void **state)
{
    (void)state;
    char power[DECIMAL_BYTES_MAX * 3] = "128";
    uint8_t lowest[DECIMAL_BYTES_MAX] = {0x80};
    for (size_t len = 1; len <= DECIMAL_BYTES_MAX; len++) {
        struct buf b;
        buf_init(&b, LIMIT);
        assert_true(decimal_add(&b, lowest, len, 0));
        assert_int_equal(b.data[0], '-');
        assert_string_equal(buf_text(&b) + 1, power);
        buf_done(&b);
        double_digits(power, 8);
    }
}

static void limits_of_decimals(void **state)
{
    (void)state;
    static const uint8_t bytes[DECIMAL_BYTES_MAX + 1] = {0x01};
    static const struct {
        size_t len;
        int32_t scale;
        bool ok;
    } cases[] = {
        {DECIMAL_BYTES_MAX, DECIMAL_SCALE_MAX, true},
        {DECIMAL_BYTES_MAX, -DECIMAL_SCALE_MAX, true},
        {DECIMAL_BYTES_MAX + 1, 0, false},
        {1, DECIMAL_SCALE_MAX + 1, false},
        {1, -DECIMAL_SCALE_MAX - 1, false},
        {0, INT32_MAX, false},
        {0, INT32_MIN, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b;
        buf_init(&b, LIMIT);
        if (decimal_add(&b, bytes, cases[i].len, cases[i].scale) != cases[i].ok || !buf_ok(&b))
            fail_msg("%zu bytes, scale %d", cases[i].len, (int)cases[i].scale);
        if (!cases[i].ok)
            assert_int_equal(b.len, 0);
        buf_done(&b);
    }
}

static void the_largest_scales(void **state)
{
    (void)state;
    char expected[DECIMAL_SCALE_MAX + 3];
    struct buf b;
    buf_init(&b, LIMIT);

    memset(expected, '0', sizeof expected);
    expected[0] = '7';
    expected[DECIMAL_SCALE_MAX + 1] = '\0';
    assert_true(decimal_add(&b, (const uint8_t *)"\x07", 1, -DECIMAL_SCALE_MAX));
    assert_string_equal(buf_text(&b), expected);

    memcpy(expected, "0.0", 3);
    expected[DECIMAL_SCALE_MAX + 1] = '7';
    expected[DECIMAL_SCALE_MAX + 2] = '\0';
    buf_reset(&b);
    assert_true(decimal_add(&b, (const uint8_t *)"\x07", 1, DECIMAL_SCALE_MAX));
    assert_string_equal(buf_text(&b), expected);
    buf_done(&b);
}

static const struct {
    double value;
    const char *expected;
} doubles[] = {
    {0.0, "0"},
    {-0.0, "-0"},
    {1, "1"},
    {100, "100"},
    {-100, "-100"},
    {0.1, "0.1"},
    {0.1 + 0.2, "0.30000000000000004"},
    {19.99, "19.99"},
    {-1234.5, "-1234.5"},
    {1.0 / 3, "0.3333333333333333"},
    /* where exponents begin */
    {0.0001, "0.0001"},
    {0.00012345, "0.00012345"},
    {1e-5, "1e-05"},
    {1.5e-5, "1.5e-05"},
    {9.999e-5, "9.999e-05"},
    {1e15, "1000000000000000"},
    {9999999999999998, "9999999999999998"},
    {1234567890123456, "1234567890123456"},
    {1e16, "1e+16"},
    {12345678901234568, "1.2345678901234568e+16"},
    {-1e22, "-1e+22"},
    {1e100, "1e+100"},
    {1e-100, "1e-100"},
    /* the ends */
    {9007199254740993.0, "9007199254740992"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {-DBL_MAX, "-1.7976931348623157e+308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {5e-324, "5e-324"},
    {DBL_EPSILON, "2.220446049250313e-16"},
    /* powers of two whose nearest text of 16 digits is a neighbour's, and the next one up is not */
    {0x1p-44, "5.684341886080802e-14"},
    {-0x1p-44, "-5.684341886080802e-14"},
    {0x1p-1017, "7.120236347223045e-307"},
};

static const struct {
    float value;
    const char *expected;
} floats[] = {
    {0.1f, "0.1"},
    {19.99f, "19.99"},
    {-0.0f, "-0"},
    {16777216.0f, "16777216"},
    {3.0e10f, "30000000000"},
    {1e16f, "1e+16"},
    {1e-5f, "1e-05"},
    {1.0f / 3, "0.33333334"},
    {FLT_MAX, "3.4028235e+38"},
    {FLT_MIN, "1.1754944e-38"},
    {1e-45f, "1e-45"},
    {0x1p-96f, "1.26217745e-29"}, /* the nearest of each length: see decimal.h */
};

static void check_real(double value, bool single, const char *expected)
{
    struct buf b;
    buf_init(&b, LIMIT);
    if (!decimal_add_real(&b, value, single))
        fail_msg("%s is refused", expected);
    assert_string_equal(buf_text(&b), expected);
    buf_done(&b);
}

static void reals_are_as_short_as_may_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++)
        check_real(doubles[i].value, false, doubles[i].expected);
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        check_real((double)floats[i].value, true, floats[i].expected);
    check_real((double)0.1f, false, "0.10000000149011612");
}

/* Every power of two and its neighbours, where the spacing of doubles changes. */
static void doubles_read_back(void **state)
{
    (void)state;
    for (int exponent = -1074; exponent < 1024; exponent++)
        for (int side = -1; side <= 1; side++) {
            double value = ldexp(1, exponent);
            if (side != 0)
                value = nextafter(value, side < 0 ? 0 : DBL_MAX);
            struct buf b;
            buf_init(&b, LIMIT);
            assert_true(decimal_add_real(&b, value, false));
            if (strtod(buf_text(&b), NULL) != value || !decimal_is_json_number(b.data, b.len))
                fail_msg("%a is shown as %s", value, buf_text(&b));
            buf_done(&b);
        }
}

static void what_is_not_finite_is_refused(void **state)
{
    (void)state;
    static const double values[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (int single = 0; single <= 1; single++) {
            struct buf b;
            buf_init(&b, LIMIT);
            assert_false(decimal_add_real(&b, values[i], single));
            assert_int_equal(b.len, 0);
            buf_done(&b);
        }
}

static void the_grammar_of_numbers(void **state)
{
    (void)state;
    static const char *const good[] = {"0",   "-0",   "7",   "10",    "-12",    "0.0",   "2.00",
                                       "0.5", "-0.1", "1e5", "1E+05", "1e-400", "1.5e0", "0e0"};
    static const char *const bad[] = {"",    "-",        "+1",   "01",  "-01", "00",   ".5",
                                      "5.",  "1.e",      "1.e5", "1e",  "1e+", "1e5.", "1.2.3",
                                      "--1", "1-",       " 1",   "1 ",  "1\n", "1,5",  "0x10",
                                      "NaN", "Infinity", "1e5x", "-.5", "e5",  "٣"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!decimal_is_json_number(good[i], strlen(good[i])))
            fail_msg("\"%s\" is a number", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (decimal_is_json_number(bad[i], strlen(bad[i])))
            fail_msg("\"%s\" is no number", bad[i]);
    assert_false(decimal_is_json_number("1\0", 2));
    assert_true(decimal_is_json_number("12x", 2)); /* it ends where its length says */
}

static void digits_become_the_fewest_bytes(void **state)
{
    static const struct {
        const char *text;
        int32_t scale;
        const char *hex; /* NULL: refused */
    } cases[] = {{"1250.50", 2, "01e87a"},
                 {"0", 2, "00"},
                 {"0.00", 2, "00"},
                 {"-0.01", 2, "ff"},
                 {"1.27", 2, "7f"},
                 {"1.28", 2, "0080"},
                 {"-1.28", 2, "80"},
                 {"-1.29", 2, "ff7f"},
                 {"5", 2, "01f4"},
                 {"1.500", 2, "0096"},
                 {"1.501", 2, NULL},
                 {"1200", -2, "0c"},
                 {"1250", -2, NULL},
                 {"0", -2, "00"},
                 {"", 2, NULL},
                 {"-", 2, NULL},
                 {"1.", 2, NULL},
                 {".5", 2, NULL},
                 {"1e3", 2, NULL},
                 {"NaN", 2, NULL},
                 {"1,5", 2, NULL},
                 {" 1", 2, NULL},
                 {"1.2.3", 4, NULL},
                 {"--1", 2, NULL},
                 {"9223372036854775807.99", 2, "31ffffffffffffffff"},
                 {"340282366920938463463374607431768211456", 0, NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[16];
        char hex[40] = "";
        size_t len = 0;
        bool ok = decimal_read(cases[i].text, strlen(cases[i].text), cases[i].scale, bytes,
                               sizeof bytes, &len);
        for (size_t n = 0; ok && n < len; n++)
            snprintf(hex + 2 * n, 3, "%02x", bytes[n]);
        if (ok != (cases[i].hex != NULL) || (ok && strcmp(hex, cases[i].hex) != 0))
            fail_msg("%s, scale %d: %s", cases[i].text, (int)cases[i].scale, ok ? hex : "refused");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_become_the_fewest_bytes),
        cmocka_unit_test(decimals_keep_their_digits),
        cmocka_unit_test(the_lowest_number_of_every_length),
        cmocka_unit_test(limits_of_decimals),
        cmocka_unit_test(the_largest_scales),
        cmocka_unit_test(reals_are_as_short_as_may_be),
        cmocka_unit_test(doubles_read_back),
        cmocka_unit_test(what_is_not_finite_is_refused),
        cmocka_unit_test(the_grammar_of_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
