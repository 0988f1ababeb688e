/* tried: orders that failed so far, in a list and in a commit's text. */
#include "offsets/tried.h"

#include "offsets/commit_metadata.h"
#include "unit/offsets/released_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { COMMITTED = 1000 };
#define FIRST_MS INT64_C(1764380000123)

static struct tried order_at(int64_t offset)
{
    return (struct tried){.offset = offset,
                          .attempts = 3,
                          .counted = 2,
                          .first_ms = FIRST_MS + offset * 40,
                          .age_ms = 25000,
                          .others_until = 7};
}

static void same(const struct tried *a, const struct tried *b)
{
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->attempts, b->attempts);
    assert_int_equal(a->counted, b->counted);
    assert_int_equal(a->endpoint_faults, b->endpoint_faults);
    assert_int_equal(a->unknown, b->unknown);
    assert_int_equal(a->timeouts, b->timeouts);
    assert_int_equal(a->first_ms, b->first_ms);
    assert_int_equal(a->age_ms, b->age_ms);
    assert_int_equal(a->others_since, b->others_since);
}

/* ---- the list ---- */

static void notes_of_one_order_replace_each_other(void **state)
{
    struct tried_list l = {0};
    struct tried order = order_at(5);
    (void)state;
    assert_null(tried_find(&l, 5));
    tried_note(&l, &order);
    order.attempts = 4;
    tried_note(&l, &order);
    assert_int_equal(l.count, 1);
    assert_int_equal(tried_find(&l, 5)->attempts, 4);
    tried_forget(&l, 4);
    assert_int_equal(l.count, 1);
    tried_forget(&l, 5);
    assert_null(tried_find(&l, 5));
    tried_done(&l);
}

/* In any order of coming: of too many the oldest stay. */
static void the_oldest_stay(void **state)
{
    enum { MANY = 3 * TRIED_MAX, STEP = 7 /* shares no divisor with MANY */ };
    struct tried_list l = {0};
    (void)state;
    for (int64_t i = 0; i < MANY; i++) {
        struct tried order = order_at(i * STEP % MANY);
        tried_note(&l, &order);
    }
    assert_int_equal(l.count, TRIED_MAX);
    for (int64_t i = 0; i < TRIED_MAX; i++)
        assert_int_equal(l.list[i].offset, i);
    assert_null(tried_find(&l, TRIED_MAX));
    tried_forget_below(&l, 10);
    assert_int_equal(l.count, TRIED_MAX - 10);
    assert_null(tried_find(&l, 9));
    assert_non_null(tried_find(&l, 10));
    tried_forget_below(&l, MANY);
    assert_int_equal(l.count, 0);
    tried_done(&l);
}

static void deliveries_after_an_attempt_are_marked_once(void **state)
{
    struct tried_list l = {0};
    struct tried order = order_at(5), elsewhere = order_at(6);
    (void)state;
    assert_false(tried_mark_others(&l, 100));
    elsewhere.others_until = TRIED_ELSEWHERE;
    tried_note(&l, &order);
    tried_note(&l, &elsewhere);
    assert_false(tried_mark_others(&l, 7));
    assert_true(tried_mark_others(&l, 8));
    assert_false(tried_mark_others(&l, 9));
    assert_true(tried_find(&l, 5)->others_since);
    assert_false(tried_find(&l, 6)->others_since);
    order.others_until = 9; /* it failed again */
    tried_note(&l, &order);
    assert_false(tried_mark_others(&l, 9));
    assert_true(tried_mark_others(&l, 10));
    tried_done(&l);
}

/* ---- the text ---- */

static void read_all(const char *text, struct offset_window *w, struct tried_list *l,
                     int64_t *ret_until)
{
    offset_window_init(w, COMMITTED);
    *l = (struct tried_list){0};
    assert_true(commit_metadata_read(w, text, l, ret_until));
}

/* 1000 is open, 1001 to 1003 are settled, 1004 is open. */
static void open_window(struct offset_window *w)
{
    offset_window_init(w, COMMITTED);
    for (int64_t offset = COMMITTED; offset < COMMITTED + 5; offset++) {
        assert_true(offset_window_reserve(w));
        uint64_t sequence = offset_window_open(w, offset);
        if (offset % 4 != 0)
            offset_window_settle(w, sequence);
    }
}

static void text_carries_attempts(void **state)
{
    struct offset_window w, next;
    struct tried_list l = {0}, read;
    char text[COMMIT_METADATA_MAX + 1];
    int64_t until;
    (void)state;
    const struct tried orders[] = {
        {.offset = COMMITTED, .attempts = 1, .first_ms = FIRST_MS},
        {COMMITTED + 4, 9, 8, 2, 4, 3, FIRST_MS - 61003, 86399000, true, 0},
        {.offset = COMMITTED + 90,
         .attempts = 100000000,
         .counted = 99999999,
         .first_ms = FIRST_MS + 1},
    };
    open_window(&w);
    tried_note(&l, &(struct tried){.offset = COMMITTED - 1, .attempts = 2, .first_ms = FIRST_MS});
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        tried_note(&l, &orders[i]);
    for (int64_t replay = -1; replay < 2000; replay += 1801) {
        assert_true(commit_metadata_write(&w, replay, &l, text));
        read_all(text, &next, &read, &until);
        assert_int_equal(until, replay);
        assert_int_equal(read.count, sizeof orders / sizeof *orders); /* the settled one is gone */
        for (size_t i = 0; i < read.count; i++)
            same(&read.list[i], &orders[i]);
        assert_true(read.list[0].others_until == TRIED_ELSEWHERE);
        for (int64_t offset = COMMITTED; offset < COMMITTED + 6; offset++)
            assert_int_equal(offset_window_is_known(&next, offset),
                             offset > COMMITTED && offset < COMMITTED + 4);
        tried_done(&read);
        offset_window_done(&next);
    }
    tried_done(&l);
    assert_true(commit_metadata_write(&w, -1, &l, text));
    assert_string_equal(text, "1.1000.AQM");
    offset_window_done(&w);
}

/* Its size: 150 orders that were confirmed within some minutes fit beside a few gaps. */
static void the_oldest_that_fit_are_told(void **state)
{
    enum { MANY = TRIED_MAX };
    struct offset_window w, next;
    struct tried_list l = {0}, read;
    char text[COMMIT_METADATA_MAX + 1];
    int64_t until;
    (void)state;
    open_window(&w);
    for (int64_t i = 0; i < MANY; i++) {
        struct tried order = order_at(COMMITTED + i * 400);
        tried_note(&l, &order);
    }
    assert_true(commit_metadata_write(&w, INT64_MAX, &l, text));
    assert_true(strlen(text) + strlen(".n1000000") <= COMMIT_METADATA_MAX); /* start_offsets */
    read_all(text, &next, &read, &until);
    assert_true(until == INT64_MAX);
    assert_true(read.count >= 150 && read.count < MANY);
    for (size_t i = 0; i < read.count; i++)
        same(&read.list[i], &l.list[i]);
    tried_done(&read);
    tried_done(&l);
    offset_window_done(&next);
    offset_window_done(&w);
}

/* The gaps go first: what they leave is for the attempts, be it nothing. */
static void gaps_go_first(void **state)
{
    struct offset_window w, next;
    struct tried_list l = {0}, read;
    char text[COMMIT_METADATA_MAX + 1], alone[COMMIT_METADATA_MAX + 1];
    int64_t until;
    (void)state;
    offset_window_init(&w, COMMITTED);
    for (int64_t i = 0; i < 2 * TRIED_MAX; i++) {
        struct tried order = order_at(COMMITTED + i);
        tried_note(&l, &order);
    }
    for (int64_t i = 0; i < 20000; i++) {
        assert_true(offset_window_reserve(&w));
        uint64_t sequence = offset_window_open(&w, COMMITTED + i);
        if (i % 2 == 1)
            offset_window_settle(&w, sequence);
        if (i % 97 != 0)
            continue;
        bool fits = commit_metadata_write(&w, 50, NULL, alone);
        assert_int_equal(commit_metadata_write(&w, 50, &l, text), fits);
        assert_true(strlen(text) <= COMMIT_METADATA_MAX);
        assert_memory_equal(text, alone, strlen(alone) - strlen(".r50"));
        read_all(text, &next, &read, &until);
        assert_int_equal(until, 50);
        assert_true(read.count > 0 || strlen(alone) > 3800);
        tried_done(&read);
        offset_window_done(&next);
    }
    tried_done(&l);
    offset_window_done(&w);
}

/* Any client may write into a commit: what is not in the form is not believed, and no more than
 * that is lost of the gaps. */
static void hostile_digits_cost_only_themselves(void **state)
{
    static const struct {
        const char *digits;
        size_t count;
        bool whole;
    } rows[] = {
        {"086869", 1, true},                        /* three attempts, 3 ms after 1970: fine */
        {"086869186869", 2, true},                  /* two orders */
        {"9", 0, false},                            /* an order without numbers */
        {"8", 0, false},                            /*  */
        {"0868", 0, false},                         /* cut short */
        {"08686", 0, false},                        /*  */
        {"08686918686", 1, false},                  /* the second is cut short */
        {"086869086869", 1, false},                 /* the same order twice */
        {"080869", 0, false},                       /* no attempt */
        {"081869", 0, false},                       /* others since, but no attempt */
        {"09", 0, false},                           /*  */
        {"08686818181818181819", 1, true},          /* numbers of a later release */
        {"7777777777777777777777786869", 0, false}, /* more than 64 bits */
        {"177777777777777777777786869", 0, false},  /* an offset of 2^64 - 1 */
        {"77777777777777777777786869", 0, false},   /* 2^63 - 1 from 1000 on */
        {"087777777777869", 0, false},              /* too many attempts */
        {"0868777777777777777777779", 0, false},    /* far before 1970 */
        {"0868777777777777777777769", 0, false},    /* far from now */
        {"086819", 0, false},                       /* a millisecond before 1970 */
        {"0868687777777777777779", 0, false},       /* too old */
        {"0868680877777777779", 0, false},          /* too many failures that count */
        {"086868080877777777779", 0, false},        /*  */
        {"08686808080877777777779", 0, false},      /*  */
        {"0868680808080877777777779", 0, false},    /*  */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct offset_window w;
        struct tried_list l;
        char text[200];
        int64_t until;
        snprintf(text, sizeof text, "1.%d.AQI.r%s.r0.n6", COMMITTED, rows[i].digits);
        read_all(text, &w, &l, &until);
        assert_int_equal(until, -1);
        if (l.count != rows[i].count)
            fail_msg("%s: %zu orders", text, l.count);
        assert_int_equal(l.unread, !rows[i].whole);
        assert_true(offset_window_is_known(&w, COMMITTED + 1));
        tried_done(&l);
        offset_window_done(&w);
    }
}

static void no_more_orders_than_the_list_holds(void **state)
{
    struct offset_window w;
    struct tried_list l;
    char text[COMMIT_METADATA_MAX + 1];
    int64_t until;
    size_t len = (size_t)snprintf(text, sizeof text, "1.%d..r", COMMITTED);
    (void)state;
    while (len + 20 < sizeof text)
        len += (size_t)snprintf(text + len, sizeof text - len, "1829");
    snprintf(text + len, sizeof text - len, ".r0");
    read_all(text, &w, &l, &until);
    assert_int_equal(l.count, TRIED_MAX);
    assert_true(l.unread);
    tried_done(&l);
    offset_window_done(&w);
}

/* ---- other releases ---- */

/* A member of the release before, which shares the group while it is updated, knows the gaps and
 * the replay all the same. */
static void the_release_before_reads_the_rest(void **state)
{
    static const int64_t replays[] = {-1, 1, 5000, INT64_MAX};
    struct offset_window w;
    struct tried_list l = {0};
    (void)state;
    open_window(&w);
    for (int64_t i = 0; i < TRIED_MAX; i++) {
        struct tried order = order_at(COMMITTED + i * 400);
        tried_note(&l, &order);
        for (size_t r = 0; r < sizeof replays / sizeof *replays; r++) {
            struct offset_window old;
            char text[COMMIT_METADATA_MAX + 1];
            int64_t until;
            assert_true(commit_metadata_write(&w, replays[r], &l, text));
            offset_window_init(&old, COMMITTED);
            assert_true(released_read(&old, text, &until));
            assert_true(until == (replays[r] < 0 ? 0 : replays[r])); /* nothing lies below 0 */
            for (int64_t offset = COMMITTED; offset < COMMITTED + 6; offset++)
                assert_int_equal(offset_window_is_known(&old, offset),
                                 offset > COMMITTED && offset < COMMITTED + 4);
            offset_window_done(&old);
        }
    }
    tried_done(&l);
    offset_window_done(&w);
}

static void texts_of_the_release_before_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t until;
        bool settled; /* 1001 */
    } rows[] = {{"1.1000.AQI", -1, true},
                {"1.1000.AQI.r5000", 5000, true},
                {"1.1000..r5000.n6", 5000, false},
                {"1.1000..n6", -1, false},
                {"1.1000.AQI.n6", -1, true}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct offset_window w;
        struct tried_list l;
        int64_t until;
        read_all(rows[i].text, &w, &l, &until);
        assert_int_equal(until, rows[i].until);
        assert_int_equal(l.count, 0);
        assert_int_equal(offset_window_is_known(&w, COMMITTED + 1), rows[i].settled);
        tried_done(&l);
        offset_window_done(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_of_one_order_replace_each_other),
        cmocka_unit_test(the_oldest_stay),
        cmocka_unit_test(deliveries_after_an_attempt_are_marked_once),
        cmocka_unit_test(text_carries_attempts),
        cmocka_unit_test(the_oldest_that_fit_are_told),
        cmocka_unit_test(gaps_go_first),
        cmocka_unit_test(hostile_digits_cost_only_themselves),
        cmocka_unit_test(no_more_orders_than_the_list_holds),
        cmocka_unit_test(the_release_before_reads_the_rest),
        cmocka_unit_test(texts_of_the_release_before_are_read),
    };
    return cmocka_run_group_tests_name("tried", tests, NULL, NULL);
}
