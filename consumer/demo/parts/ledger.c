#include "demo/parts/ledger.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/slice.h"
#include "base/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 16384, KEPT_MAX = 50000, BODY_MAX = 4096, TIME_MAX = 40 };

struct ledger {
    struct confirmation *buckets[BUCKETS]; /* by order id */
    struct confirmation *first, *last;
    size_t kept;
    struct ledger_counts counts;
};

struct ledger *ledger_new(void)
{
    return calloc(1, sizeof(struct ledger));
}

void ledger_free(struct ledger *l)
{
    if (l == NULL)
        return;
    for (struct confirmation *c = l->first, *next; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    free(l);
}

/* The ids are the demo's own: the hash need not be keyed. */
static struct confirmation **bucket_of(struct ledger *l, const char *order_id)
{
    static const struct hash_key key;
    return &l->buckets[hash_keyed(&key, order_id, strlen(order_id)) % BUCKETS];
}

/* ---- the shop's confirmations ---- */

static bool is_settled(const struct confirmation *c)
{
    return c->delivered + c->parked > 0;
}

static void leave_bucket(struct ledger *l, const struct confirmation *c)
{
    struct confirmation **link = bucket_of(l, c->row.id);
    while (*link != c)
        link = &(*link)->next_in_bucket;
    *link = c->next_in_bucket;
}

/* When there are very many, the oldest is dropped for each new one; the counts include it. */
static void forget_oldest(struct ledger *l)
{
    struct confirmation *c = l->first;
    if (l->kept <= KEPT_MAX || !is_settled(c))
        return;
    leave_bucket(l, c);
    l->first = c->next;
    l->kept--;
    free(c);
}

struct confirmation *ledger_confirmed(struct ledger *l, const struct shop_change *change)
{
    forget_oldest(l);
    struct confirmation *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->row = change->after;
    c->ordinal = change->confirmation;
    c->fate = change->fate;
    c->offset = -1;
    struct confirmation **bucket = bucket_of(l, c->row.id);
    c->next_in_bucket = *bucket;
    *bucket = c;
    *(l->last != NULL ? &l->last->next : &l->first) = c;
    l->last = c;
    l->kept++;
    l->counts.confirmations++;
    l->counts.open++;
    return c;
}

/* ---- reports of the places ---- */

static bool was_confirmed_at(const struct confirmation *c, const char *at)
{
    struct buf text;
    buf_init(&text, TIME_MAX);
    timestamp_add(&text, c->row.confirmed_us, 6);
    bool same = strcmp(buf_text(&text), at) == 0;
    buf_done(&text);
    return same;
}

static bool is_meant(const struct confirmation *c, const struct ledger_claim *claim)
{
    if (claim->confirmed_at != NULL)
        return was_confirmed_at(c, claim->confirmed_at);
    return c->partition == claim->partition && c->offset == claim->offset;
}

/* A record's end may be reported before its acknowledgement: its coordinates are not known then,
 * and the order's oldest confirmation without coordinates is meant. */
static struct confirmation *find(struct ledger *l, const struct ledger_claim *claim)
{
    struct confirmation *unacknowledged = NULL;
    for (struct confirmation *c = *bucket_of(l, claim->order_id); c != NULL;
         c = c->next_in_bucket) {
        if (strcmp(c->row.id, claim->order_id) != 0)
            continue;
        if (is_meant(c, claim))
            return c;
        if (c->offset < 0)
            unacknowledged = c;
    }
    return claim->confirmed_at == NULL ? unacknowledged : NULL;
}

static struct confirmation *find_expected(struct ledger *l, const struct ledger_claim *claim)
{
    struct confirmation *c = find(l, claim);
    l->counts.unexpected += c == NULL;
    return c;
}

const struct confirmation *ledger_find(struct ledger *l, const struct ledger_claim *claim)
{
    return find(l, claim);
}

static void add_amount(struct buf *b, const char *name, int64_t hundredths)
{
    buf_addf(b, "\"%s\":%" PRId64 ".%02" PRId64 ",", name, hundredths / 100, hundredths % 100);
}

/* The expected body of a valid row. It is written here once more on purpose: the program's own
 * renderer must not check itself. No text of the shop needs an escape. */
static bool is_as_confirmed(const struct shop_row *row, const char *body)
{
    struct buf b;
    buf_init(&b, BODY_MAX);
    buf_addf(&b,
             "{\"form_name\":\"order_confirmation\",\"fields\":{\"order_id\":\"%s\","
             "\"order_number\":\"%s\",\"client_name\":\"%s\",\"client_phone\":\"%s\","
             "\"client_address\":\"%s\",\"client_city\":\"%s\",\"product_name\":\"%s\","
             "\"quantity\":%" PRId32 ",",
             row->id, row->number, row->name, row->phone, row->address, row->city, row->product,
             row->quantity);
    add_amount(&b, "unit_price", row->unit_price);
    add_amount(&b, "total_amount", row->total);
    buf_add_text(&b, "\"status\":\"confirmed\",\"confirmed_at\":\"");
    timestamp_add(&b, row->confirmed_us, 6);
    buf_add_text(&b, "\"}}");
    bool same = strcmp(buf_text(&b), body) == 0;
    buf_done(&b);
    return same;
}

/* An order that was parked and sent again by hand is delivered then, or parked as before. */
static void settle_again(struct ledger *l, struct confirmation *c, bool delivered)
{
    if (delivered && c->delivered == 0) {
        l->counts.parked--;
        l->counts.delivered++;
        c->parked = 0;
        c->delivered = 1;
    }
}

static void settle(struct ledger *l, struct confirmation *c, unsigned *place, uint64_t *count)
{
    if (is_settled(c)) {
        l->counts.twice++;
    } else {
        l->counts.open--;
        ++*count;
    }
    ++*place;
}

const struct confirmation *ledger_delivered(struct ledger *l, const struct ledger_claim *claim)
{
    struct confirmation *c = find_expected(l, claim);
    if (c == NULL)
        return NULL;
    if (claim->by_hand && is_settled(c)) {
        settle_again(l, c, true);
    } else {
        c->parking_to_come = claim->by_hand;
        settle(l, c, &c->delivered, &l->counts.delivered);
    }
    l->counts.wrong += c->fate == SHOP_INVALID;
    l->counts.altered += claim->body != NULL && !is_as_confirmed(&c->row, claim->body);
    return c;
}

/* A valid order may be parked too, if the endpoint failed it again and again; an invalid one must
 * have the reason that it is invalid. */
static bool fits(enum shop_fate fate, const char *reason)
{
    bool by_endpoint = has_prefix(reason, "http:") || has_prefix(reason, "exhausted:") ||
                       has_prefix(reason, "endpoint:") || strcmp(reason, "unknown_result") == 0;
    return by_endpoint == (fate != SHOP_INVALID);
}

const struct confirmation *ledger_parked(struct ledger *l, const struct ledger_claim *claim)
{
    struct confirmation *c = find_expected(l, claim);
    if (c == NULL)
        return NULL;
    if ((claim->by_hand || c->parking_to_come) && is_settled(c))
        settle_again(l, c, false);
    else
        settle(l, c, &c->parked, &l->counts.parked);
    c->parking_to_come = false;
    snprintf(c->reason, sizeof c->reason, "%s", claim->reason);
    l->counts.wrong += !fits(c->fate, claim->reason);
    return c;
}

/* ---- the balance ---- */

struct ledger_counts ledger_counts(const struct ledger *l)
{
    return l->counts;
}

uint64_t ledger_lost(const struct ledger *l, const int64_t *committed, int32_t partitions)
{
    uint64_t lost = 0;
    for (const struct confirmation *c = l->first; c != NULL; c = c->next)
        lost += !is_settled(c) && c->offset >= 0 && c->partition < partitions &&
                c->offset < committed[c->partition];
    return lost;
}

bool ledger_is_clean(const struct ledger_counts *counts)
{
    return counts->twice + counts->altered + counts->wrong + counts->unexpected == 0;
}

const struct confirmation *ledger_first(const struct ledger *l)
{
    return l->first;
}
