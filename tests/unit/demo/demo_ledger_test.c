/* demo_ledger_test: the demo's accounts find each kind of error, and no others. */
#include "demo/parts/ledger.h"

#include "demo/display/summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CONFIRMED_US INT64_C(1795421283334000)
#define CONFIRMED_AT "2026-11-23T08:08:03.334000Z"
#define BODY                                                                                    \
    "{\"form_name\":\"order_confirmation\",\"fields\":{\"order_id\":\"o1\",\"order_number\":"   \
    "\"CMD-1\",\"client_name\":\"Amina\",\"client_phone\":\"06\",\"client_address\":\"\","      \
    "\"client_city\":\"Oran\",\"product_name\":\"Montre\",\"quantity\":2,\"unit_price\":12.05," \
    "\"total_amount\":24.10,\"status\":\"confirmed\",\"confirmed_at\":\"" CONFIRMED_AT "\"}}"

struct fixture {
    struct ledger *ledger;
    struct ledger_claim claim;
};

static struct shop_change confirmation(enum shop_fate fate)
{
    struct shop_change change = {.op = 'u', .has_after = true, .confirmation = 1, .fate = fate};
    struct shop_row *row = &change.after;
    snprintf(row->id, sizeof row->id, "o1");
    snprintf(row->number, sizeof row->number, "CMD-1");
    snprintf(row->name, sizeof row->name, "Amina");
    snprintf(row->phone, sizeof row->phone, "06");
    snprintf(row->city, sizeof row->city, "Oran");
    snprintf(row->product, sizeof row->product, "Montre");
    row->quantity = 2;
    row->unit_price = 1205;
    row->total = 2410;
    row->status = "confirmed";
    row->confirmed_us = CONFIRMED_US;
    return change;
}

/* One confirmation of order o1, at offset 40 of partition 3. */
static void open_with(struct fixture *f, enum shop_fate fate)
{
    const struct shop_change change = confirmation(fate);
    f->ledger = ledger_new();
    struct confirmation *c = ledger_confirmed(f->ledger, &change);
    c->partition = 3;
    c->offset = 40;
    f->claim = (struct ledger_claim){.order_id = "o1", .confirmed_at = CONFIRMED_AT, .body = BODY};
}

static struct ledger_counts counts_of(struct fixture *f)
{
    struct ledger_counts counts = ledger_counts(f->ledger);
    ledger_free(f->ledger);
    return counts;
}

static void delivered_once_is_clean(void **state)
{
    struct fixture f;
    (void)state;
    open_with(&f, SHOP_VALID);
    assert_non_null(ledger_delivered(f.ledger, &f.claim));
    struct ledger_counts counts = counts_of(&f);
    assert_int_equal(counts.delivered, 1);
    assert_int_equal(counts.open, 0);
    assert_true(ledger_is_clean(&counts));
}

static void an_order_sent_again_by_hand_ends_a_second_time(void **state)
{
    struct fixture f;
    (void)state;
    open_with(&f, SHOP_REFUSED);
    struct ledger_claim claim = {
        .order_id = "o1", .partition = 3, .offset = 40, .reason = "http:422"};
    ledger_parked(f.ledger, &claim);
    claim.by_hand = true;
    ledger_parked(f.ledger, &claim);
    assert_int_equal(ledger_counts(f.ledger).parked, 1);
    f.claim.by_hand = true;
    ledger_delivered(f.ledger, &f.claim);
    ledger_delivered(f.ledger, &f.claim);
    struct ledger_counts counts = counts_of(&f);
    assert_int_equal(counts.parked, 0);
    assert_int_equal(counts.delivered, 1);
    assert_true(ledger_is_clean(&counts));
}

static void word_of_the_parking_may_come_last(void **state)
{
    struct fixture f;
    (void)state;
    open_with(&f, SHOP_REFUSED);
    const struct ledger_claim claim = {
        .order_id = "o1", .partition = 3, .offset = 40, .reason = "http:422"};
    f.claim.by_hand = true;
    ledger_delivered(f.ledger, &f.claim);
    ledger_parked(f.ledger, &claim);
    struct ledger_counts counts = ledger_counts(f.ledger);
    assert_int_equal(counts.delivered, 1);
    assert_int_equal(counts.parked, 0);
    assert_true(ledger_is_clean(&counts));
    ledger_parked(f.ledger, &claim);
    assert_int_equal(counts_of(&f).twice, 1);
}

static void a_second_parking_without_a_hand_is_seen(void **state)
{
    struct fixture f;
    (void)state;
    open_with(&f, SHOP_REFUSED);
    const struct ledger_claim claim = {
        .order_id = "o1", .partition = 3, .offset = 40, .reason = "http:422"};
    ledger_parked(f.ledger, &claim);
    ledger_parked(f.ledger, &claim);
    assert_int_equal(counts_of(&f).twice, 1);
}

static void delivered_twice_is_seen(void **state)
{
    struct fixture f;
    (void)state;
    open_with(&f, SHOP_VALID);
    ledger_delivered(f.ledger, &f.claim);
    ledger_delivered(f.ledger, &f.claim);
    struct ledger_counts counts = counts_of(&f);
    assert_int_equal(counts.twice, 1);
    assert_int_equal(counts.delivered, 1);
    assert_false(ledger_is_clean(&counts));
}

static void another_digit_is_seen(void **state)
{
    char body[sizeof BODY];
    struct fixture f;
    (void)state;
    open_with(&f, SHOP_VALID);
    memcpy(body, BODY, sizeof BODY);
    *strstr(body, "24.10") = '3';
    f.claim.body = body;
    ledger_delivered(f.ledger, &f.claim);
    struct ledger_counts counts = counts_of(&f);
    assert_int_equal(counts.altered, 1);
    assert_false(ledger_is_clean(&counts));
}

static void an_order_that_was_never_confirmed_is_seen(void **state)
{
    struct fixture f;
    (void)state;
    open_with(&f, SHOP_VALID);
    f.claim.confirmed_at = "2026-11-23T08:08:03.334001Z";
    assert_null(ledger_delivered(f.ledger, &f.claim));
    f.claim = (struct ledger_claim){.order_id = "o2", .reason = "http:422"};
    assert_null(ledger_parked(f.ledger, &f.claim));
    struct ledger_counts counts = counts_of(&f);
    assert_int_equal(counts.unexpected, 2);
    assert_int_equal(counts.open, 1);
    assert_false(ledger_is_clean(&counts));
}

static void park(struct fixture *f, const char *reason)
{
    f->claim =
        (struct ledger_claim){.order_id = "o1", .partition = 3, .offset = 40, .reason = reason};
    assert_non_null(ledger_parked(f->ledger, &f->claim));
}

static void parking_fits_the_order(void **state)
{
    static const struct {
        enum shop_fate fate;
        const char *reason;
        bool clean;
    } cases[] = {{SHOP_INVALID, "missing:client_phone", true},
                 {SHOP_INVALID, "http:422", false},
                 {SHOP_REFUSED, "http:422", true},
                 {SHOP_REFUSED, "negative:quantity", false},
                 {SHOP_VALID, "exhausted:http:503", true},
                 {SHOP_VALID, "undecodable", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        open_with(&f, cases[i].fate);
        park(&f, cases[i].reason);
        struct ledger_counts counts = counts_of(&f);
        assert_int_equal(counts.parked, 1);
        assert_int_equal(ledger_is_clean(&counts), cases[i].clean);
    }
}

/* The first confirmation's end is reported after the second was written and before its coordinates
 * are known: it is the first's. */
static void a_late_word_is_of_the_one_it_names(void **state)
{
    struct shop_change again = confirmation(SHOP_VALID);
    struct fixture f;
    (void)state;
    open_with(&f, SHOP_VALID);
    again.confirmation = 2;
    again.after.confirmed_us++;
    const struct confirmation *second = ledger_confirmed(f.ledger, &again);
    f.claim = (struct ledger_claim){.order_id = "o1", .partition = 3, .offset = 40};
    assert_int_equal(ledger_delivered(f.ledger, &f.claim)->ordinal, 1);
    f.claim.offset = 41;
    assert_ptr_equal(ledger_delivered(f.ledger, &f.claim), second);
    struct ledger_counts counts = counts_of(&f);
    assert_int_equal(counts.open, 0);
    assert_true(ledger_is_clean(&counts));
}

static void sent_though_it_could_not_be(void **state)
{
    struct fixture f;
    (void)state;
    open_with(&f, SHOP_INVALID);
    ledger_delivered(f.ledger, &f.claim);
    struct ledger_counts counts = counts_of(&f);
    assert_int_equal(counts.wrong, 1);
}

static void lost_is_open_below_a_commit(void **state)
{
    int64_t committed[] = {-1, -1, -1, 40};
    struct fixture f;
    (void)state;
    open_with(&f, SHOP_VALID);
    assert_int_equal(ledger_lost(f.ledger, committed, 4), 0);
    committed[3] = 41;
    assert_int_equal(ledger_lost(f.ledger, committed, 4), 1);
    ledger_delivered(f.ledger, &f.claim);
    assert_int_equal(ledger_lost(f.ledger, committed, 4), 0);
    ledger_free(f.ledger);
}

static void the_balance_needs_all_of_it(void **state)
{
    const struct report_end whole = {.finished = true, .settled = true};
    const struct report_end cut = {.finished = false};
    struct snapshot view = {.counts = {.confirmations = 2, .delivered = 2}};
    (void)state;
    assert_true(report_balances(&view, &whole));
    assert_false(report_balances(&view, &(struct report_end){.finished = true}));
    assert_false(report_balances(&view, &(struct report_end){.lost = 1}));
    assert_false(report_balances(&view, &(struct report_end){.process_failed = true}));
    view.counts.open = 1;
    assert_false(report_balances(&view, &whole));
    assert_true(report_balances(&view, &cut));
    view.counts.twice = 1;
    assert_false(report_balances(&view, &cut));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivered_once_is_clean),
        cmocka_unit_test(delivered_twice_is_seen),
        cmocka_unit_test(an_order_sent_again_by_hand_ends_a_second_time),
        cmocka_unit_test(word_of_the_parking_may_come_last),
        cmocka_unit_test(a_second_parking_without_a_hand_is_seen),
        cmocka_unit_test(another_digit_is_seen),
        cmocka_unit_test(an_order_that_was_never_confirmed_is_seen),
        cmocka_unit_test(parking_fits_the_order),
        cmocka_unit_test(a_late_word_is_of_the_one_it_names),
        cmocka_unit_test(sent_though_it_could_not_be),
        cmocka_unit_test(lost_is_open_below_a_commit),
        cmocka_unit_test(the_balance_needs_all_of_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
