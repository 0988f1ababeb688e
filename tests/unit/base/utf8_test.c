/* utf8_test: what is well-formed, and what is blank. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text;
    size_t size; /* of its first character; 0: malformed */
} characters[] = {
    {"a", 1},
    {"\x7f", 1},
    /* the ends of each length */
    {"\xc2\x80", 2},
    {"\xdf\xbf", 2},
    {"\xe0\xa0\x80", 3},
    {"\xed\x9f\xbf", 3},
    {"\xee\x80\x80", 3},
    {"\xef\xbf\xbf", 3},
    {"\xf0\x90\x80\x80", 4},
    {"\xf4\x8f\xbf\xbf", 4},
    /* overlong */
    {"\xc0\x80", 0},
    {"\xc1\xbf", 0},
    {"\xe0\x80\x80", 0},
    {"\xe0\x9f\xbf", 0},
    {"\xf0\x80\x80\x80", 0},
    {"\xf0\x8f\xbf\xbf", 0},
    /* surrogates */
    {"\xed\xa0\x80", 0},
    {"\xed\xbf\xbf", 0},
    /* above U+10FFFF */
    {"\xf4\x90\x80\x80", 0},
    {"\xf5\x80\x80\x80", 0},
    {"\xf8\x88\x80\x80\x80", 0},
    {"\xff", 0},
    /* begun in the middle, or not continued */
    {"\x80", 0},
    {"\xbf\xbf", 0},
    {"\xc3(", 0},
    {"\xe2\x82(", 0},
    {"\xe2(\x82", 0},
    {"\xf0\x9f\x98(", 0},
    {"\xc3\xc3", 0},
};

static void characters_are_well_formed_or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
        const char *text = characters[i].text;
        size_t len = strlen(text), size = characters[i].size;
        if (utf8_char_size(text, len) != size || utf8_is_valid(text, len) != (size > 0))
            fail_msg("character %zu: %zu bytes", i, utf8_char_size(text, len));
        for (size_t cut = 0; cut < size; cut++)
            assert_int_equal(utf8_char_size(text, cut), 0);
    }
    assert_int_equal(utf8_char_size("\0", 1), 1);
}

/* Eight bytes are looked at in one go where they can be: each fault at each place. */
static void faults_are_found_wherever_they_are(void **state)
{
    (void)state;
    enum { LEN = 40 };
    for (size_t at = 0; at < LEN; at++)
        for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
            char text[LEN + 16];
            size_t len = strlen(characters[i].text);
            memset(text, 'a', sizeof text);
            memcpy(text + at, characters[i].text, len);
            if (utf8_is_valid(text, sizeof text) != (characters[i].size > 0))
                fail_msg("character %zu at %zu", i, at);
            if (len > 1)
                assert_false(utf8_is_valid(text, at + len - 1)); /* cut off */
        }
}

static void no_text_is_valid_and_blank(void **state)
{
    (void)state;
    assert_true(utf8_is_valid("", 0));
    assert_true(utf8_is_blank("", 0));
}

/* Those of which Python's str.isspace says so. */
static const uint32_t spaces[] = {
    0x09,   0x0a,   0x0b,   0x0c,   0x0d,   0x1c,   0x1d,   0x1e,   0x1f,   0x20,
    0x85,   0xa0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
    0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
};

static bool is_listed(uint32_t point)
{
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (spaces[i] == point)
            return true;
    return false;
}

static size_t encode(uint32_t point, char *text)
{
    if (point < 0x80) {
        text[0] = (char)point;
        return 1;
    }
    size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, point >>= 6)
        text[i] = (char)(0x80 | (point & 0x3f));
    text[0] = (char)((0xf0 << (4 - size) & 0xff) | point);
    return size;
}

static void every_character(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        char text[4];
        size_t len = encode(point, text);
        bool surrogate = point >= 0xd800 && point <= 0xdfff;
        if (utf8_char_size(text, len) != (surrogate ? 0 : len) ||
            utf8_is_valid(text, len) == surrogate || utf8_is_blank(text, len) != is_listed(point))
            fail_msg("U+%04X", (unsigned)point);
    }
}

static void one_visible_character_is_not_blank(void **state)
{
    (void)state;
    assert_true(utf8_is_blank(" \t\xe3\x80\x80", 5));
    assert_false(utf8_is_blank(" \t\xe3\x80\x80x", 6));
    assert_false(utf8_is_blank("x \t", 3));
    assert_false(utf8_is_blank(" \xff", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_well_formed_or_not),
        cmocka_unit_test(faults_are_found_wherever_they_are),
        cmocka_unit_test(no_text_is_valid_and_blank),
        cmocka_unit_test(every_character),
        cmocka_unit_test(one_visible_character_is_not_blank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
