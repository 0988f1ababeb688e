/* parked_list: which parked records still wait. */
#include "operator/parked_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Parked at place (0, at), at that many ms, out of source record (0, offset). */
static const struct parked_choice all;

static void park(struct parked_list *list, const char *order, int64_t offset, int64_t at,
                 const char *reason)
{
    struct parked_entry e = {.source = {.offset = offset},
                             .parked_offset = at,
                             .parked_ms = at,
                             .order = slice_of(order)};
    strcpy(e.reason, reason);
    assert_true(parked_list_add(list, &e));
}

/* An outcome of source record (0, offset), in answer to a request. */
static void answer(struct parked_list *list, const char *order, bool parked, int64_t offset,
                   const char *request)
{
    const struct parked_outcome o = {.order = slice_of(order),
                                     .source = {.offset = offset},
                                     .parked = parked,
                                     .request = slice_of(request)};
    parked_list_outcome(list, &o);
}

static void outcome(struct parked_list *list, const char *order, bool parked, int64_t offset)
{
    answer(list, order, parked, offset, "");
}

static void dismiss(struct parked_list *list, const char *order, int64_t offset)
{
    const struct parked_outcome o = {
        .order = slice_of(order), .source = {.offset = offset}, .parked = true, .dismissed = true};
    parked_list_outcome(list, &o);
}

static void ask(struct parked_list *list, int64_t offset, const char *request)
{
    const struct parked_source source = {.offset = offset};
    parked_list_request(list, &source, slice_of(request));
}

static void the_last_parking_of_a_record_counts(void **state)
{
    struct parked_list list = {0};
    (void)state;
    park(&list, "o1", 10, 100, "http:422");
    park(&list, "o2", 11, 101, "http:422");
    park(&list, "o1", 10, 102, "http:413");
    assert_true(parked_list_sort(&list));
    parked_list_select(&list, &all);
    assert_int_equal(list.selected, 2);
    assert_false(parked_list_waits(&list, 0, 100));
    assert_true(parked_list_waits(&list, 0, 101));
    assert_true(parked_list_waits(&list, 0, 102));
    assert_false(parked_list_waits(&list, 1, 102));
    assert_string_equal(list.entries[0].reason, "http:413");
    parked_list_done(&list);
}

static void what_was_delivered_since_waits_no_more(void **state)
{
    struct parked_list list = {0};
    (void)state;
    park(&list, "o1", 10, 100, "a");
    park(&list, "o2", 11, 101, "a");
    park(&list, "o3", 12, 102, "a");
    park(&list, "o3", 13, 103, "a"); /* its later transition */
    park(&list, "", 14, 104, "a");   /* without an order: no outcome of one can tell */
    assert_true(parked_list_sort(&list));
    outcome(&list, "o1", true, 10);
    outcome(&list, "o1", false, 10);
    outcome(&list, "o2", false, 11);
    outcome(&list, "o2", true, 11); /* parked again: the last outcome counts */
    outcome(&list, "o3", true, 13);
    outcome(&list, "o9", true, 10); /* a stranger */
    parked_list_select(&list, &all);
    assert_int_equal(list.selected, 3);
    assert_true(parked_list_waits(&list, 0, 101));
    assert_true(parked_list_waits(&list, 0, 103));
    assert_true(parked_list_waits(&list, 0, 104));
    parked_list_done(&list);
}

/* Undecodable at first, its order is known once it could be read: it is the same record. */
static void a_record_that_got_its_order_later_is_one(void **state)
{
    struct parked_list list = {0};
    (void)state;
    park(&list, "", 10, 100, "undecodable"); /* delivered since */
    park(&list, "", 11, 101, "undecodable"); /* parked again, with its order */
    park(&list, "o2", 11, 102, "http:422");
    assert_true(parked_list_sort(&list));
    outcome(&list, "o1", false, 10);
    outcome(&list, "o2", true, 11);
    outcome(&list, "", false, 11); /* what ends the outcome under its coordinates */
    parked_list_select(&list, &all);
    assert_int_equal(list.selected, 1);
    assert_true(parked_list_waits(&list, 0, 102));
    parked_list_done(&list);
}

static void what_turned_out_not_to_be_for_us_waits_no_more(void **state)
{
    struct parked_list list = {0};
    (void)state;
    park(&list, "", 10, 100, "undecodable");
    assert_true(parked_list_sort(&list));
    outcome(&list, "", true, 10);
    outcome(&list, "", false, 10);
    parked_list_select(&list, &all);
    assert_int_equal(list.selected, 0);
    parked_list_done(&list);
}

/* Ids that differ in their last byte, in a NUL, or in length alone; found one by one among many. */
static void orders_are_told_apart_by_their_whole_ids(void **state)
{
    static const struct slice ids[] = {{"a", 1},    {"a\0", 2}, {"a\0b", 3},
                                       {"a\0c", 3}, {"ab", 2},  {"", 0}};
    enum { IDS = sizeof ids / sizeof *ids - 1 };
    (void)state;
    for (size_t told = 0; told < IDS; told++) {
        struct parked_list list = {0};
        for (size_t i = 0; i < IDS; i++) {
            const struct parked_entry e = {
                .source = {.offset = (int64_t)i}, .parked_offset = (int64_t)i, .order = ids[i]};
            assert_true(parked_list_add(&list, &e));
        }
        assert_true(parked_list_sort(&list));
        const struct parked_outcome o = {.order = ids[told], .source = {.offset = (int64_t)told}};
        parked_list_outcome(&list, &o);
        parked_list_select(&list, &all);
        for (size_t i = 0; i < IDS; i++)
            assert_int_equal(parked_list_waits(&list, 0, (int64_t)i), i != told);
        parked_list_done(&list);
    }
}

static void what_is_asked_for_is_left_out_until_it_is_answered(void **state)
{
    struct parked_list list = {0};
    (void)state;
    park(&list, "o1", 10, 100, "a");
    park(&list, "o2", 11, 101, "a");
    park(&list, "o3", 12, 102, "a");
    assert_true(parked_list_sort(&list));
    ask(&list, 10, "r-1");
    ask(&list, 11, "r-2");
    ask(&list, 11, "r-3"); /* twice: the last answer counts */
    answer(&list, "o1", true, 10, "r-1");
    answer(&list, "o2", true, 11, "r-2");
    parked_list_select(&list, &all);
    assert_int_equal(list.selected, 2);
    assert_int_equal(list.requested, 1);
    assert_true(parked_list_waits(&list, 0, 100));
    assert_false(parked_list_waits(&list, 0, 101));
    parked_list_done(&list);
}

/* Between the choice and its turn. */
static void what_happens_meanwhile_counts(void **state)
{
    struct parked_list list = {0};
    (void)state;
    park(&list, "o1", 10, 100, "a");
    park(&list, "o2", 11, 101, "a");
    park(&list, "o3", 12, 102, "a");
    assert_true(parked_list_sort(&list));
    parked_list_select(&list, &all);
    outcome(&list, "o1", false, 99); /* confirmed anew, and delivered */
    ask(&list, 11, "r-1");
    assert_false(parked_list_waits(&list, 0, 100));
    assert_false(parked_list_waits(&list, 0, 101));
    assert_true(parked_list_waits(&list, 0, 102));
    assert_true(parked_list_selected(&list, 0, 100));
    parked_list_done(&list);
}

static void reason_and_time_select(void **state)
{
    static const struct {
        struct parked_choice choice;
        size_t count;
    } cases[] = {{{.reason = ""}, 4},
                 {{.since_ms = 102}, 2},
                 {{.reason = "http:422"}, 1},
                 {{.reason = "http:"}, 2},
                 {{.reason = "missing:", .since_ms = 103}, 1},
                 {{.reason = "http"}, 0},
                 {{.reason = "http:42"}, 0},
                 {{.reason = "http:422", .since_ms = 101}, 0},
                 {{.until_ms = 102}, 2},
                 {{.since_ms = 101, .until_ms = 102}, 1},
                 {{.until_ms = 100}, 0},
                 {{.order = {"o3", 2}}, 1},
                 {{.order = {"o3", 2}, .until_ms = 102}, 0},
                 {{.order = {"o", 1}}, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parked_list list = {0};
        park(&list, "o1", 10, 100, "http:422");
        park(&list, "o2", 11, 101, "http:413");
        park(&list, "o3", 12, 102, "missing:client_name");
        park(&list, "o4", 13, 103, "missing:client_phone");
        assert_true(parked_list_sort(&list));
        parked_list_select(&list, &cases[i].choice);
        assert_int_equal(list.selected, cases[i].count);
        parked_list_done(&list);
    }
}

static void nothing_is_parked(void **state)
{
    struct parked_list list = {0};
    (void)state;
    assert_true(parked_list_sort(&list));
    outcome(&list, "o1", true, 0);
    ask(&list, 0, "r-1");
    parked_list_select(&list, &all);
    assert_false(parked_list_waits(&list, 0, 0));
    parked_list_done(&list);
}

static void what_is_dismissed_is_sent_only_by_its_name(void **state)
{
    struct parked_list list = {0};
    const struct parked_choice one = {.order = slice_of("o1")};
    (void)state;
    park(&list, "o1", 10, 100, "a");
    park(&list, "o2", 11, 101, "a");
    park(&list, "o3", 12, 102, "a");
    assert_true(parked_list_sort(&list));
    dismiss(&list, "o1", 10);
    dismiss(&list, "o2", 11);
    outcome(&list, "o2", true, 11); /* taken back, or parked again */
    parked_list_select(&list, &all);
    assert_int_equal(list.selected, 2);
    assert_int_equal(list.dismissed, 1);
    assert_false(parked_list_selected(&list, 0, 100));
    assert_true(parked_list_waits(&list, 0, 101));
    dismiss(&list, "o3", 12); /* while the others are sent */
    assert_true(parked_list_selected(&list, 0, 102));
    assert_false(parked_list_waits(&list, 0, 102));
    parked_list_select(&list, &one);
    assert_int_equal(list.selected, 1);
    assert_int_equal(list.dismissed, 0);
    assert_true(parked_list_waits(&list, 0, 100));
    parked_list_done(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_parking_of_a_record_counts),
        cmocka_unit_test(what_was_delivered_since_waits_no_more),
        cmocka_unit_test(a_record_that_got_its_order_later_is_one),
        cmocka_unit_test(what_turned_out_not_to_be_for_us_waits_no_more),
        cmocka_unit_test(orders_are_told_apart_by_their_whole_ids),
        cmocka_unit_test(what_is_asked_for_is_left_out_until_it_is_answered),
        cmocka_unit_test(what_happens_meanwhile_counts),
        cmocka_unit_test(reason_and_time_select),
        cmocka_unit_test(nothing_is_parked),
        cmocka_unit_test(what_is_dismissed_is_sent_only_by_its_name),
    };
    return cmocka_run_group_tests_name("parked_list", tests, NULL, NULL);
}
