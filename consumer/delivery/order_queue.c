#include "delivery/order_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { FIRST_BUCKETS = 64, FIRST_HEAP = 64 };

/* The deliveries of one order, oldest first; exists only while there are any. */
struct order_queue {
    LIST_ENTRY(order_queue) in_bucket;
    STAILQ_HEAD(, delivery) deliveries;
    uint64_t hash;
};

enum ready_kind { READY_FIRST_ATTEMPT, READY_AGAIN, READY_REJECTED, READY_KINDS };

struct order_queues {
    LIST_HEAD(bucket, order_queue) * buckets; /* a power of two, on average one order queue each */
    size_t bucket_count, order_queue_count;
    TAILQ_HEAD(ready, delivery) ready[READY_KINDS]; /* in the order in which they became so */
    uint64_t ready_count;                           /* ever: numbers them over all kinds */
    struct delivery **heap; /* BACKOFF, least due_ms first; has room for every delivery */
    size_t heap_len, heap_cap;
    size_t whole_count; /* of these, with rests_whole */
    struct order_queue_counts counts;
    struct hash_key key;
};

struct order_queues *order_queues_new(const struct hash_key *key)
{
    struct order_queues *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->key = *key;
    l->bucket_count = FIRST_BUCKETS;
    for (int kind = 0; kind < READY_KINDS; kind++)
        TAILQ_INIT(&l->ready[kind]);
    l->buckets = calloc(FIRST_BUCKETS, sizeof *l->buckets);
    if (l->buckets == NULL) {
        free(l);
        return NULL;
    }
    return l;
}

void order_queues_free(struct order_queues *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->bucket_count; i++)
        while (!LIST_EMPTY(&l->buckets[i])) {
            struct order_queue *order_queue = LIST_FIRST(&l->buckets[i]);
            LIST_REMOVE(order_queue, in_bucket);
            free(order_queue);
        }
    free(l->buckets);
    free(l->heap);
    free(l);
}

struct order_queue_counts order_queue_counts(const struct order_queues *l)
{
    return l->counts;
}

static size_t *count_of(struct order_queues *l, enum delivery_state state)
{
    switch (state) {
    case DELIVERY_WAITING: return &l->counts.waiting;
    case DELIVERY_READY: return &l->counts.ready;
    case DELIVERY_IN_FLIGHT: return &l->counts.in_flight;
    default: return &l->counts.backoff;
    }
}

/* The only place where a delivery's state changes. */
static void enter(struct order_queues *l, struct delivery *d, enum delivery_state to)
{
    static const unsigned allowed[] = {
        [DELIVERY_WAITING] = 1u << DELIVERY_READY,
        [DELIVERY_READY] = 1u << DELIVERY_IN_FLIGHT,
        [DELIVERY_IN_FLIGHT] = 1u << DELIVERY_BACKOFF,
        [DELIVERY_BACKOFF] = 1u << DELIVERY_READY,
    };
    assert(allowed[d->state] >> to & 1u);
    --*count_of(l, d->state);
    d->state = to;
    ++*count_of(l, to);
}

static struct ready *ready_list_of(struct order_queues *l, const struct delivery *d)
{
    return &l->ready[d->rejected     ? READY_REJECTED
                     : d->dispatched ? READY_AGAIN
                                     : READY_FIRST_ATTEMPT];
}

static void make_ready(struct order_queues *l, struct delivery *d)
{
    enter(l, d, DELIVERY_READY);
    d->ready_number = l->ready_count++;
    TAILQ_INSERT_TAIL(ready_list_of(l, d), d, in_ready);
}

static struct bucket *bucket_of(const struct order_queues *l, uint64_t hash)
{
    return &l->buckets[hash & (l->bucket_count - 1)];
}

/* Twice as many buckets; without memory the chains merely grow longer. */
static void rehash(struct order_queues *l)
{
    struct order_queues bigger = {.bucket_count = l->bucket_count * 2};
    bigger.buckets = calloc(bigger.bucket_count, sizeof *bigger.buckets);
    if (bigger.buckets == NULL)
        return;
    for (size_t i = 0; i < l->bucket_count; i++)
        while (!LIST_EMPTY(&l->buckets[i])) {
            struct order_queue *order_queue = LIST_FIRST(&l->buckets[i]);
            LIST_REMOVE(order_queue, in_bucket);
            LIST_INSERT_HEAD(bucket_of(&bigger, order_queue->hash), order_queue, in_bucket);
        }
    free(l->buckets);
    l->buckets = bigger.buckets;
    l->bucket_count = bigger.bucket_count;
}

static struct delivery *first_of(const struct order_queue *order_queue)
{
    return STAILQ_FIRST(&order_queue->deliveries);
}

static struct order_queue *find_order_queue(const struct order_queues *l, struct slice order,
                                            uint64_t hash)
{
    struct order_queue *order_queue;
    LIST_FOREACH (order_queue, bucket_of(l, hash), in_bucket)
        if (order_queue->hash == hash &&
            slice_equal(first_of(order_queue)->text[TEXT_ORDER_ID], order))
            return order_queue;
    return NULL;
}

static struct order_queue *new_order_queue(struct order_queues *l, uint64_t hash)
{
    struct order_queue *order_queue = malloc(sizeof *order_queue);
    if (order_queue == NULL)
        return NULL;
    if (l->order_queue_count >= l->bucket_count)
        rehash(l);
    order_queue->hash = hash;
    STAILQ_INIT(&order_queue->deliveries);
    LIST_INSERT_HEAD(bucket_of(l, hash), order_queue, in_bucket);
    l->order_queue_count++;
    return order_queue;
}

static void free_order_queue(struct order_queues *l, struct order_queue *order_queue)
{
    LIST_REMOVE(order_queue, in_bucket);
    l->order_queue_count--;
    free(order_queue);
}

/* A backoff must not fail for lack of memory, or the delivery would be ready at once, and fail
 * again. */
static bool reserve_rest(struct order_queues *l)
{
    size_t count = l->counts.waiting + l->counts.ready + l->counts.in_flight + l->counts.backoff;
    if (count < l->heap_cap)
        return true;
    size_t cap = l->heap_cap > 0 ? l->heap_cap * 2 : FIRST_HEAP;
    struct delivery **heap = realloc(l->heap, cap * sizeof(struct delivery *));
    if (heap == NULL)
        return false;
    l->heap = heap;
    l->heap_cap = cap;
    return true;
}

bool order_queue_add(struct order_queues *l, struct delivery *d)
{
    const struct slice *order = &d->text[TEXT_ORDER_ID];
    if (!reserve_rest(l))
        return false;
    d->order_hash = hash_keyed(&l->key, order->data, order->len);
    struct order_queue *order_queue = find_order_queue(l, *order, d->order_hash);
    d->state = DELIVERY_WAITING;
    if (order_queue == NULL && (order_queue = new_order_queue(l, d->order_hash)) == NULL)
        return false;
    STAILQ_INSERT_TAIL(&order_queue->deliveries, d, in_order);
    d->order_queue = order_queue;
    l->counts.waiting++;
    if (first_of(order_queue) == d)
        make_ready(l, d);
    return true;
}

static struct delivery *take(struct order_queues *l, struct ready *ready)
{
    struct delivery *d = TAILQ_FIRST(ready);
    if (d == NULL)
        return NULL;
    TAILQ_REMOVE(ready, d, in_ready);
    enter(l, d, DELIVERY_IN_FLIGHT);
    return d;
}

/* The one that has waited longest, among those that may go. */
struct delivery *order_queue_take(struct order_queues *l, bool fresh)
{
    const struct delivery *again = TAILQ_FIRST(&l->ready[READY_AGAIN]);
    const struct delivery *first = fresh ? TAILQ_FIRST(&l->ready[READY_FIRST_ATTEMPT]) : NULL;
    bool takes_first =
        first != NULL && (again == NULL || first->ready_number < again->ready_number);
    return take(l, &l->ready[takes_first ? READY_FIRST_ATTEMPT : READY_AGAIN]);
}

struct delivery *order_queue_take_first_attempt(struct order_queues *l)
{
    return take(l, &l->ready[READY_FIRST_ATTEMPT]);
}

bool order_queue_take_this(struct order_queues *l, struct delivery *d)
{
    struct ready *ready = &l->ready[READY_AGAIN];
    const struct delivery *at = TAILQ_FIRST(ready);
    while (at != NULL && at != d)
        at = TAILQ_NEXT(at, in_ready);
    if (at == NULL)
        return false;
    TAILQ_REMOVE(ready, d, in_ready);
    enter(l, d, DELIVERY_IN_FLIGHT);
    return true;
}

bool order_queue_has_first_attempt(const struct order_queues *l)
{
    return !TAILQ_EMPTY(&l->ready[READY_FIRST_ATTEMPT]);
}

bool order_queue_has_first(const struct order_queues *l)
{
    return !TAILQ_EMPTY(&l->ready[READY_FIRST_ATTEMPT]) || !TAILQ_EMPTY(&l->ready[READY_REJECTED]);
}

struct delivery *order_queue_take_rejected(struct order_queues *l)
{
    return take(l, &l->ready[READY_REJECTED]);
}

/* Puts d where it belongs in the heap, looking upwards from `at`. */
static void heap_up(struct order_queues *l, size_t at, struct delivery *d)
{
    while (at > 0 && l->heap[(at - 1) / 2]->due_ms > d->due_ms) {
        l->heap[at] = l->heap[(at - 1) / 2];
        l->heap[at]->heap_index = at;
        at = (at - 1) / 2;
    }
    l->heap[at] = d;
    d->heap_index = at;
}

static void heap_down(struct order_queues *l, size_t at, struct delivery *d)
{
    for (size_t child; (child = 2 * at + 1) < l->heap_len; at = child) {
        if (child + 1 < l->heap_len && l->heap[child + 1]->due_ms < l->heap[child]->due_ms)
            child++;
        if (l->heap[child]->due_ms >= d->due_ms)
            break;
        l->heap[at] = l->heap[child];
        l->heap[at]->heap_index = at;
    }
    l->heap[at] = d;
    d->heap_index = at;
}

static void heap_remove(struct order_queues *l, size_t at)
{
    l->whole_count -= l->heap[at]->rests_whole;
    struct delivery *last = l->heap[--l->heap_len];
    if (at == l->heap_len)
        return;
    if (at > 0 && l->heap[(at - 1) / 2]->due_ms > last->due_ms)
        heap_up(l, at, last);
    else
        heap_down(l, at, last);
}

void order_queue_back_off(struct order_queues *l, struct delivery *d, int64_t due_ms)
{
    assert(l->heap_len < l->heap_cap);
    enter(l, d, DELIVERY_BACKOFF);
    if (d->overtaken) { /* while it was sent */
        d->rejected = true;
        make_ready(l, d);
        return;
    }
    d->due_ms = due_ms;
    l->whole_count += d->rests_whole;
    heap_up(l, l->heap_len++, d);
}

int64_t order_queue_wake(struct order_queues *l, int64_t now_ms)
{
    while (l->heap_len > 0 && l->heap[0]->due_ms <= now_ms) {
        struct delivery *d = l->heap[0];
        heap_remove(l, 0);
        make_ready(l, d);
    }
    return l->heap_len > 0 ? l->heap[0]->due_ms : -1;
}

bool order_queue_has_any(const struct order_queues *l, bool fresh)
{
    return !TAILQ_EMPTY(&l->ready[READY_AGAIN]) || l->heap_len > l->whole_count ||
           (fresh && !TAILQ_EMPTY(&l->ready[READY_FIRST_ATTEMPT]));
}

bool order_queue_wake_first(struct order_queues *l)
{
    struct delivery *first = NULL;
    for (size_t i = 0; i < l->heap_len; i++)
        if (!l->heap[i]->rests_whole && (first == NULL || l->heap[i]->due_ms < first->due_ms))
            first = l->heap[i];
    if (first == NULL)
        return false;
    heap_remove(l, first->heap_index);
    make_ready(l, first);
    return true;
}

static void reject(struct order_queues *l, struct delivery *d)
{
    switch (d->state) {
    case DELIVERY_READY:
        TAILQ_REMOVE(ready_list_of(l, d), d, in_ready);
        d->rejected = true;
        TAILQ_INSERT_TAIL(ready_list_of(l, d), d, in_ready);
        break;
    case DELIVERY_BACKOFF:
        heap_remove(l, d->heap_index);
        d->rejected = true;
        make_ready(l, d);
        break;
    case DELIVERY_WAITING: d->rejected = true; break;
    case DELIVERY_IN_FLIGHT: break; /* order_queue_back_off */
    }
}

void order_queue_overtake(struct order_queues *l, struct slice order, int32_t partition,
                          int64_t offset)
{
    struct delivery *d;
    struct order_queue *order_queue =
        find_order_queue(l, order, hash_keyed(&l->key, order.data, order.len));
    if (order_queue == NULL)
        return;
    STAILQ_FOREACH (d, &order_queue->deliveries, in_order) {
        bool is_behind = d->partition == partition && d->offset > offset;
        if (d->manual || d->rejected || is_behind)
            continue;
        d->overtaken = true;
        reject(l, d);
    }
}

void order_queue_finish(struct order_queues *l, struct delivery *d)
{
    struct order_queue *order_queue = d->order_queue;
    assert(d->state == DELIVERY_IN_FLIGHT && first_of(order_queue) == d);
    l->counts.in_flight--;
    STAILQ_REMOVE_HEAD(&order_queue->deliveries, in_order);
    if (first_of(order_queue) != NULL)
        make_ready(l, first_of(order_queue));
    else
        free_order_queue(l, order_queue);
}

/* Takes d out of the counts and the heap. */
static void withdraw(struct order_queues *l, struct delivery *d)
{
    --*count_of(l, d->state);
    if (d->state == DELIVERY_BACKOFF)
        heap_remove(l, d->heap_index);
}

STAILQ_HEAD(dropped, delivery);

/* Moves the owner's deliveries from one order queue to `dropped`; an IN_FLIGHT one stays. */
static void filter_order_queue(struct order_queues *l, struct order_queue *order_queue,
                               const void *owner, struct dropped *dropped)
{
    STAILQ_HEAD(, delivery) kept = STAILQ_HEAD_INITIALIZER(kept);
    for (struct delivery *d; (d = first_of(order_queue)) != NULL;) {
        STAILQ_REMOVE_HEAD(&order_queue->deliveries, in_order);
        if (d->owner != owner || d->state == DELIVERY_IN_FLIGHT) {
            STAILQ_INSERT_TAIL(&kept, d, in_order);
        } else {
            withdraw(l, d);
            STAILQ_INSERT_HEAD(dropped, d, in_order);
        }
    }
    STAILQ_CONCAT(&order_queue->deliveries, &kept);
}

static void filter_ready(struct ready *ready, const void *owner)
{
    for (struct delivery *d = TAILQ_FIRST(ready), *next; d != NULL; d = next) {
        next = TAILQ_NEXT(d, in_ready);
        if (d->owner == owner)
            TAILQ_REMOVE(ready, d, in_ready);
    }
}

void order_queue_drop(struct order_queues *l, const void *owner,
                      void (*dropped)(void *context, struct delivery *d), void *context)
{
    for (int kind = 0; kind < READY_KINDS; kind++)
        filter_ready(&l->ready[kind], owner);
    for (size_t i = 0; i < l->bucket_count; i++)
        for (struct order_queue *order_queue = LIST_FIRST(&l->buckets[i]), *next;
             order_queue != NULL; order_queue = next) {
            struct dropped gone = STAILQ_HEAD_INITIALIZER(gone);
            next = LIST_NEXT(order_queue, in_bucket);
            filter_order_queue(l, order_queue, owner, &gone);
            if (first_of(order_queue) == NULL)
                free_order_queue(l, order_queue);
            else if (first_of(order_queue)->state == DELIVERY_WAITING)
                make_ready(l, first_of(order_queue));
            for (struct delivery *d; (d = STAILQ_FIRST(&gone)) != NULL;) {
                STAILQ_REMOVE_HEAD(&gone, in_order);
                dropped(context, d);
            }
        }
}
