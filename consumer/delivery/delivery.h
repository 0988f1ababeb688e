/* delivery: one transition on its way, from the record that caused it until it is settled.
 *
 * One allocation holds all of it: its texts, the body, and the record's key and value for the case
 * that it has to be parked. Its state changes in order_queue.c only:
 *
 *   WAITING ──(first of its order)──▶ READY ──order_queue_take──▶ IN_FLIGHT ──order_queue_finish──▶
 * its owner ▲                      │                      frees it └──(time has come)── BACKOFF
 * ◀──order_queue_back_off */
#ifndef DELIVERY_DELIVERY_H
#define DELIVERY_DELIVERY_H

#include "base/slice.h"
#include "cdc/schema_ref.h"
#include "delivery/policy/pace_answer.h"
#include "delivery/policy/retry_policy.h"
#include "delivery/tries.h"
#include "order/webhook_id.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum delivery_state {
    DELIVERY_WAITING,   /* behind another of the same order */
    DELIVERY_READY,     /* may be sent */
    DELIVERY_IN_FLIGHT, /* an attempt, or what must be written after it, is under way */
    DELIVERY_BACKOFF    /* until due_ms */
};

/* Its parts; data NULL where there is none. */
enum delivery_text {
    TEXT_ORDER_ID, /* for a record without one: its coordinates, and has_order_id is false */
    TEXT_ORDER_NUMBER,
    TEXT_CONFIRMED_AT,
    TEXT_BODY,
    TEXT_NESTED,  /* its values as nested JSON, where the body is none; else without data */
    TEXT_KEY,     /* the record's */
    TEXT_VALUE,   /* the record's */
    TEXT_TOPIC,   /* of the source record, NUL-terminated; of retry records only */
    TEXT_REQUEST, /* of a manual retry, NUL-terminated */
    TEXT_OWNER,   /* owner_mark, NUL-terminated; NULL: not known */
    TEXT_DETAIL,  /* of a rejected record, NUL-terminated */
    DELIVERY_TEXT_COUNT
};

enum { DELIVERY_REASON_MAX = 48 };

struct delivery {
    enum delivery_state state;
    TAILQ_ENTRY(delivery) in_ready; /* while READY */
    uint64_t ready_number;          /* while READY: who became so earlier has a lower one */
    STAILQ_ENTRY(delivery) in_order;
    struct order_queue *order_queue;
    size_t heap_index; /* while BACKOFF */
    int64_t due_ms;    /* while BACKOFF; monotonic */
    bool rests_whole;  /* no probe of an open breaker cuts its rest short; set before
                          order_queue_back_off */
    bool overtaken;    /* a later change shows its order without the rule's value */
    bool rejected;     /* not to be sent, only to be parked (or, with skip, passed) in its turn */
    int skip;    /* enum skip_reason: why it ends without being sent or parked; 0: it does not */
    bool judged; /* by the rule, ever; else its next reading goes through the rule first */
    bool judged_before; /* … before this reading of it */
    bool manual;        /* of the retry topic */
    bool forced;        /* … and to be sent although it was delivered */

    void *owner;   /* the partition it was read from */
    void *handler; /* the module that the end of its attempt, or of its record, is for */
    uint64_t
        assignment_epoch; /* of the partition's assignment: a late completion is recognised by it */
    uint64_t sequence;    /* in the partition's window */

    const char *topic; /* of the source record: the config's, or within this allocation */
    int32_t partition;
    int64_t offset, timestamp_ms, lsn; /* -1: none */
    int64_t event_ms;                  /* the change's, by the database's clock; -1: not known */
    struct schema_ref schema;
    void *headers; /* the record's, librdkafka's type; the owner's to free */
    bool has_order_id;

    struct retry_history history;
    bool dispatched, probe;                    /* ever sent; the attempt under way is a probe */
    int64_t first_attempt_ms, last_attempt_ms; /* wall clock; -1: none yet */
    uint64_t endpoint_generation;              /* webhook_generation of the last attempt */
    struct pace_request pace;                  /* of the last attempt */
    int64_t sent_ms;                           /* monotonic time of the last attempt's start */
    int64_t said_ms;                           /* monotonic time of its last "retrying" record */
    int status;                                /* of the last answer; 0: none */
    char reason[DELIVERY_REASON_MAX];          /* of the last failure, of the closed list */
    char *answer;        /* the beginning of the last answer, redacted; owned, NULL: none */
    struct tries *tries; /* once one failed; owned, NULL: none */
    struct delivery_trace *trace;   /* pipeline/sending/tracing's; owned, NULL: not recorded */
    const char *class, *detail;     /* why it is parked; borrowed, never NULL */
    const char *source;             /* "cdc", "retry", "redrive", "replay"; static */
    LIST_ENTRY(delivery) under_way; /* among those with an attempt */

    int64_t held_ms;            /* monotonic time at which it was read */
    TAILQ_ENTRY(delivery) held; /* among all that are held, oldest first */

    char id[WEBHOOK_ID_MAX]; /* webhook-id; "" for a record without an order */
    uint64_t order_hash;     /* keyed; order_queue_add's */
    size_t size;             /* bytes it takes, for the bound on memory */
    struct slice text[DELIVERY_TEXT_COUNT];
    char bytes[];
};

/* Copies what is given into one allocation; the rest is zero, or -1 where that means none. NULL
 * without memory; free with free(). */
struct delivery *delivery_new(const struct slice texts[DELIVERY_TEXT_COUNT]);

#endif
