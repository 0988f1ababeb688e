#include "delivery/order_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 64, FIRST_HEAP = 64 };

/* The deliveries of one order, oldest first; exists only while there are any. */
struct lane {
    struct lane *next; /* in its bucket */
    struct delivery *first, *last;
    uint64_t hash;
};

enum ready_kind { READY_FRESH, READY_AGAIN, READY_REJECTED, READY_KINDS };

struct lanes {
    struct lane **buckets; /* a power of two; at most as many lanes as buckets on average */
    size_t bucket_count, lane_count;
    struct ready {
        struct delivery *first, *last;
    } ready[READY_KINDS];   /* in the order in which they became so */
    uint64_t ready_count;   /* ever: numbers them over all kinds */
    struct delivery **heap; /* RESTING, least due_ms first; has room for every delivery */
    size_t heap_len, heap_cap;
    size_t whole_count; /* of these, who rest whole */
    struct lane_counts counts;
    struct hash_key key;
};

struct lanes *lanes_new(const struct hash_key *key)
{
    struct lanes *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->key = *key;
    l->bucket_count = FIRST_BUCKETS;
    l->buckets = calloc(FIRST_BUCKETS, sizeof(struct lane *));
    if (l->buckets == NULL) {
        free(l);
        return NULL;
    }
    return l;
}

void lanes_free(struct lanes *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->bucket_count; i++)
        while (l->buckets[i] != NULL) {
            struct lane *lane = l->buckets[i];
            l->buckets[i] = lane->next;
            free(lane);
        }
    free(l->buckets);
    free(l->heap);
    free(l);
}

struct lane_counts lane_counts(const struct lanes *l)
{
    return l->counts;
}

static size_t *count_of(struct lanes *l, enum delivery_state state)
{
    switch (state) {
    case DELIVERY_WAITING: return &l->counts.waiting;
    case DELIVERY_READY: return &l->counts.ready;
    case DELIVERY_IN_FLIGHT: return &l->counts.in_flight;
    default: return &l->counts.resting;
    }
}

/* The only place where a delivery's state changes. */
static void enter(struct lanes *l, struct delivery *d, enum delivery_state to)
{
    static const unsigned allowed[] = {
        [DELIVERY_WAITING] = 1u << DELIVERY_READY,
        [DELIVERY_READY] = 1u << DELIVERY_IN_FLIGHT,
        [DELIVERY_IN_FLIGHT] = 1u << DELIVERY_RESTING,
        [DELIVERY_RESTING] = 1u << DELIVERY_READY,
    };
    assert(allowed[d->state] >> to & 1u);
    --*count_of(l, d->state);
    d->state = to;
    ++*count_of(l, to);
}

static void make_ready(struct lanes *l, struct delivery *d)
{
    enum ready_kind kind = d->rejected ? READY_REJECTED : d->dispatched ? READY_AGAIN : READY_FRESH;
    struct ready *ready = &l->ready[kind];
    enter(l, d, DELIVERY_READY);
    d->ready_number = l->ready_count++;
    d->next = NULL;
    *(ready->first != NULL ? &ready->last->next : &ready->first) = d;
    ready->last = d;
}

static struct lane **bucket_of(const struct lanes *l, uint64_t hash)
{
    return &l->buckets[hash & (l->bucket_count - 1)];
}

/* Twice as many buckets; without memory the chains merely grow longer. */
static void rehash(struct lanes *l)
{
    struct lanes bigger = {.bucket_count = l->bucket_count * 2};
    bigger.buckets = calloc(bigger.bucket_count, sizeof(struct lane *));
    if (bigger.buckets == NULL)
        return;
    for (size_t i = 0; i < l->bucket_count; i++)
        while (l->buckets[i] != NULL) {
            struct lane *lane = l->buckets[i], **bucket = bucket_of(&bigger, lane->hash);
            l->buckets[i] = lane->next;
            lane->next = *bucket;
            *bucket = lane;
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

static struct lane *find_lane(const struct lanes *l, const struct delivery *d)
{
    for (struct lane *lane = *bucket_of(l, d->order_hash); lane != NULL; lane = lane->next)
        if (lane->hash == d->order_hash && same_order(lane->first, d))
            return lane;
    return NULL;
}

static struct lane *new_lane(struct lanes *l, struct delivery *d)
{
    struct lane *lane = malloc(sizeof *lane);
    if (lane == NULL)
        return NULL;
    if (l->lane_count >= l->bucket_count)
        rehash(l);
    struct lane **bucket = bucket_of(l, d->order_hash);
    *lane = (struct lane){.next = *bucket, .first = d, .last = d, .hash = d->order_hash};
    *bucket = lane;
    l->lane_count++;
    return lane;
}

static void free_lane(struct lanes *l, struct lane *lane)
{
    struct lane **at = bucket_of(l, lane->hash);
    while (*at != lane)
        at = &(*at)->next;
    *at = lane->next;
    l->lane_count--;
    free(lane);
}

/* Any delivery may have to rest, and then it must not fail for lack of memory: it would be ready at
 * once, and fail again. */
static bool reserve_rest(struct lanes *l)
{
    size_t count = l->counts.waiting + l->counts.ready + l->counts.in_flight + l->counts.resting;
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

bool lane_add(struct lanes *l, struct delivery *d)
{
    const struct slice *order = &d->text[TEXT_ORDER_ID];
    if (!reserve_rest(l))
        return false;
    d->order_hash = hash_keyed(&l->key, order->data, order->len);
    struct lane *lane = find_lane(l, d);
    d->lane_next = NULL;
    d->state = DELIVERY_WAITING;
    if (lane != NULL) {
        lane->last->lane_next = d;
        lane->last = d;
    } else if ((lane = new_lane(l, d)) == NULL) {
        return false;
    }
    d->lane = lane;
    l->counts.waiting++;
    if (lane->first == d)
        make_ready(l, d);
    return true;
}

static struct delivery *take(struct lanes *l, struct ready *ready)
{
    struct delivery *d = ready->first;
    if (d == NULL)
        return NULL;
    ready->first = d->next;
    enter(l, d, DELIVERY_IN_FLIGHT);
    return d;
}

/* The one that has waited longest, among those that may go. */
struct delivery *lane_take(struct lanes *l, bool fresh)
{
    const struct delivery *again = l->ready[READY_AGAIN].first;
    const struct delivery *first = fresh ? l->ready[READY_FRESH].first : NULL;
    bool takes_first =
        first != NULL && (again == NULL || first->ready_number < again->ready_number);
    return take(l, &l->ready[takes_first ? READY_FRESH : READY_AGAIN]);
}

struct delivery *lane_take_fresh(struct lanes *l)
{
    return take(l, &l->ready[READY_FRESH]);
}

bool lane_has_fresh(const struct lanes *l)
{
    return l->ready[READY_FRESH].first != NULL;
}

bool lane_has_first(const struct lanes *l)
{
    return l->ready[READY_FRESH].first != NULL || l->ready[READY_REJECTED].first != NULL;
}

struct delivery *lane_take_rejected(struct lanes *l)
{
    return take(l, &l->ready[READY_REJECTED]);
}

/* Puts d where it belongs in the heap, looking upwards from `at`. */
static void heap_up(struct lanes *l, size_t at, struct delivery *d)
{
    while (at > 0 && l->heap[(at - 1) / 2]->due_ms > d->due_ms) {
        l->heap[at] = l->heap[(at - 1) / 2];
        l->heap[at]->heap_index = at;
        at = (at - 1) / 2;
    }
    l->heap[at] = d;
    d->heap_index = at;
}

static void heap_down(struct lanes *l, size_t at, struct delivery *d)
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

static void heap_remove(struct lanes *l, size_t at)
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

void lane_rest(struct lanes *l, struct delivery *d, int64_t due_ms)
{
    assert(l->heap_len < l->heap_cap);
    enter(l, d, DELIVERY_RESTING);
    d->due_ms = due_ms;
    l->whole_count += d->rests_whole;
    heap_up(l, l->heap_len++, d);
}

int64_t lane_wake(struct lanes *l, int64_t now_ms)
{
    while (l->heap_len > 0 && l->heap[0]->due_ms <= now_ms) {
        struct delivery *d = l->heap[0];
        heap_remove(l, 0);
        make_ready(l, d);
    }
    return l->heap_len > 0 ? l->heap[0]->due_ms : -1;
}

bool lane_has_any(const struct lanes *l, bool fresh)
{
    return l->ready[READY_AGAIN].first != NULL || l->heap_len > l->whole_count ||
           (fresh && l->ready[READY_FRESH].first != NULL);
}

bool lane_wake_first(struct lanes *l)
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

void lane_finish(struct lanes *l, struct delivery *d)
{
    struct lane *lane = d->lane;
    assert(d->state == DELIVERY_IN_FLIGHT && lane->first == d);
    l->counts.in_flight--;
    lane->first = d->lane_next;
    if (lane->first != NULL)
        make_ready(l, lane->first);
    else
        free_lane(l, lane);
}

/* Takes d out of whatever it stands in besides its lane. */
static void withdraw(struct lanes *l, struct delivery *d)
{
    --*count_of(l, d->state);
    if (d->state == DELIVERY_RESTING)
        heap_remove(l, d->heap_index);
}

/* Takes the owner's deliveries out of one lane; an IN_FLIGHT one stays at its head. */
static struct delivery *filter_lane(struct lanes *l, struct lane *lane, const void *owner)
{
    struct delivery *dropped = NULL, **at = &lane->first;
    lane->last = NULL;
    while (*at != NULL) {
        struct delivery *d = *at;
        if (d->owner != owner || d->state == DELIVERY_IN_FLIGHT) {
            lane->last = d;
            at = &d->lane_next;
            continue;
        }
        *at = d->lane_next;
        withdraw(l, d);
        d->lane_next = dropped;
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
        struct delivery *next = d->lane_next;
        dropped(context, d);
        d = next;
    }
}

void lane_drop(struct lanes *l, const void *owner,
               void (*dropped)(void *context, struct delivery *d), void *context)
{
    for (int kind = 0; kind < READY_KINDS; kind++)
        filter_ready(&l->ready[kind], owner);
    for (size_t i = 0; i < l->bucket_count; i++)
        for (struct lane *lane = l->buckets[i], *next; lane != NULL; lane = next) {
            next = lane->next;
            struct delivery *gone = filter_lane(l, lane, owner);
            if (lane->first == NULL)
                free_lane(l, lane);
            else if (lane->first->state == DELIVERY_WAITING)
                make_ready(l, lane->first);
            hand_over(gone, dropped, context);
        }
}
