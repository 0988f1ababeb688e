/* order_queue_test: one delivery at a time per order, in order; who waits longest goes first. */
#include "delivery/order_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct delivery *add(struct order_queues *l, const char *order, int64_t offset, void *owner)
{
    const struct slice texts[DELIVERY_TEXT_COUNT] = {[TEXT_ORDER_ID] = slice_of(order)};
    struct delivery *d = delivery_new(texts);
    assert_non_null(d);
    d->offset = offset;
    d->owner = owner;
    assert_true(order_queue_add(l, d));
    return d;
}

/* Takes one, as it is when it is sent. */
static struct delivery *send(struct order_queues *l, bool fresh)
{
    struct delivery *d = order_queue_take(l, fresh);
    if (d != NULL)
        d->dispatched = true;
    return d;
}

static void finish(struct order_queues *l, struct delivery *d)
{
    order_queue_finish(l, d);
    free(d);
}

static void an_order_is_sent_one_by_one(void **state)
{
    struct order_queues *l = order_queues_new(&(struct hash_key){{1, 2}});
    (void)state;
    struct delivery *a1 = add(l, "a", 1, NULL), *a2 = add(l, "a", 2, NULL);
    struct delivery *b = add(l, "b", 3, NULL);
    assert_ptr_equal(send(l, true), a1);
    assert_ptr_equal(send(l, true), b); /* a2 waits for a1 */
    assert_null(send(l, true));
    order_queue_back_off(l, a1, 100);
    assert_null(send(l, true)); /* and goes on waiting while a1 rests */
    assert_int_equal(order_queue_wake(l, 99), 100);
    assert_int_equal(order_queue_wake(l, 100), -1);
    assert_ptr_equal(send(l, true), a1);
    finish(l, a1);
    assert_ptr_equal(send(l, true), a2);
    finish(l, a2);
    finish(l, b);
    assert_false(order_queue_has_any(l, true));
    order_queues_free(l);
}

/* The rest of a woken order stands behind those who have been ready for longer. */
static void who_waits_longest_goes_first(void **state)
{
    struct order_queues *l = order_queues_new(&(struct hash_key){{1, 2}});
    (void)state;
    struct delivery *a = add(l, "a", 1, NULL);
    assert_ptr_equal(send(l, true), a);
    struct delivery *b = add(l, "b", 2, NULL);
    order_queue_back_off(l, a, 10);
    order_queue_wake(l, 10);
    struct delivery *c = add(l, "c", 3, NULL);
    assert_ptr_equal(send(l, true), b);
    assert_ptr_equal(send(l, true), a);
    assert_ptr_equal(send(l, true), c);
    finish(l, a);
    finish(l, b);
    finish(l, c);
    order_queues_free(l);
}

/* Nothing new may begin: what was sent before still may go. */
static void only_what_was_sent_before(void **state)
{
    struct order_queues *l = order_queues_new(&(struct hash_key){{1, 2}});
    (void)state;
    struct delivery *a = add(l, "a", 1, NULL), *b = add(l, "b", 2, NULL);
    assert_null(send(l, false));
    assert_false(order_queue_has_any(l, false));
    assert_true(order_queue_has_any(l, true));
    assert_ptr_equal(send(l, true), a);
    order_queue_back_off(l, a, 10);
    assert_true(order_queue_has_any(l, false));
    assert_true(order_queue_wake_first(l));
    assert_false(order_queue_wake_first(l));
    assert_ptr_equal(send(l, false), a);
    assert_null(send(l, false));
    finish(l, a);
    assert_ptr_equal(send(l, true), b);
    finish(l, b);
    order_queues_free(l);
}

/* An open breaker's probe cuts a rest short, but not one that must be whole. */
static void a_whole_rest_is_not_cut_short(void **state)
{
    struct order_queues *l = order_queues_new(&(struct hash_key){{1, 2}});
    (void)state;
    struct delivery *a = add(l, "a", 1, NULL), *b = add(l, "b", 2, NULL);
    assert_ptr_equal(send(l, true), a);
    assert_ptr_equal(send(l, true), b);
    a->rests_whole = true;
    order_queue_back_off(l, a, 10);
    assert_false(order_queue_has_any(l, true));
    assert_false(order_queue_wake_first(l));
    order_queue_back_off(l, b, 20);
    assert_true(order_queue_has_any(l, false));
    assert_true(order_queue_wake_first(l)); /* though a is due earlier */
    assert_ptr_equal(send(l, false), b);
    assert_int_equal(order_queue_wake(l, 9), 10);
    order_queue_wake(l, 10);
    assert_true(order_queue_has_any(l, false));
    assert_ptr_equal(send(l, false), a);
    a->rests_whole = false;
    order_queue_back_off(l, a, 30);
    assert_true(order_queue_wake_first(l));
    assert_ptr_equal(send(l, false), a);
    finish(l, a);
    finish(l, b);
    order_queues_free(l);
}

static void the_rejected_have_their_turn_too(void **state)
{
    struct order_queues *l = order_queues_new(&(struct hash_key){{1, 2}});
    const struct slice texts[DELIVERY_TEXT_COUNT] = {[TEXT_ORDER_ID] = slice_of("a")};
    (void)state;
    struct delivery *good = add(l, "a", 1, NULL), *bad = delivery_new(texts);
    bad->rejected = true;
    assert_true(order_queue_add(l, bad));
    assert_null(order_queue_take_rejected(l)); /* its order's first is still to be sent */
    assert_ptr_equal(send(l, true), good);
    finish(l, good);
    assert_null(send(l, true));
    assert_ptr_equal(order_queue_take_rejected(l), bad);
    finish(l, bad);
    order_queues_free(l);
}

static void note_dropped(void *context, struct delivery *d)
{
    int64_t *sum = context;
    *sum += d->offset;
    free(d);
}

/* What is in flight stays in its order queue, and the other owner's behind it. */
static void an_owner_withdraws(void **state)
{
    struct order_queues *l = order_queues_new(&(struct hash_key){{1, 2}});
    int us, them;
    int64_t sum = 0;
    (void)state;
    struct delivery *sent = add(l, "a", 1, &us), *next = add(l, "a", 2, &them);
    struct delivery *backoff = add(l, "b", 4, &us);
    add(l, "b", 8, &us);
    add(l, "c", 16, &us);
    assert_ptr_equal(send(l, true), sent);
    assert_ptr_equal(send(l, true), backoff);
    order_queue_back_off(l, backoff, 5);
    order_queue_drop(l, &us, note_dropped, &sum);
    assert_int_equal(sum, 4 + 8 + 16);
    assert_null(send(l, true));
    assert_int_equal(order_queue_wake(l, 100), -1);
    finish(l, sent);
    assert_ptr_equal(send(l, true), next);
    finish(l, next);
    struct order_queue_counts counts = order_queue_counts(l);
    assert_int_equal(counts.waiting + counts.ready + counts.in_flight + counts.backoff, 0);
    order_queues_free(l);
}

/* ---- at random, against what must always hold ---- */

enum { ORDERS = 12, STEPS = 20000, OUT_MAX = 8 };

struct play {
    struct order_queues *l;
    uint64_t seed;
    int64_t added[ORDERS], finished[ORDERS], now_ms;
    struct delivery *out[OUT_MAX];
    int out_count;
};

static int draw(struct play *p, int below)
{
    p->seed = p->seed * 6364136223846793005u + 1442695040888963407u;
    return (int)((p->seed >> 33) % (uint64_t)below);
}

static int order_of(const struct delivery *d)
{
    return d->text[TEXT_ORDER_ID].data[0] - 'a';
}

static void play_add(struct play *p)
{
    int order = draw(p, ORDERS);
    const char name[2] = {(char)('a' + order), '\0'};
    add(p->l, name, p->added[order]++, NULL);
}

static void play_take(struct play *p)
{
    struct delivery *d = p->out_count < OUT_MAX ? send(p->l, draw(p, 4) > 0) : NULL;
    if (d == NULL)
        return;
    assert_int_equal(d->offset, p->finished[order_of(d)]); /* the next of its order, and no other */
    for (int i = 0; i < p->out_count; i++)
        assert_int_not_equal(order_of(p->out[i]), order_of(d));
    p->out[p->out_count++] = d;
}

static void play_end(struct play *p)
{
    if (p->out_count == 0)
        return;
    int which = draw(p, p->out_count);
    struct delivery *d = p->out[which];
    p->out[which] = p->out[--p->out_count];
    if (draw(p, 3) == 0) {
        d->rests_whole = draw(p, 4) == 0;
        order_queue_back_off(p->l, d, p->now_ms + draw(p, 50));
        return;
    }
    p->finished[order_of(d)]++;
    finish(p->l, d);
}

static void always_one_by_one(void **state)
{
    struct play p = {.l = order_queues_new(&(struct hash_key){{1, 2}}), .seed = 1};
    (void)state;
    for (int i = 0; i < STEPS; i++) {
        int what = draw(&p, 10);
        p.now_ms++;
        order_queue_wake(p.l, p.now_ms);
        if (what < 3)
            play_add(&p);
        else if (what < 6)
            play_take(&p);
        else
            play_end(&p);
        assert_int_equal(order_queue_counts(p.l).in_flight, p.out_count);
    }
    for (p.now_ms += 1000;
         order_queue_wake(p.l, p.now_ms),
         order_queue_has_any(p.l, true) || p.out_count > 0 || order_queue_counts(p.l).backoff > 0;
         p.now_ms += 100) {
        play_take(&p);
        play_end(&p);
    }
    for (int order = 0; order < ORDERS; order++)
        assert_int_equal(p.finished[order], p.added[order]);
    order_queues_free(p.l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_sent_one_by_one),
        cmocka_unit_test(who_waits_longest_goes_first),
        cmocka_unit_test(only_what_was_sent_before),
        cmocka_unit_test(a_whole_rest_is_not_cut_short),
        cmocka_unit_test(the_rejected_have_their_turn_too),
        cmocka_unit_test(an_owner_withdraws),
        cmocka_unit_test(always_one_by_one),
    };
    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
