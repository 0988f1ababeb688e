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
    assert_true(order_queue_has_any(l, false)); /* the whole rest before it is over */
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

/* A later change overtakes its order's earlier deliveries wherever they are; those of other orders,
 * manual ones and later ones are not overtaken. */
static void a_later_change_overtakes(void **state)
{
    struct order_queues *l = order_queues_new(&(struct hash_key){{1, 2}});
    (void)state;
    struct delivery *ready = add(l, "a", 1, NULL), *waiting = add(l, "a", 2, NULL);
    struct delivery *manual = add(l, "a", 3, NULL), *other = add(l, "b", 4, NULL);
    manual->manual = true;
    order_queue_overtake(l, slice_of("a"), 0, 10);
    order_queue_overtake(l, slice_of("none"), 0, 10);
    struct delivery *later = add(l, "a", 5, NULL);
    assert_ptr_equal(send(l, true), other);
    assert_null(send(l, true));
    assert_ptr_equal(order_queue_take_rejected(l), ready);
    finish(l, ready);
    assert_ptr_equal(order_queue_take_rejected(l), waiting);
    finish(l, waiting);
    assert_ptr_equal(send(l, true), manual);
    assert_false(manual->overtaken || later->overtaken || other->overtaken);
    finish(l, manual);
    assert_ptr_equal(send(l, true), later);
    order_queue_back_off(l, later, 100); /* one that rests */
    order_queue_overtake(l, slice_of("a"), 0, 10);
    assert_int_equal(order_queue_wake(l, 0), -1);
    assert_ptr_equal(order_queue_take_rejected(l), later);
    finish(l, later);
    order_queue_overtake(l, slice_of("b"), 0, 10); /* one under way: if its attempt fails */
    assert_null(order_queue_take_rejected(l));
    order_queue_back_off(l, other, 100);
    assert_int_equal(order_queue_wake(l, 0), -1);
    assert_ptr_equal(order_queue_take_rejected(l), other);
    finish(l, other);
    assert_int_equal(order_queue_counts(l).backoff + order_queue_counts(l).in_flight, 0);
    order_queues_free(l);
}

/* A record that was held is judged after those behind it. */
static void an_earlier_change_overtakes_nothing(void **state)
{
    struct order_queues *l = order_queues_new(&(struct hash_key){{1, 2}});
    (void)state;
    struct delivery *before = add(l, "a", 4, NULL), *behind = add(l, "a", 6, NULL);
    struct delivery *elsewhere = add(l, "a", 7, NULL);
    elsewhere->partition = 1;
    order_queue_overtake(l, slice_of("a"), 0, 5);
    assert_ptr_equal(order_queue_take_rejected(l), before);
    finish(l, before);
    assert_ptr_equal(send(l, true), behind);
    finish(l, behind);
    assert_ptr_equal(order_queue_take_rejected(l), elsewhere);
    finish(l, elsewhere);
    order_queues_free(l);
}

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

/* ---- at random, against the simplest model there is ---- */

enum { ORDERS = 26, STEPS = 20000, OUT_MAX = 20, MANY = 2048, OWNERS = 2, DROPS_OF = 40 };

struct pile {
    struct delivery *list[MANY];
    int count;
};

struct play {
    struct order_queues *l;
    uint64_t seed;
    int64_t now_ms;
    int owners[OWNERS];
    struct pile orders[ORDERS], out, resting; /* of an order: oldest first */
};

static int draw(struct play *p, int below)
{
    p->seed = p->seed * 6364136223846793005u + 1442695040888963407u;
    return (int)((p->seed >> 33) % (uint64_t)below);
}

static struct pile *pile_of(struct play *p, const struct delivery *d)
{
    return &p->orders[d->text[TEXT_ORDER_ID].data[0] - 'a'];
}

static void pile_add(struct pile *pile, struct delivery *d)
{
    assert_true(pile->count < MANY);
    pile->list[pile->count++] = d;
}

static int pile_find(const struct pile *pile, const struct delivery *d)
{
    int at = 0;
    while (at < pile->count && pile->list[at] != d)
        at++;
    return at;
}

static void pile_remove(struct pile *pile, const struct delivery *d)
{
    int at = pile_find(pile, d);
    assert_true(at < pile->count);
    memmove(&pile->list[at], &pile->list[at + 1],
            (size_t)(--pile->count - at) * sizeof pile->list[0]);
}

/* The one that is due first, of all or of those whose rest may be cut short. */
static struct delivery *due_first(const struct play *p, bool whole_too)
{
    struct delivery *first = NULL;
    for (int i = 0; i < p->resting.count; i++) {
        struct delivery *d = p->resting.list[i];
        if ((whole_too || !d->rests_whole) && (first == NULL || d->due_ms < first->due_ms))
            first = d;
    }
    return first;
}

static void play_add(struct play *p)
{
    const char name[2] = {(char)('a' + draw(p, ORDERS)), '\0'};
    struct delivery *d = add(p->l, name, 0, &p->owners[draw(p, OWNERS)]);
    pile_add(pile_of(p, d), d);
}

static void play_take(struct play *p)
{
    struct delivery *d = p->out.count < OUT_MAX ? send(p->l, draw(p, 4) > 0) : NULL;
    if (d == NULL)
        return;
    assert_ptr_equal(d, pile_of(p, d)->list[0]); /* the next of its order, and no other */
    assert_int_equal(pile_find(&p->out, d), p->out.count);
    assert_int_equal(pile_find(&p->resting, d), p->resting.count);
    pile_add(&p->out, d);
}

static void play_end(struct play *p)
{
    if (p->out.count == 0)
        return;
    struct delivery *d = p->out.list[draw(p, p->out.count)];
    pile_remove(&p->out, d);
    if (draw(p, 3) > 0) {
        d->rests_whole = draw(p, 4) == 0;
        order_queue_back_off(p->l, d, p->now_ms + draw(p, 500));
        pile_add(&p->resting, d);
        return;
    }
    pile_remove(pile_of(p, d), d);
    finish(p->l, d);
}

static void play_wake(struct play *p)
{
    struct delivery *d;
    while ((d = due_first(p, true)) != NULL && d->due_ms <= p->now_ms)
        pile_remove(&p->resting, d);
    assert_int_equal(order_queue_wake(p->l, p->now_ms), d != NULL ? d->due_ms : -1);
}

static void play_wake_first(struct play *p)
{
    const struct delivery *first = due_first(p, false);
    assert_int_equal(order_queue_wake_first(p->l), first != NULL);
    for (int i = 0; i < p->resting.count; i++) {
        const struct delivery *d = p->resting.list[i];
        if (d->state == DELIVERY_BACKOFF)
            continue;
        assert_false(d->rests_whole);
        assert_int_equal(d->due_ms, first->due_ms);
        pile_remove(&p->resting, d);
        return;
    }
    assert_null(first);
}

static void play_dropped(void *context, struct delivery *d)
{
    struct play *p = context;
    assert_int_equal(pile_find(&p->out, d), p->out.count); /* what is under way stays */
    if (pile_find(&p->resting, d) < p->resting.count)
        pile_remove(&p->resting, d);
    pile_remove(pile_of(p, d), d);
    free(d);
}

static void play_drop(struct play *p)
{
    const void *owner = &p->owners[draw(p, OWNERS)];
    order_queue_drop(p->l, owner, play_dropped, p);
    for (int order = 0; order < ORDERS; order++)
        for (int i = 0; i < p->orders[order].count; i++) {
            const struct delivery *d = p->orders[order].list[i];
            assert_true(d->owner != owner || pile_find(&p->out, d) < p->out.count);
        }
}

/* Compares the queue with the model: the delivery that may go, and how many there are. */
static void play_check(struct play *p)
{
    bool again = due_first(p, false) != NULL, fresh = false;
    int count = 0;
    for (int order = 0; order < ORDERS; order++) {
        const struct pile *pile = &p->orders[order];
        count += pile->count;
        if (pile->count == 0 || pile_find(&p->out, pile->list[0]) < p->out.count ||
            pile_find(&p->resting, pile->list[0]) < p->resting.count)
            continue;
        *(pile->list[0]->dispatched ? &again : &fresh) = true;
    }
    assert_int_equal(order_queue_has_any(p->l, false), again);
    assert_int_equal(order_queue_has_any(p->l, true), again || fresh);
    struct order_queue_counts counts = order_queue_counts(p->l);
    assert_int_equal(counts.in_flight, p->out.count);
    assert_int_equal(counts.backoff, p->resting.count);
    assert_int_equal(counts.waiting + counts.ready + counts.in_flight + counts.backoff, count);
}

static bool is_empty(const struct play *p)
{
    for (int order = 0; order < ORDERS; order++)
        if (p->orders[order].count > 0)
            return false;
    return true;
}

static void agrees_with_a_model(void **state)
{
    static struct play p;
    (void)state;
    p = (struct play){.l = order_queues_new(&(struct hash_key){{1, 2}}), .seed = 1};
    for (int i = 0; i < STEPS; i++) {
        int what = draw(&p, 100);
        p.now_ms++;
        play_wake(&p);
        if (draw(&p, DROPS_OF) == 0)
            play_drop(&p);
        else if (what < 40)
            play_add(&p);
        else if (what < 70)
            play_take(&p);
        else if (what < 98)
            play_end(&p);
        else
            play_wake_first(&p);
        play_check(&p);
    }
    for (int i = 0; i < STEPS && !is_empty(&p); i++) {
        p.now_ms += 100;
        play_wake(&p);
        play_take(&p);
        play_end(&p);
        play_check(&p);
    }
    assert_true(is_empty(&p));
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
        cmocka_unit_test(a_later_change_overtakes),
        cmocka_unit_test(an_earlier_change_overtakes_nothing),
        cmocka_unit_test(an_owner_withdraws),
        cmocka_unit_test(agrees_with_a_model),
    };
    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
