/* log_test: whole lines as they reach standard error, with the clock held still. */
#include "base/utf8.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD "ts=2026-11-22T09:15:30.007Z level=info event="
#define JSON_HEAD "{\"ts\":\"2026-11-22T09:15:30.007Z\",\"level\":\"info\",\"event\":"

enum { LINE_MAX_BYTES = 4096, VALUE_MAX_BYTES = 512 };

/* In place of sys/clock.c. */
int64_t clock_wall_ms(void)
{
    return 1795338930007;
}

int64_t clock_mono_ms(void)
{
    return 0;
}

/* Standard error is a socket while a line is written: unlike a pipe it keeps each write(2) apart.
 */
static int reading_end, real_stderr;

static void capture(void)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    real_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    reading_end = ends[0];
}

/* The bytes of the next write(2), "" for none; valid until the next call. */
static const char *next_write(void)
{
    static char line[2 * LINE_MAX_BYTES];
    ssize_t len = recv(reading_end, line, sizeof line - 1, 0);
    line[len > 0 ? len : 0] = '\0';
    return line;
}

static void end_capture(void)
{
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
}

/* The line of one event, which must be all that was written. */
static const char *line_of(const char *event, const struct log_field *fields)
{
    static char line[2 * LINE_MAX_BYTES];
    capture();
    log_event(LOG_INFO, event, fields);
    end_capture();
    strcpy(line, next_write());
    assert_string_equal(next_write(), "");
    close(reading_end);
    return line;
}

static const char *line_with(const char *value)
{
    const struct log_field fields[] = {LOG_S("v", value), {0}};
    return line_of("x", fields);
}

static int reset(void **state)
{
    (void)state;
    log_setup(LOG_INFO, false);
    return 0;
}

static void a_line_of_logfmt(void **state)
{
    (void)state;
    const struct log_field fields[] = {
        LOG_S("topic", "orders"), LOG_I("partitions", 6), LOG_I("lowest", INT64_MIN), {0}};
    assert_string_equal(line_of("two words", fields), HEAD
                        "\"two words\" topic=orders partitions=6 lowest=-9223372036854775808\n");
}

static void a_line_of_json(void **state)
{
    (void)state;
    const struct log_field fields[] = {
        LOG_S("topic", "orders"), LOG_I("partitions", 6), LOG_I("highest", INT64_MAX), {0}};
    log_setup(LOG_INFO, true);
    assert_string_equal(line_of("two words", fields),
                        JSON_HEAD "\"two words\",\"topic\":\"orders\",\"partitions\":6,"
                                  "\"highest\":9223372036854775807}\n");
}

static void no_fields_at_all(void **state)
{
    (void)state;
    const struct log_field none[] = {{0}};
    assert_string_equal(line_of("x", none), HEAD "\"x\"\n");
    log_setup(LOG_INFO, true);
    assert_string_equal(line_of("x", none), JSON_HEAD "\"x\"}\n");
}

static const struct {
    const char *value, *logfmt, *json;
} values[] = {
    {"bare", "bare", "\"bare\""},
    {"a,b:c/d;e'f", "a,b:c/d;e'f", "\"a,b:c/d;e'f\""},
    {"شارع😀", "شارع😀", "\"شارع😀\""},
    {"", "\"\"", "\"\""},
    {"two words", "\"two words\"", "\"two words\""},
    {"a=b", "\"a=b\"", "\"a=b\""},
    {"say \"x\"", "\"say \\\"x\\\"\"", "\"say \\\"x\\\"\""},
    {"\"", "\"\\\"\"", "\"\\\"\""},
    {"back\\slash", "\"back\\\\slash\"", "\"back\\\\slash\""},
    {"a\nlevel=error", "\"a\\nlevel=error\"", "\"a\\nlevel=error\""},
    {"\r\t", "\"\\r\\t\"", "\"\\r\\t\""},
    {"x\xe2\x80\xaey\xe2\x80\xa8\xf3\xa0\x80\x81", "\"x\\u202ey\\u2028\\Udb40dc01\"",
     "\"x\\u202ey\\u2028\\udb40\\udc01\""},
    {"\x01\x1b[31m\x7f", "\"\\u0001\\u001b[31m\\u007f\"", "\"\\u0001\\u001b[31m\\u007f\""},
    {"\xc2\x80\xc2\x9f\xc2\xa0", "\"\\u0080\\u009f\xc2\xa0\"", "\"\\u0080\\u009f\xc2\xa0\""},
    /* bytes that are no UTF-8; what stands around them stays readable */
    {"\xff", "\"\\xff\"", "\"\xef\xbf\xbd\""},
    {"é\xe9é", "\"é\\xe9é\"", "\"é\xef\xbf\xbdé\""},
    {"cut off\xe2\x82", "\"cut off\\xe2\\x82\"", "\"cut off\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\xed\xa0\x80", "\"\\xed\\xa0\\x80\"", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\\xff", "\"\\\\xff\"", "\"\\\\xff\""}, /* not to be confused with the above */
};

static void values_are_quoted_only_where_they_must_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char expected[256];
        log_setup(LOG_INFO, false);
        snprintf(expected, sizeof expected, HEAD "\"x\" v=%s\n", values[i].logfmt);
        assert_string_equal(line_with(values[i].value), expected);
        log_setup(LOG_INFO, true);
        snprintf(expected, sizeof expected, JSON_HEAD "\"x\",\"v\":%s}\n", values[i].json);
        assert_string_equal(line_with(values[i].value), expected);
    }
}

static void events_are_escaped_too(void **state)
{
    (void)state;
    const struct log_field none[] = {{0}};
    assert_string_equal(line_of("a \"b\"\nc\xff", none), HEAD "\"a \\\"b\\\"\\nc\\xff\"\n");
}

/* A value of `len` bytes that end with `last`, in JSON; what the line must show of it. */
static void check_cut(size_t len, const char *last, size_t shown, const char *ending)
{
    char value[2 * VALUE_MAX_BYTES], expected[2 * VALUE_MAX_BYTES + 256];
    memset(value, 'a', sizeof value);
    strcpy(value + len - strlen(last), last);
    snprintf(expected, sizeof expected, JSON_HEAD "\"x\",\"v\":\"%.*s%s\"}\n", (int)shown, value,
             ending);
    assert_string_equal(line_with(value), expected);
}

static void a_long_value_is_cut_between_characters(void **state)
{
    (void)state;
    log_setup(LOG_INFO, true);
    check_cut(VALUE_MAX_BYTES, "a", VALUE_MAX_BYTES, "");
    check_cut(VALUE_MAX_BYTES + 1, "a", VALUE_MAX_BYTES, "…");
    check_cut(VALUE_MAX_BYTES + 9, "a", VALUE_MAX_BYTES, "…");
    check_cut(VALUE_MAX_BYTES, "😀", VALUE_MAX_BYTES, "");
    check_cut(VALUE_MAX_BYTES + 1, "😀", VALUE_MAX_BYTES - 3, "…");
    check_cut(VALUE_MAX_BYTES + 2, "😀", VALUE_MAX_BYTES - 2, "…");
    check_cut(VALUE_MAX_BYTES + 3, "😀", VALUE_MAX_BYTES - 1, "…");
    check_cut(VALUE_MAX_BYTES + 4, "😀", VALUE_MAX_BYTES, "…");
    check_cut(VALUE_MAX_BYTES + 1, "\xff", VALUE_MAX_BYTES, "…");
}

static void a_long_value_is_quoted_for_what_it_shows(void **state)
{
    (void)state;
    char value[VALUE_MAX_BYTES + 64];
    memset(value, 'a', sizeof value);
    strcpy(value + VALUE_MAX_BYTES, " = \"");
    assert_non_null(strstr(line_with(value), " v=aaa"));
    value[VALUE_MAX_BYTES - 1] = ' ';
    assert_non_null(strstr(line_with(value), " v=\"aaa"));
}

enum { LONG_FIELDS = 12 };

/* Fills a line with values in which each character takes six bytes, after `lead` bytes. */
static const char *full_line(size_t lead)
{
    static char escapes[VALUE_MAX_BYTES], first[VALUE_MAX_BYTES];
    struct log_field fields[LONG_FIELDS + 1] = {0};
    memset(escapes, '\x01', sizeof escapes - 1);
    memset(first, 'a', sizeof first);
    first[lead] = '\0';
    fields[0] = LOG_S("first", first);
    for (size_t i = 1; i < LONG_FIELDS; i++)
        fields[i] = LOG_S("v", escapes);
    return line_of("x", fields);
}

/* A cut at each offset within a character's six bytes. */
static void a_full_line_is_cut_and_still_complete(void **state)
{
    (void)state;
    for (int json = 0; json <= 1; json++)
        for (size_t lead = 0; lead < 40; lead++) {
            log_setup(LOG_INFO, json);
            const char *line = full_line(lead), *ending = json ? "\\u0001…\"}\n" : "\\u0001…\"\n";
            size_t len = strlen(line);
            assert_in_range(len, LINE_MAX_BYTES - 12, LINE_MAX_BYTES);
            assert_string_equal(line + len - strlen(ending), ending);
            assert_true(utf8_is_valid(line, len));
        }
}

/* Numbers fill the line to its end: the last ones are left out, never cut. */
static void fields_without_room_are_left_out(void **state)
{
    (void)state;
    static const char name[] = "a_name_of_some_length";
    enum { COUNT = 200 };
    for (size_t shorter = 0; shorter < sizeof name - 1; shorter++) {
        struct log_field fields[COUNT + 1] = {0};
        for (size_t i = 0; i < COUNT; i++)
            fields[i] = LOG_I(name + shorter, INT64_MIN);
        const char *line = line_of("x", fields);
        size_t len = strlen(line);
        assert_in_range(len, 1, LINE_MAX_BYTES);
        assert_string_equal(line + len - 22, "=-9223372036854775808\n");
    }
}

static void lesser_levels_are_silent(void **state)
{
    (void)state;
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (int least = LOG_DEBUG; least <= LOG_ERROR; least++) {
        log_setup((enum log_level)least, false);
        capture();
        log_debug("x", LOG_I("n", 1));
        log_info("x", LOG_I("n", 1));
        log_warn("x", LOG_I("n", 1));
        log_error("x", LOG_I("n", 1));
        end_capture();
        for (int level = least; level <= LOG_ERROR; level++) {
            char expected[128];
            snprintf(expected, sizeof expected,
                     "ts=2026-11-22T09:15:30.007Z level=%s event=\"x\" n=1\n", names[level]);
            assert_string_equal(next_write(), expected);
        }
        assert_string_equal(next_write(), "");
        close(reading_end);
    }
}

static void a_closed_standard_error_ends_nothing(void **state)
{
    (void)state;
    int saved = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    log_info("x", LOG_I("n", 1));
    dup2(saved, STDERR_FILENO);
    close(saved);
}

/* ---- lasting trouble ---- */

#define TROUBLE "ts=2026-11-22T09:15:30.007Z level=warn event=\"down\" n=1"
#define OVER "ts=2026-11-22T09:15:30.007Z level=info event=\"up\" n=2"

/* The line that the trouble at now_ms (-1: its end) writes; "" for none. */
static const char *trouble_at(struct log_limited *t, int64_t now_ms)
{
    const struct log_field down[] = {LOG_I("n", 1), {0}}, up[] = {LOG_I("n", 2), {0}};
    capture();
    if (now_ms >= 0)
        log_limited(t, now_ms, 1000, "down", down);
    else
        log_recovered(t, "up", up);
    end_capture();
    const char *line = next_write();
    close(reading_end);
    return line;
}

static void trouble_is_said_once_in_a_while(void **state)
{
    (void)state;
    static const struct {
        int64_t now_ms;
        const char *expected;
    } steps[] = {
        {-1, ""},          /* not on: nothing is over */
        {0, TROUBLE "\n"}, /* the first time, even at time 0 */
        {1, ""},
        {999, ""},
        {1000, TROUBLE " repeats=2\n"},
        {1500, ""},
        {1999, ""},
        {2000, TROUBLE " repeats=2\n"}, /* those since it was last said */
        {9000, TROUBLE "\n"},
        {9001, ""},
        {-1, OVER " repeats=1\n"},
        {-1, ""}, /* once */
        /* One that comes and goes is said as rarely as one that lasts, and so is its end. */
        {9002, ""},
        {-1, ""},
        {9500, ""},
        {9999, ""},
        {-1, ""},
        {10000, TROUBLE " repeats=3\n"},
        {10001, ""},
        {-1, OVER " repeats=1\n"},
        {20000, TROUBLE "\n"}, /* a new one, after quiet, at once */
        {-1, OVER "\n"},
    };
    struct log_limited t = {0};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        assert_string_equal(trouble_at(&t, steps[i].now_ms), steps[i].expected);
}

static void troubles_are_counted_apart(void **state)
{
    (void)state;
    struct log_limited one = {0}, other = {0};
    assert_string_equal(trouble_at(&one, 5), TROUBLE "\n");
    assert_string_equal(trouble_at(&other, 6), TROUBLE "\n");
    assert_string_equal(trouble_at(&one, 7), "");
    assert_string_equal(trouble_at(&other, -1), OVER "\n");
    assert_string_equal(trouble_at(&one, -1), OVER " repeats=1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_of_logfmt, reset),
        cmocka_unit_test_setup(a_line_of_json, reset),
        cmocka_unit_test_setup(no_fields_at_all, reset),
        cmocka_unit_test_setup(values_are_quoted_only_where_they_must_be, reset),
        cmocka_unit_test_setup(events_are_escaped_too, reset),
        cmocka_unit_test_setup(a_long_value_is_cut_between_characters, reset),
        cmocka_unit_test_setup(a_long_value_is_quoted_for_what_it_shows, reset),
        cmocka_unit_test_setup(a_full_line_is_cut_and_still_complete, reset),
        cmocka_unit_test_setup(fields_without_room_are_left_out, reset),
        cmocka_unit_test_setup(lesser_levels_are_silent, reset),
        cmocka_unit_test_setup(a_closed_standard_error_ends_nothing, reset),
        cmocka_unit_test_setup(trouble_is_said_once_in_a_while, reset),
        cmocka_unit_test_setup(troubles_are_counted_apart, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
