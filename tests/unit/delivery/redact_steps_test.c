/* redact_steps_test: the work of a redaction, counted, not timed. redact.c and unescape.c are
 * compiled once more for this test, with a call at each branch (-fsanitize-coverage=trace-pc). */
#include "delivery/redact.h"
#include "delivery/unescape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint64_t steps;

void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void)
{
    steps++;
}

enum { WORDS = 4 };

/* Steps to redact an answer of so many bytes that an order's words of half of it are in almost:
 * from every byte on, all but their last one. */
static uint64_t steps_for(const char *letters, size_t size)
{
    static char body[WORDS * UNESCAPE_MAX + 100], answer[UNESCAPE_MAX];
    struct redact r = {0};
    struct redact_payload held = {0};
    struct buf b;
    size_t len = strlen(letters);
    for (size_t i = 0; i < size; i++)
        answer[i] = letters[i % len];
    int at = snprintf(body, sizeof body, "{\"client_phone\":\"666666\",\"client_name\":\"");
    for (int w = 0; w < WORDS; w++) {
        for (size_t i = 0; i < size / 2; i++)
            body[at++] = letters[i % len] == '\\' ? '/' : letters[i % len];
        body[at++] = 'b';
        body[at++] = ' ';
    }
    strcpy(body + at, "\"}");
    buf_init(&b, 4096);
    steps = 0;
    redact_add_payload(&r, slice_of(body), &held);
    redact_apply(&r, (struct slice){answer, size}, &b);
    assert_true(buf_ok(&b) && b.len <= REDACT_OUT_MAX);
    redact_done(&held);
    buf_done(&b);
    return steps;
}

/* Twice the lengths are twice the work: their product would be four times as much. */
static void the_work_grows_with_the_lengths(void **state)
{
    static const char *const worst[] = {"a",    "ab", "a ",   "%25", "&amp;",
                                        "\\\\", "6 ", "&#48", "%",   "%2525"};
    (void)state;
    for (size_t i = 0; i < sizeof worst / sizeof *worst; i++) {
        uint64_t half = steps_for(worst[i], UNESCAPE_MAX / 2);
        uint64_t whole = steps_for(worst[i], UNESCAPE_MAX);
        assert_true(half > UNESCAPE_MAX);
        assert_in_range(whole, half, 2 * half + half / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_work_grows_with_the_lengths),
    };
    return cmocka_run_group_tests_name("redact_steps", tests, NULL, NULL);
}
