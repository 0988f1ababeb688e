#include "delivery/order_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 64, FIRST_HEAP = 64 };

/* The deliveries of one order, oldest first; exists only while there are any. */
struct order_queue {
    struct order_queue *next; /* in its bucket */
    struct delivery *first, *last;
    uint64_t hash;
};

enum ready_kind { READY_FIRST_ATTEMPT, READY_AGAIN, READY_REJECTED, READY_KINDS };

struct order_queues {
    struct order_queue *
        *buckets; /* a power of two; at most as many order queues as buckets on average */
    size_t bucket_count, order_queue_count;
    struct ready {
        struct delivery *first, *last;
    } ready[READY_KINDS];   /* in the order in which they became so */
    uint64_t ready_count;   /* ever: numbers them over all kinds */
    struct delivery **heap; /* BACKOFF, least due_ms first; has room for every delivery */
    size_t heap_len, heap_cap;
    size_t whole_count; /* of these, who rest whole */
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
    l->buckets = calloc(FIRST_BUCKETS, sizeof(struct order_queue *));
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
        while (l->buckets[i] != NULL) {
            struct order_queue *order_queue = l->buckets[i];
            l->buckets[i] = order_queue->next;
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

static void make_ready(struct order_queues *l, struct delivery *d)
{
    enum ready_kind kind = d->rejected     ? READY_REJECTED
                           : d->dispatched ? READY_AGAIN
                                           : READY_FIRST_ATTEMPT;
    struct ready *ready = &l->ready[kind];
    enter(l, d, DELIVERY_READY);
    d->ready_number = l->ready_count++;
    d->next = NULL;
    *(ready->first != NULL ? &ready->last->next : &ready->first) = d;
    ready->last = d;
}

static struct order_queue **bucket_of(const struct order_queues *l, uint64_t hash)
{
    return &l->buckets[hash & (l->bucket_count - 1)];
}

/* Twice as many buckets; without memory the chains merely grow longer. */
static void rehash(struct order_queues *l)
{
    struct order_queues bigger = {.bucket_count = l->bucket_count * 2};
    bigger.buckets = calloc(bigger.bucket_count, sizeof(struct order_queue *));
    if (bigger.buckets == NULL)
        return;
    for (size_t i = 0; i < l->bucket_count; i++)
        while (l->buckets[i] != NULL) {
            struct order_queue *order_queue = l->buckets[i],
                               **bucket = bucket_of(&bigger, order_queue->hash);
            l->buckets[i] = order_queue->next;
            order_queue->next = *bucket;
            *bucket = order_queue;
        }
    free(l->buckets);
    l->buckets = bigger.buckets;
    l->bucket_count = bigger.bucket_count;
}

static bool same_order(const struct delivery *a, const struct delivery *b)
{
    const struct slice *x = &a->text[TEXT_ORDER_ID], *y = &b->text[TEXT_ORDER_ID];
    return x->len == y->len && memcmp(x->data, y->data, x->len) == 0;
}

static struct order_queue *find_order_queue(const struct order_queues *l, const struct delivery *d)
{
    for (struct order_queue *order_queue = *bucket_of(l, d->order_hash); order_queue != NULL;
         order_queue = order_queue->next)
        if (order_queue->hash == d->order_hash && same_order(order_queue->first, d))
            return order_queue;
    return NULL;
}

static struct order_queue *new_order_queue(struct order_queues *l, struct delivery *d)
{
    struct order_queue *order_queue = malloc(sizeof *order_queue);
    if (order_queue == NULL)
        return NULL;
    if (l->order_queue_count >= l->bucket_count)
        rehash(l);
    struct order_queue **bucket = bucket_of(l, d->order_hash);
    *order_queue =
        (struct order_queue){.next = *bucket, .first = d, .last = d, .hash = d->order_hash};
    *bucket = order_queue;
    l->order_queue_count++;
    return order_queue;
}

static void free_order_queue(struct order_queues *l, struct order_queue *order_queue)
{
    struct order_queue **at = bucket_of(l, order_queue->hash);
    while (*at != order_queue)
        at = &(*at)->next;
    *at = order_queue->next;
    l->order_queue_count--;
    free(order_queue);
}

/* Any delivery may have to rest, and then it must not fail for lack of memory: it would be ready at
 * once, and fail again. */
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
    struct order_queue *order_queue = find_order_queue(l, d);
    d->order_queue_next = NULL;
    d->state = DELIVERY_WAITING;
    if (order_queue != NULL) {
        order_queue->last->order_queue_next = d;
        order_queue->last = d;
    } else if ((order_queue = new_order_queue(l, d)) == NULL) {
        return false;
    }
    d->order_queue = order_queue;
    l->counts.waiting++;
    if (order_queue->first == d)
        make_ready(l, d);
    return true;
}

static struct delivery *take(struct order_queues *l, struct ready *ready)
{
    struct delivery *d = ready->first;
    if (d == NULL)
        return NULL;
    ready->first = d->next;
    enter(l, d, DELIVERY_IN_FLIGHT);
    return d;
}

/* The one that has waited longest, among those that may go. */
struct delivery *order_queue_take(struct order_queues *l, bool fresh)
{
    const struct delivery *again = l->ready[READY_AGAIN].first;
    const struct delivery *first = fresh ? l->ready[READY_FIRST_ATTEMPT].first : NULL;
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
    struct delivery *before = NULL, *at = ready->first;
    for (; at != NULL && at != d; at = at->next)
        before = at;
    if (at == NULL)
        return false;
    *(before != NULL ? &before->next : &ready->first) = d->next;
    if (ready->last == d)
        ready->last = before;
    enter(l, d, DELIVERY_IN_FLIGHT);
    return true;
}

bool order_queue_has_first_attempt(const struct order_queues *l)
{
    return l->ready[READY_FIRST_ATTEMPT].first != NULL;
}

bool order_queue_has_first(const struct order_queues *l)
{
    return l->ready[READY_FIRST_ATTEMPT].first != NULL || l->ready[READY_REJECTED].first != NULL;
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
    return l->ready[READY_AGAIN].first != NULL || l->heap_len > l->whole_count ||
           (fresh && l->ready[READY_FIRST_ATTEMPT].first != NULL);
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

void order_queue_finish(struct order_queues *l, struct delivery *d)
{
    struct order_queue *order_queue = d->order_queue;
    assert(d->state == DELIVERY_IN_FLIGHT && order_queue->first == d);
    l->counts.in_flight--;
    order_queue->first = d->order_queue_next;
    if (order_queue->first != NULL)
        make_ready(l, order_queue->first);
    else
        free_order_queue(l, order_queue);
}

/* Takes d out of whatever it stands in besides its order queue. */
static void withdraw(struct order_queues *l, struct delivery *d)
{
    --*count_of(l, d->state);
    if (d->state == DELIVERY_BACKOFF)
        heap_remove(l, d->heap_index);
}

/* Takes the owner's deliveries out of one order queue; an IN_FLIGHT one stays at its head. */
static struct delivery *filter_order_queue(struct order_queues *l, struct order_queue *order_queue,
                                           const void *owner)
{
    struct delivery *dropped = NULL, **at = &order_queue->first;
    order_queue->last = NULL;
    while (*at != NULL) {
        struct delivery *d = *at;
        if (d->owner != owner || d->state == DELIVERY_IN_FLIGHT) {
            order_queue->last = d;
            at = &d->order_queue_next;
            continue;
        }
        *at = d->order_queue_next;
        withdraw(l, d);
        d->order_queue_next = dropped;
        dropped = d;
    }
    return dropped;
}

static void filter_ready(struct ready *ready, const void *owner)
{
    struct delivery **at = &ready->first;
    ready->last = NULL;
    while (*at != NULL) {
        if ((*at)->owner == owner) {
            *at = (*at)->next;
        } else {
            ready->last = *at;
            at = &(*at)->next;
        }
    }
}

static void hand_over(struct delivery *d, void (*dropped)(void *, struct delivery *), void *context)
{
    while (d != NULL) {
        struct delivery *next = d->order_queue_next;
        dropped(context, d);
        d = next;
    }
}

void order_queue_drop(struct order_queues *l, const void *owner,
                      void (*dropped)(void *context, struct delivery *d), void *context)
{
    for (int kind = 0; kind < READY_KINDS; kind++)
        filter_ready(&l->ready[kind], owner);
    for (size_t i = 0; i < l->bucket_count; i++)
        for (struct order_queue *order_queue = l->buckets[i], *next; order_queue != NULL;
             order_queue = next) {
            next = order_queue->next;
            struct delivery *gone = filter_order_queue(l, order_queue, owner);
            if (order_queue->first == NULL)
                free_order_queue(l, order_queue);
            else if (order_queue->first->state == DELIVERY_WAITING)
                make_ready(l, order_queue->first);
            hand_over(gone, dropped, context);
        }
}
