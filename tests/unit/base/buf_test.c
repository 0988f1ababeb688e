/* buf_test: appending, the limit, failure that sticks, and who owns the memory. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void init_allocates_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.limit, 10);
    assert_true(buf_ok(&b));
}

static void every_append_adds_at_the_end(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_add_text(&b, "text ");
    buf_add_char(&b, 'c');
    buf_add(&b, " by\0tes", 7);
    buf_add(&b, NULL, 0);
    buf_addf(&b, " %d%s", 42, "!");
    const char expected[] = "text c by\0tes 42!";
    assert_int_equal(b.len, sizeof expected - 1);
    assert_memory_equal(buf_text(&b), expected, sizeof expected);
    buf_done(&b);
}

static void what_is_not_unreserved_is_escaped(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_add_escaped(&b, "azAZ09-._~");
    buf_add_escaped(&b, "");
    assert_string_equal(buf_text(&b), "azAZ09-._~");
    buf_reset(&b);
    buf_add_escaped(&b, "a/b:%+ \n\x7f\xc3\xa9");
    assert_string_equal(buf_text(&b), "a%2Fb%3A%25%2B%20%0A%7F%C3%A9");
    buf_done(&b);
}

static void growth_keeps_the_contents(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct buf b;
    buf_init(&b, COUNT);
    for (int i = 0; i < COUNT; i++)
        buf_add_char(&b, (char)(i % 251));
    assert_true(buf_ok(&b));
    assert_int_equal(b.len, COUNT);
    for (int i = 0; i < COUNT; i++)
        if (b.data[i] != (char)(i % 251))
            fail_msg("byte %d changed", i);
    buf_done(&b);
}

static void add_bytes(struct buf *b)
{
    buf_add(b, "4444", 4);
}

static void add_text(struct buf *b)
{
    buf_add_text(b, "4444");
}

static void add_format(struct buf *b)
{
    buf_addf(b, "%d", 4444);
}

static void add_chars(struct buf *b)
{
    for (int i = 0; i < 4; i++)
        buf_add_char(b, '4');
}

/* Each appends 4 bytes. */
static const struct {
    const char *name;
    void (*add)(struct buf *b);
} appends[] = {
    {"buf_add", add_bytes},
    {"buf_add_text", add_text},
    {"buf_addf", add_format},
    {"buf_add_char", add_chars},
};

static void the_limit_is_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof appends / sizeof *appends; i++)
        for (size_t limit = 3; limit <= 5; limit++) {
            struct buf b;
            buf_init(&b, limit);
            appends[i].add(&b);
            if (buf_ok(&b) != (limit >= 4) || b.len > limit)
                fail_msg("%s: limit %zu, %zu bytes held", appends[i].name, limit, b.len);
            buf_done(&b);
        }
}

static void an_append_past_the_limit_adds_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 5);
    buf_add_text(&b, "123");
    buf_add_text(&b, "456");
    assert_false(buf_ok(&b));
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "123", 3);
    buf_done(&b);
}

static void failure_sticks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof appends / sizeof *appends; i++) {
        struct buf b;
        buf_init(&b, 8);
        buf_add_text(&b, "123");
        buf_add_text(&b, "too long");
        appends[i].add(&b); /* there would be room for it */
        if (buf_ok(&b) || b.len != 3)
            fail_msg("%s appended after a failure", appends[i].name);
        assert_string_equal(buf_text(&b), "");
        buf_done(&b);
    }
}

static void reset_clears_the_failure_and_keeps_the_memory(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 5);
    buf_add_text(&b, "123");
    const char *data = b.data;
    buf_add_text(&b, "456");
    buf_reset(&b);
    assert_true(buf_ok(&b));
    assert_int_equal(b.len, 0);
    buf_add_text(&b, "12345");
    assert_string_equal(buf_text(&b), "12345");
    assert_ptr_equal(b.data, data);
    buf_done(&b);
}

static void text_of_an_empty_buf_is_empty(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    assert_string_equal(buf_text(&b), "");
    assert_true(buf_ok(&b));
    buf_done(&b);
}

static void take_moves_the_memory_out(void **state)
{
    (void)state;
    struct buf b;
    size_t len = 77;
    buf_init(&b, 10);
    buf_add_text(&b, "0123456789");
    const char *data = b.data;
    char *taken = buf_take(&b, &len);
    assert_ptr_equal(taken, data);
    assert_int_equal(len, 10);
    assert_string_equal(taken, "0123456789");
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.limit, 10);
    buf_add_text(&b, "again");
    assert_string_equal(buf_text(&b), "again");
    assert_string_equal(taken, "0123456789");
    free(taken);
    buf_done(&b);
}

static void take_of_an_empty_buf_is_an_empty_text(void **state)
{
    (void)state;
    struct buf b;
    size_t len = 77;
    buf_init(&b, 10);
    char *taken = buf_take(&b, &len);
    assert_non_null(taken);
    assert_int_equal(len, 0);
    assert_string_equal(taken, "");
    free(taken);
}

static void take_after_a_failure_frees(void **state)
{
    (void)state;
    struct buf b;
    size_t len = 77;
    buf_init(&b, 3);
    buf_add_text(&b, "123");
    buf_add_text(&b, "4");
    assert_null(buf_take(&b, &len));
    assert_int_equal(len, 77);
    assert_null(b.data);
    assert_true(buf_ok(&b));
}

static void done_may_be_called_at_any_time(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 3);
    buf_done(&b);
    buf_add_text(&b, "123");
    buf_done(&b);
    buf_done(&b);
    assert_null(b.data);
    assert_int_equal(b.limit, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_allocates_nothing),
        cmocka_unit_test(every_append_adds_at_the_end),
        cmocka_unit_test(what_is_not_unreserved_is_escaped),
        cmocka_unit_test(growth_keeps_the_contents),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(an_append_past_the_limit_adds_nothing),
        cmocka_unit_test(failure_sticks),
        cmocka_unit_test(reset_clears_the_failure_and_keeps_the_memory),
        cmocka_unit_test(text_of_an_empty_buf_is_empty),
        cmocka_unit_test(take_moves_the_memory_out),
        cmocka_unit_test(take_of_an_empty_buf_is_an_empty_text),
        cmocka_unit_test(take_after_a_failure_frees),
        cmocka_unit_test(done_may_be_called_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
