/* traceparent_test: which values are passed on, and what the program sends in their place. */
#include "http/headers/traceparent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define ZEROS "0000000000000000"

/* The examples of W3C Trace Context, section 3.2.2, and faults of each field. */
static const struct {
    const char *value, *read; /* NULL: not well-formed */
} rows[] = {
    {"00-" TRACE "-" PARENT "-01", "00-" TRACE "-" PARENT "-01"},
    {"00-" TRACE "-" PARENT "-00", "00-" TRACE "-" PARENT "-00"},
    {"cc-" TRACE "-" PARENT "-01", "00-" TRACE "-" PARENT "-01"},
    {"cc-" TRACE "-" PARENT "-01-what-will-be", "00-" TRACE "-" PARENT "-01"},
    {"cc-" TRACE "-" PARENT "-01.what-will-be", NULL},
    {"00-" TRACE "-" PARENT "-01-more", NULL},
    {"ff-" TRACE "-" PARENT "-01", NULL},
    {"00-" ZEROS ZEROS "-" PARENT "-01", NULL},
    {"00-" TRACE "-" ZEROS "-01", NULL},
    {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", NULL},
    {"00-" TRACE "-" PARENT "-0g", NULL},
    {"00-" TRACE "-" PARENT "-0", NULL},
    {"00_" TRACE "-" PARENT "-01", NULL},
    {"00-" TRACE "_" PARENT "-01", NULL},
    {"00-" TRACE "-" PARENT "_01", NULL},
    {"00-" TRACE "-" PARENT "-01 ", NULL},
    {" 00-" TRACE "-" PARENT "-01", NULL},
    {"", NULL},
};

static void only_well_formed_values_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[TRACEPARENT_TEXT] = "untouched";
        bool ok = traceparent_read(slice_of(rows[i].value), text);
        if (ok != (rows[i].read != NULL) ||
            strcmp(text, rows[i].read != NULL ? rows[i].read : "untouched") != 0)
            fail_msg("%s: %s", rows[i].value, text);
    }
    char text[TRACEPARENT_TEXT];
    assert_false(traceparent_read((struct slice){0}, text));
}

/* By python3: hashlib.sha256(b"evt_1").hexdigest(), with the last bit of both parts set. */
static void our_own_is_the_same_for_the_same_id(void **state)
{
    (void)state;
    char text[TRACEPARENT_TEXT], read[TRACEPARENT_TEXT];
    traceparent_make("evt_1", text);
    assert_string_equal(text, "00-7d4e5a76eae6d8c165410ac19fe67565-21ba86ed96752d01-01");
    assert_true(traceparent_read(slice_of(text), read));
    assert_string_equal(read, text);
    traceparent_make("evt_2", read);
    assert_string_not_equal(read, text);
}

static void parts_join_to_what_they_were_split_from(void **state)
{
    static const char given[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-a1";
    char text[TRACEPARENT_TEXT];
    (void)state;
    const struct trace_context context = traceparent_split(given);
    assert_string_equal(context.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_string_equal(context.span_id, "00f067aa0ba902b7");
    assert_int_equal(context.flags, 0xa1);
    traceparent_join(&context, text);
    assert_string_equal(text, given);
}

/* The last 56 bits, as a number below 2^56: recorded from (1 - share) of that on. */
static void a_share_of_the_traces_is_recorded(void **state)
{
    static const char low[] = "ffffffffffffffffff00000000000001",
                      half[] = "00000000000000000080000000000000",
                      high[] = "000000000000000000ffffffffffffff";
    static const struct {
        const char *trace_id;
        double share;
        bool wanted;
    } ids[] = {{low, 1, true},     {low, 0.999, false}, {half, 0.5, true}, {half, 0.49, false},
               {high, 0.01, true}, {high, 0, false},    {low, 0, false}};
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        assert_int_equal(trace_is_among(ids[i].trace_id, ids[i].share), ids[i].wanted);
    int among = 0;
    for (int i = 0; i < 10000; i++) {
        char id[16], text[TRACEPARENT_TEXT];
        snprintf(id, sizeof id, "evt_%d", i);
        traceparent_make(id, text);
        among += trace_is_among(traceparent_split(text).trace_id, 0.1);
    }
    assert_in_range(among, 900, 1100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_well_formed_values_are_read),
        cmocka_unit_test(our_own_is_the_same_for_the_same_id),
        cmocka_unit_test(parts_join_to_what_they_were_split_from),
        cmocka_unit_test(a_share_of_the_traces_is_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
