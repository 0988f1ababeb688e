/* parked_list: which parked records still wait. */
#include "core/parked_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Parked at place (0, at), at that many ms, out of source record (0, offset). */
static void park(struct parked_list *list, uint64_t order, int64_t offset, int64_t at,
                 const char *reason)
{
    struct parked_entry e = {
        .source = {.offset = offset}, .parked_offset = at, .parked_ms = at, .order = order};
    strcpy(e.reason, reason);
    assert_true(parked_list_add(list, &e));
}

/* An outcome of source record (0, offset). */
static void outcome(struct parked_list *list, uint64_t order, bool parked, int64_t offset)
{
    const struct parked_source source = {.offset = offset};
    parked_list_outcome(list, order, parked, &source);
}

static void the_last_parking_of_a_record_stands_for_it(void **state)
{
    struct parked_list list = {0};
    (void)state;
    park(&list, 1, 10, 100, "http:422");
    park(&list, 2, 11, 101, "http:422");
    park(&list, 1, 10, 102, "http:413");
    parked_list_sort(&list);
    parked_list_select(&list, "", 0);
    assert_int_equal(list.count, 2);
    assert_false(parked_list_has(&list, 0, 100));
    assert_true(parked_list_has(&list, 0, 101));
    assert_true(parked_list_has(&list, 0, 102));
    assert_false(parked_list_has(&list, 1, 102));
    assert_string_equal(list.entries[1].reason, "http:413");
    parked_list_done(&list);
}

static void what_was_delivered_since_waits_no_more(void **state)
{
    struct parked_list list = {0};
    (void)state;
    park(&list, 1, 10, 100, "a");
    park(&list, 2, 11, 101, "a");
    park(&list, 3, 12, 102, "a");
    park(&list, 3, 13, 103, "a"); /* its later transition */
    park(&list, 0, 14, 104, "a"); /* without an order: no outcome can tell */
    parked_list_sort(&list);
    outcome(&list, 1, true, 10);
    outcome(&list, 1, false, 10);
    outcome(&list, 2, false, 11);
    outcome(&list, 2, true, 11); /* parked again: the last outcome counts */
    outcome(&list, 3, true, 13);
    outcome(&list, 9, true, 10); /* a stranger */
    parked_list_select(&list, "", 0);
    assert_int_equal(list.count, 3);
    assert_true(parked_list_has(&list, 0, 101));
    assert_true(parked_list_has(&list, 0, 103));
    assert_true(parked_list_has(&list, 0, 104));
    parked_list_done(&list);
}

/* Undecodable at first, its order is known once it could be read: it is the same record. */
static void a_record_that_got_its_order_later_is_one(void **state)
{
    struct parked_list list = {0};
    (void)state;
    park(&list, 0, 10, 100, "undecodable"); /* delivered since */
    park(&list, 0, 11, 101, "undecodable"); /* parked again, with its order */
    park(&list, 2, 11, 102, "http:422");
    parked_list_sort(&list);
    outcome(&list, 1, false, 10);
    outcome(&list, 2, true, 11);
    parked_list_select(&list, "", 0);
    assert_int_equal(list.count, 1);
    assert_true(parked_list_has(&list, 0, 102));
    parked_list_done(&list);
}

/* The same place of another topic is another record. */
static void topics_are_told_apart(void **state)
{
    struct parked_list list = {0};
    const struct parked_source elsewhere = {.topic = 9, .offset = 10};
    struct parked_entry e = {.source = elsewhere, .parked_offset = 101, .reason = "a"};
    (void)state;
    park(&list, 1, 10, 100, "a");
    assert_true(parked_list_add(&list, &e));
    parked_list_sort(&list);
    assert_int_equal(list.count, 2);
    parked_list_outcome(&list, 5, false, &elsewhere);
    parked_list_select(&list, "", 0);
    assert_int_equal(list.count, 1);
    assert_true(parked_list_has(&list, 0, 100));
    parked_list_done(&list);
}

static void reason_and_time_select(void **state)
{
    static const struct {
        const char *reason;
        int64_t since;
        size_t count;
    } cases[] = {{"", 0, 4},           {"", 102, 2},   {"http:422", 0, 1}, {"http:", 0, 2},
                 {"missing:", 103, 1}, {"http", 0, 0}, {"http:42", 0, 0},  {"http:422", 101, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parked_list list = {0};
        park(&list, 1, 10, 100, "http:422");
        park(&list, 2, 11, 101, "http:413");
        park(&list, 3, 12, 102, "missing:client_name");
        park(&list, 4, 13, 103, "missing:client_phone");
        parked_list_sort(&list);
        parked_list_select(&list, cases[i].reason, cases[i].since);
        assert_int_equal(list.count, cases[i].count);
        parked_list_done(&list);
    }
}

static void nothing_is_parked(void **state)
{
    struct parked_list list = {0};
    (void)state;
    parked_list_sort(&list);
    outcome(&list, 1, true, 0);
    parked_list_select(&list, "", 0);
    assert_false(parked_list_has(&list, 0, 0));
    parked_list_done(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_parking_of_a_record_stands_for_it),
        cmocka_unit_test(what_was_delivered_since_waits_no_more),
        cmocka_unit_test(a_record_that_got_its_order_later_is_one),
        cmocka_unit_test(topics_are_told_apart),
        cmocka_unit_test(reason_and_time_select),
        cmocka_unit_test(nothing_is_parked),
    };
    return cmocka_run_group_tests_name("parked_list", tests, NULL, NULL);
}
