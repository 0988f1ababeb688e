/* pace_receivers_test: what comes of the controller at receivers, in simulated time, against the
 * best fixed number of requests at a time, which the same simulation finds by trying. */
#include "delivery/policy/breaker.h"
#include "delivery/policy/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SLOTS = 1024, CEILING = 16, TIMEOUT_US = 30 * 1000 * 1000, SEEDS = 2 };

struct receiver {
    const char *name;
    int workers;             /* 0: as many as come */
    bool queues;             /* what finds no worker waits; else it is refused with 503 */
    int took_us, spread_us;  /* a request's time, and at most so much more */
    int a_second, burst;     /* 0: no limit; beyond it: */
    enum pace_sense refusal; /* 429, or 503 */
    int asks_ms;             /* Retry-After; 0: none */
    bool by_the_second;      /* counts anew each second, else a token bucket */
    int by_chance;           /* one in so many is refused as well, for no reason */
    int hang_first;          /* so many requests are never answered */
};

/* The machine that the program runs on. */
struct client {
    const char *name;
    int way_us;                 /* to the receiver, and back */
    int turn_us;                /* between two looks at the answers */
    int stall_one_in, stall_us; /* one turn in so many takes longer, at most by so much */
};

struct heap {
    size_t len;
    struct heap_entry {
        int64_t at_us;
        int slot;
    } entries[SLOTS];
};

struct request {
    struct pace_request pace;
    int64_t sent_us;
    enum pace_sense sense;
};

struct world {
    const struct receiver *receiver;
    const struct client *client;
    bool is_fixed; /* the pace learns nothing */
    struct pace pace;
    struct breaker breaker;
    int64_t now_us, second;
    double tokens;
    int64_t tokens_us;
    struct heap workers, answers;
    struct request requests[SLOTS];
    int free_slots[SLOTS];
    size_t free_len;
    unsigned failed, delivered, opened, hung;
    uint64_t dice;
};

static uint32_t throw_dice(struct world *w)
{
    w->dice = w->dice * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->dice >> 33);
}

static bool one_in(struct world *w, int n)
{
    return n > 0 && throw_dice(w) % (uint32_t)n == 0;
}

static int up_to(struct world *w, int n)
{
    return n > 0 ? (int)(throw_dice(w) % (uint32_t)(n + 1)) : 0;
}

/* ---- soonest first ---- */

static void sift_down(struct heap *h, size_t at)
{
    struct heap_entry e = h->entries[at];
    for (size_t child; (child = 2 * at + 1) < h->len; at = child) {
        child += child + 1 < h->len && h->entries[child + 1].at_us < h->entries[child].at_us;
        if (h->entries[child].at_us >= e.at_us)
            break;
        h->entries[at] = h->entries[child];
    }
    h->entries[at] = e;
}

static void add(struct heap *h, int64_t at_us, int slot)
{
    size_t at = h->len++;
    assert_true(h->len <= SLOTS);
    for (size_t up; at > 0 && h->entries[up = (at - 1) / 2].at_us > at_us; at = up)
        h->entries[at] = h->entries[up];
    h->entries[at] = (struct heap_entry){at_us, slot};
}

static int take_first(struct heap *h)
{
    int slot = h->entries[0].slot;
    h->entries[0] = h->entries[--h->len];
    if (h->len > 0)
        sift_down(h, 0);
    return slot;
}

/* ---- the receiver ---- */

static bool is_beyond_rate(struct world *w, int64_t at_us)
{
    const struct receiver *r = w->receiver;
    if (r->a_second == 0)
        return false;
    if (!r->by_the_second)
        w->tokens += (double)(at_us - w->tokens_us) * r->a_second / 1e6;
    else if (at_us / 1000000 != w->tokens_us / 1000000)
        w->tokens = r->a_second;
    w->tokens_us = at_us;
    if (w->tokens > r->burst)
        w->tokens = r->burst;
    if (w->tokens < 1)
        return true;
    w->tokens -= 1;
    return false;
}

/* Returns when its answer leaves. */
static int64_t arrive(struct world *w, struct request *request, int64_t at_us)
{
    const struct receiver *r = w->receiver;
    int64_t took_us = r->took_us + up_to(w, r->spread_us), begins_us = at_us;
    request->sense = r->refusal;
    if (is_beyond_rate(w, at_us) || one_in(w, r->by_chance))
        return at_us;
    request->sense = PACE_TIMED_OUT;
    if (w->hung < (unsigned)r->hang_first) {
        w->hung++;
        return at_us + TIMEOUT_US;
    }
    if (r->workers > 0) {
        struct heap_entry *worker = &w->workers.entries[0];
        request->sense = PACE_TOO_MUCH;
        if (worker->at_us > at_us && !r->queues)
            return at_us;
        begins_us = worker->at_us > at_us ? worker->at_us : at_us;
        worker->at_us = begins_us + took_us;
        sift_down(&w->workers, 0);
    }
    request->sense = PACE_PASSED;
    return begins_us + took_us;
}

/* ---- the program ---- */

static size_t in_flight(const struct world *w)
{
    return SLOTS - w->free_len;
}

static void learn_breaker(struct world *w, enum pace_sense sense)
{
    static const struct breaker_options options = {5, 20, 30, 20, 60, 5000, 60000};
    const struct breaker_answer answer = {
        .class = sense == PACE_PASSED ? RESPONSE_DELIVERED : RESPONSE_TRANSIENT,
        .is_pace = sense == PACE_TOO_FAST || sense == PACE_TOO_MUCH,
        .through_ms = 10000,
        .now_ms = w->now_us / 1000};
    w->opened += breaker_learn(&w->breaker, &options, &answer);
}

static void learn(struct world *w, const struct request *r)
{
    const struct pace_answer answer = {.sense = r->sense,
                                       .request = r->pace,
                                       .took_ms = (w->now_us - r->sent_us) / 1000,
                                       .now_ms = w->now_us / 1000};
    w->delivered += r->sense == PACE_PASSED;
    w->failed += r->sense != PACE_PASSED;
    learn_breaker(w, r->sense);
    if (r->sense != PACE_PASSED && w->receiver->asks_ms > 0)
        pace_hold(&w->pace, answer.now_ms + w->receiver->asks_ms);
    if (!w->is_fixed)
        pace_learn(&w->pace, &answer);
}

/* All that came since the last look, in no order: so epoll gives them. */
static void take_answers(struct world *w)
{
    int slots[SLOTS];
    size_t len = 0;
    while (w->answers.len > 0 && w->answers.entries[0].at_us <= w->now_us)
        slots[len++] = take_first(&w->answers);
    while (len > 0) {
        size_t any = throw_dice(w) % len;
        int slot = slots[any];
        slots[any] = slots[--len];
        learn(w, &w->requests[slot]);
        w->free_slots[w->free_len++] = slot;
    }
}

static void send_all(struct world *w)
{
    while (pace_may_send(&w->pace, in_flight(w), w->now_us / 1000)) {
        int slot = w->free_slots[--w->free_len];
        struct request *r = &w->requests[slot];
        *r = (struct request){.pace = pace_sent(&w->pace, in_flight(w), w->now_us / 1000),
                              .sent_us = w->now_us};
        int64_t way_us = w->client->way_us;
        add(&w->answers, arrive(w, r, w->now_us + way_us) + way_us, slot);
    }
}

static void turn(struct world *w)
{
    const struct client *c = w->client;
    take_answers(w);
    send_all(w);
    int64_t wake_ms = pace_wake_ms(&w->pace, in_flight(w), w->now_us / 1000), next_us = INT64_MAX;
    if (w->answers.len > 0)
        next_us = w->answers.entries[0].at_us;
    if (wake_ms >= 0 && wake_ms * 1000 < next_us)
        next_us = wake_ms * 1000;
    assert_true(next_us < INT64_MAX); /* else nothing is ever sent again */
    w->now_us += c->turn_us;
    if (next_us > w->now_us)
        w->now_us = next_us;
    if (one_in(w, c->stall_one_in))
        w->now_us += up_to(w, c->stall_us);
}

struct figures {
    double rate, excess; /* deliveries a second, requests a delivery */
};

/* Of so many seconds, from_s later. */
static struct figures measure(struct world *w, int from_s, int seconds)
{
    int64_t begin_us = w->now_us + from_s * INT64_C(1000000);
    while (w->now_us < begin_us)
        turn(w);
    begin_us = w->now_us;
    w->delivered = w->failed = 0;
    while (w->now_us < begin_us + seconds * INT64_C(1000000))
        turn(w);
    unsigned delivered = w->delivered > 0 ? w->delivered : 1;
    return (struct figures){.rate = delivered / ((double)(w->now_us - begin_us) / 1e6),
                            .excess = (double)(w->failed + delivered) / delivered};
}

static void meet(struct world *w, const struct receiver *r)
{
    w->receiver = r;
    w->tokens = r->burst;
    w->tokens_us = w->now_us;
    w->workers.len = 0;
    for (int i = 0; i < r->workers; i++)
        add(&w->workers, 0, i);
}

static struct world *begin(const struct receiver *r, const struct client *c, int ceiling,
                           unsigned seed)
{
    static struct world w;
    memset(&w, 0, sizeof w);
    w.client = c;
    w.dice = seed;
    w.free_len = SLOTS;
    for (int i = 0; i < SLOTS; i++)
        w.free_slots[i] = SLOTS - 1 - i;
    meet(&w, r);
    pace_init(&w.pace, ceiling, 0);
    breaker_init(&w.breaker, 0);
    return &w;
}

struct best {
    int at_a_time;
    double rate;
};

/* By trying, until three more do not deliver more, or half of the requests are refused. */
static struct best find_best(const struct receiver *r, const struct client *c, int ceiling)
{
    struct best best = {0};
    struct figures f = {0};
    for (int n = 1, vain = 0; n <= ceiling && vain < 3 && f.excess < 2; n += 1 + n / 6) {
        struct world *w = begin(r, c, n, 1);
        w->is_fixed = true;
        w->pace.at_a_time.limit = n;
        f = measure(w, r->a_second > 0 ? 5 : 1, r->took_us < 250000 && r->workers > 0 ? 4 : 10);
        vain = f.rate > 1.005 * best.rate ? 0 : vain + 1;
        if (f.rate > best.rate)
            best = (struct best){n, f.rate};
    }
    return best;
}

/* ---- receivers ---- */

static const struct client quick = {"at once", .way_us = 500, .turn_us = 100};
static const struct client loaded = {"on a loaded machine", .way_us = 2000, .turn_us = 5000,
                                     .stall_one_in = 20, .stall_us = 60000};

struct trial {
    struct receiver receiver;
    double excess;       /* requests a delivery, at most */
    int ceiling;         /* webhook.concurrency; 0: its default */
    int from_s, seconds; /* measured; 0: 15 seconds, after 30 */
    double part;         /* of the best, at least; 0: 0.85 */
};

#define WORKERS(n, ms) .workers = (n), .took_us = (ms)*1000
#define QUEUE(n, ms) WORKERS(n, ms), .queues = true
#define RATE(n, at_once) \
    .a_second = (n), .burst = (at_once), .took_us = 20000, .refusal = PACE_TOO_FAST

static const struct trial trials[] = {
    /* 503 beyond so many at a time */
    {{"1 of 1 s", WORKERS(1, 1000)}, .excess = 1.2},
    {{"4 of 1 s", WORKERS(4, 1000)}, .excess = 1.1},
    {{"4 of 1 s, at first", WORKERS(4, 1000)}, .excess = 1.25, .seconds = 25, .part = 0.6},
    {{"40 of 1 s", WORKERS(40, 1000)}, .excess = 1.1, .ceiling = 64},
    {{"400 of 1 s", WORKERS(400, 1000)}, .excess = 1.1, .ceiling = 512},
    {{"1 of 30 ms", WORKERS(1, 30)}, .excess = 1.2},
    {{"40 of 100 ms", WORKERS(40, 100)}, .excess = 1.1, .ceiling = 64},
    {{"400 of 200 ms", WORKERS(400, 200)}, .excess = 1.1, .ceiling = 512},
    {{"5/s", WORKERS(2, 400)}, .excess = 1.1},
    {{"40/s", WORKERS(4, 100)}, .excess = 1.1},
    {{"40/s, uneven", WORKERS(4, 50), .spread_us = 100000}, .excess = 1.1},
    {{"400/s", WORKERS(12, 30)}, .excess = 1.1},
    {{"400/s, ceiling 64", WORKERS(12, 30)}, .excess = 1.1, .ceiling = 64},
    {{"400/s, uneven", WORKERS(12, 15), .spread_us = 30000}, .excess = 1.1, .ceiling = 64},
    /* a queue beyond them */
    {{"5/s, queue", QUEUE(2, 400)}, .excess = 1},
    {{"5/s, queue, ceiling 512", QUEUE(2, 400)}, .excess = 1, .ceiling = 512},
    {{"40/s, queue", QUEUE(4, 100)}, .excess = 1},
    {{"400/s, queue", QUEUE(12, 30)}, .excess = 1},
    {{"400/s, queue, uneven", QUEUE(12, 15), .spread_us = 30000}, .excess = 1},
    {{"400/s, queue, ceiling 512", QUEUE(12, 30)}, .excess = 1, .ceiling = 512},
    /* 429 beyond so many a second */
    {{"5/s, 429", RATE(5, 5)}, .excess = 1.2},
    {{"10/s, 429, at first", RATE(10, 10)}, .excess = 1.2, .seconds = 60},
    {{"10/s, 429, one by one", RATE(10, 1)}, .excess = 1.2},
    {{"10 each second, 429", RATE(10, 10), .by_the_second = true}, .excess = 1.2},
    {{"10/s, Retry-After: 1", RATE(10, 10), .asks_ms = 1000}, .excess = 1.1},
    {{"10/s, one by one, Retry-After: 1", RATE(10, 1), .asks_ms = 1000}, .excess = 1.1},
    {{"10/s that take 1 s, 429", RATE(10, 10), .spread_us = 2000000}, .excess = 1.2},
    {{"10/s, 503", .a_second = 10, .burst = 10, .took_us = 20000, .refusal = PACE_TOO_MUCH},
     .excess = 1.2},
    {{"40/s, 429", RATE(40, 10)}, .excess = 1.2},
    {{"400/s, 429", RATE(400, 40)}, .excess = 1.2},
    {{"400/s, 429, ten at once", RATE(400, 10)}, .excess = 1.2},
    /* all that come */
    {{"50 ms", .took_us = 50000}, .excess = 1, .from_s = 1, .seconds = 10},
    {{"one in 50 is answered 503 by chance", .took_us = 30000, .by_chance = 50,
      .refusal = PACE_TOO_MUCH},
     .excess = 1.03,
     .ceiling = 32},
    {{"one in 50 is answered 429 by chance", .took_us = 30000, .by_chance = 50,
      .refusal = PACE_TOO_FAST},
     .excess = 1.03,
     .ceiling = 32},
    {{"one in 30 is answered 429 by chance", .took_us = 30000, .by_chance = 30,
      .refusal = PACE_TOO_FAST},
     .excess = 1.05,
     .ceiling = 32},
};

static int misses(const struct trial *t, const struct client *c, unsigned seed, struct best best)
{
    struct world *w = begin(&t->receiver, c, t->ceiling > 0 ? t->ceiling : CEILING, seed);
    struct figures f = t->seconds > 0 ? measure(w, t->from_s, t->seconds) : measure(w, 30, 15);
    double part = f.rate / best.rate, least = t->part > 0 ? t->part : 0.85;
    bool ok = part >= least && f.excess <= t->excess && w->opened == 0;
    print_message("%s%s, %s: %.1f a second, %.2f of the best's %.1f (at least %.2f; %d at a time); "
                  "%.3f requests each (at most %.2f)%s\n",
                  ok ? "" : "FAILS: ", t->receiver.name, c->name, f.rate, part, best.rate, least,
                  best.at_a_time, f.excess, t->excess, w->opened > 0 ? "; breaker opened" : "");
    return !ok;
}

static void comes_near_the_best_of_each_receiver(void **state)
{
    int failed = 0;
    (void)state;
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        const struct trial *t = &trials[i];
        int ceiling = t->ceiling > 0 ? t->ceiling : CEILING;
        failed += misses(t, &quick, 1, find_best(&t->receiver, &quick, ceiling));
        struct best best = find_best(&t->receiver, &loaded, ceiling);
        for (unsigned seed = 1; seed <= SEEDS; seed++)
            failed += misses(t, &loaded, seed, best);
    }
    assert_int_equal(failed, 0);
}

/* Without an answer for two seconds, one more goes; by then the others wait no longer. */
static void orders_that_hang_at_first_hold_up_no_other(void **state)
{
    (void)state;
    for (int n = 2; n <= 4; n++) {
        const struct receiver r = {"hangs", .took_us = 50000, .hang_first = n};
        struct world *w = begin(&r, &quick, CEILING, 1);
        struct figures f = measure(w, n == 2 ? 3 : 16, 10);
        print_message("%d hang: %.1f a second\n", n, f.rate);
        assert_true(f.rate >= 0.85 * (CEILING - n) / 0.051);
        f = measure(w, 30, 10); /* their time-outs are over */
        assert_true(f.rate >= 0.85 * CEILING / 0.051);
    }
}

/* The receiver is another one from one moment to the next; after an outage the pace starts anew. */
static void follows_a_receiver_that_changes(void **state)
{
    static const struct receiver receivers[] = {
        {"40/s", WORKERS(4, 100)},   {"5/s", WORKERS(2, 400)},        {"400/s", WORKERS(12, 30)},
        {"10/s, 429", RATE(10, 10)}, {"400/s, queue", QUEUE(12, 30)}, {"5/s, queue", QUEUE(2, 400)},
        {"40/s, 429", RATE(40, 10)}};
    int failed = 0;
    (void)state;
    for (int outage = 0; outage <= 1; outage++) {
        struct world *w = begin(&receivers[0], &loaded, CEILING, 1);
        static struct world before;
        for (size_t i = 0; i < sizeof receivers / sizeof *receivers; i++) {
            before = *w; /* find_best uses it */
            struct best best = find_best(&receivers[i], &loaded, CEILING);
            *w = before;
            meet(w, &receivers[i]);
            if (outage)
                pace_restart(&w->pace, w->now_us / 1000);
            struct figures f = measure(w, outage ? 20 : 60, 15);
            bool ok = f.rate >= 0.85 * best.rate && f.excess <= 1.25 && w->opened == 0;
            failed += !ok;
            print_message("%s%s %s: %.1f a second, %.2f of the best; %.3f requests each\n",
                          ok ? "" : "FAILS: ", outage ? "after an outage" : "then",
                          receivers[i].name, f.rate, f.rate / best.rate, f.excess);
        }
    }
    assert_int_equal(failed, 0);
}

static void uses_its_share_of_the_rate_and_no_more(void **state)
{
    static const struct {
        struct receiver receiver;
        double share, expected;
    } shares[] = {{{"400/s", WORKERS(12, 30)}, 50, 50},
                  {{"400/s, queue", QUEUE(12, 30)}, 200, 200},
                  {{"400/s, 429", RATE(400, 40)}, 100, 100},
                  {{"all", .took_us = 50000}, 0.5, 0.5},
                  {{"5/s", WORKERS(2, 400)}, 50, 5}};
    (void)state;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        struct world *w = begin(&shares[i].receiver, &loaded, CEILING, 1);
        pace_set_share(&w->pace, shares[i].share);
        struct figures f = measure(w, 30, 30);
        print_message("%s, a share of %.1f: %.2f a second, %.3f requests each\n",
                      shares[i].receiver.name, shares[i].share, f.rate, f.excess);
        assert_true(f.rate >= 0.85 * shares[i].expected && f.rate <= 1.05 * shares[i].expected);
        assert_true(f.excess <= 1.1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_near_the_best_of_each_receiver),
        cmocka_unit_test(orders_that_hang_at_first_hold_up_no_other),
        cmocka_unit_test(follows_a_receiver_that_changes),
        cmocka_unit_test(uses_its_share_of_the_rate_and_no_more),
    };
    return cmocka_run_group_tests_name("pace at receivers", tests, NULL, NULL);
}
