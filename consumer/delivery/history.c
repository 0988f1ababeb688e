#include "delivery/history.h"

#include "base/time_text.h"
#include "delivery/row_offset.h"
#include "order/payload.h"

#include <stdlib.h>
#include <string.h>

enum { WAYS = 4 }; /* places an order may have */

struct history_place {
    struct hash_wide key;
    uint64_t used; /* the clock at its last note; 0: empty */
};

/* The keys are apart from the notes: most look-ups find nothing, and so touch two cache lines
 * instead of eight. */
struct history {
    size_t sets; /* a power of two */
    uint64_t clock;
    bool has_rows; /* of the shop's table, ever: else none is looked for */
    struct hash_key hash_key;
    struct history_place *places;
    struct order_history {
        int count;
        struct transition transitions[HISTORY_TRANSITIONS]; /* latest first */
    } orders[];
};

struct history *history_new(size_t orders, const struct hash_key *key)
{
    size_t sets = 1;
    while (sets * WAYS < orders)
        sets *= 2;
    struct history *h = calloc(1, sizeof *h + sets * WAYS * sizeof *h->orders);
    if (h == NULL)
        return NULL;
    h->sets = sets;
    h->hash_key = *key;
    h->places = calloc(sets * WAYS, sizeof *h->places);
    if (h->places != NULL)
        return h;
    free(h);
    return NULL;
}

void history_free(struct history *h)
{
    if (h != NULL)
        free(h->places);
    free(h);
}

static struct hash_wide key_of(const struct history *h, struct slice order)
{
    return hash_keyed_wide(&h->hash_key, order.data, order.len);
}

static size_t first_of(const struct history *h, struct hash_wide key)
{
    return (key.half[0] & (h->sets - 1)) * WAYS;
}

static bool is(const struct history_place *place, struct hash_wide key)
{
    return place->used > 0 && place->key.half[0] == key.half[0] &&
           place->key.half[1] == key.half[1];
}

/* NULL: nothing is noted of the order. */
static const struct order_history *find(const struct history *h, struct slice id)
{
    struct hash_wide key = key_of(h, id);
    size_t first = first_of(h, key);
    for (size_t at = first; at < first + WAYS; at++)
        if (is(&h->places[at], key))
            return &h->orders[at];
    return NULL;
}

void history_note(struct history *h, struct slice id, const struct transition *transition)
{
    struct hash_wide key = key_of(h, id);
    struct history_place *set = &h->places[first_of(h, key)], *place = set;
    for (int way = 0; way < WAYS && !is(place, key); way++)
        if (is(&set[way], key) || set[way].used < place->used)
            place = &set[way];
    struct order_history *order = &h->orders[place - h->places];
    if (!is(place, key)) {
        place->key = key;
        order->count = 0;
    }
    place->used = ++h->clock;
    memmove(order->transitions + 1, order->transitions,
            (HISTORY_TRANSITIONS - 1) * sizeof *order->transitions);
    order->transitions[0] = *transition;
    h->has_rows |= row_offset_is(transition->offset);
    order->count += order->count < HISTORY_TRANSITIONS;
}

/* Negative: a comes before b, or their order is unknown; 0: they are the same; positive: a comes
 * after b. */
static int compare(const struct transition *a, const struct transition *b)
{
    if (a->offset != b->offset && (row_offset_is(a->offset) || row_offset_is(b->offset)))
        return -1;
    int64_t d = a->partition == b->partition                     ? a->offset - b->offset
                : a->lsn >= 0 && b->lsn >= 0 && a->lsn != b->lsn ? a->lsn - b->lsn
                                                                 : -1;
    return (d > 0) - (d < 0);
}

enum history_standing history_standing(const struct history *h, struct slice id,
                                       const struct transition *this)
{
    const struct order_history *order = find(h, id);
    enum history_standing standing = HISTORY_UNKNOWN;
    for (int i = 0; order != NULL && i < order->count; i++) {
        const struct transition *t = &order->transitions[i];
        int place = compare(t, this);
        if (t->delivered && place > 0)
            return HISTORY_OVERTAKEN;
        if (t->delivered && place == 0)
            standing = HISTORY_DELIVERED;
    }
    return standing;
}

/* The times may differ in their number of digits. */
static bool is_same_time(struct slice a, const char *b)
{
    int64_t a_ms, b_ms;
    return timestamp_read_ms(a.data, a.len, &a_ms) && timestamp_read_ms(b, strlen(b), &b_ms) &&
           a_ms == b_ms;
}

bool history_has_row(const struct history *h, struct slice id, struct slice confirmed_at)
{
    if (!h->has_rows || confirmed_at.len == 0)
        return false;
    const struct order_history *order = find(h, id);
    for (int i = 0; order != NULL && i < order->count; i++) {
        const struct transition *t = &order->transitions[i];
        if (t->delivered && row_offset_is(t->offset) && is_same_time(confirmed_at, t->confirmed_at))
            return true;
    }
    return false;
}

static bool add_text(struct buf *b, const char *name, const char *text)
{
    buf_add_text(b, name);
    if (*text != '\0')
        return json_add_string(b, text, strlen(text));
    buf_add_text(b, "null");
    return true;
}

static bool add_transition(struct buf *b, const struct transition *t)
{
    buf_add_text(b, t->delivered ? "{\"state\":\"delivered\"" : "{\"state\":\"parked\"");
    buf_add_text(b, ",\"reason\":");
    bool ok = json_add_string(b, t->reason, strlen(t->reason));
    ok &= add_text(b, ",\"webhook_id\":", t->webhook_id);
    ok &= add_text(b, ",\"confirmed_at\":", t->confirmed_at);
    buf_add_text(b, ",\"attempts\":");
    buf_add_int(b, t->attempts);
    buf_add_text(b, ",\"settled_ms\":");
    buf_add_int(b, t->settled_ms);
    buf_add_char(b, '}');
    return ok;
}

bool history_write(const struct history *h, struct slice id, struct buf *b)
{
    const struct order_history *order = find(h, id);
    bool ok = true;
    buf_add_char(b, '[');
    for (int i = 0; order != NULL && i < order->count; i++) {
        if (i > 0)
            buf_add_char(b, ',');
        ok &= add_transition(b, &order->transitions[i]);
    }
    buf_add_char(b, ']');
    return ok;
}
