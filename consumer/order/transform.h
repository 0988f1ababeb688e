/* transform: one record's Avro body in, a verdict and the exact body of the webhook out.
 *
 * The whole functional core in one call: plan, rule, payload, identity. Pure but for the memory of
 * last statuses. One transform for each reading thread; its results are borrowed until the next
 * call.
 */
#ifndef ORDER_TRANSFORM_H
#define ORDER_TRANSFORM_H

#include "base/slice.h"
#include "cdc/plan.h"
#include "config/config.h"
#include "order/payload.h"
#include "order/rule.h"
#include "order/webhook_id.h"

struct transform;

/* The config must outlive it. NULL without memory. */
struct transform *transform_new(const struct config *config);
void transform_free(struct transform *t); /* accepts NULL */

/* The options of plan_compile from the same config; texts borrowed from it. */
struct plan_options transform_plan_options(const struct config *config);

struct record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* -1: none */
    const uint8_t *body;  /* Avro, without the wire format's header */
    size_t len;
    bool (*has_header)(const void *context, const char *name);     /* asked of few records only */
    struct slice (*header)(const void *context, const char *name); /* its value; NULL: not told */
    const void *context;
    bool (*era_is_live)(const void *context,
                        uint32_t status_epoch); /* of order/rule: rule_place; or NULL */
    const void *era_context;
    uint32_t
        status_epoch; /* of order/status_cache: the stretch of its partition that is being read */
    bool any_row;     /* deliver the row whatever its transition: it was judged before */
    bool alone;       /* not in its order's sequence: the memory neither knows nor learns of it */
};

enum transform_verdict {
    TRANSFORM_SKIP,
    TRANSFORM_DELIVER,
    TRANSFORM_REJECT,
    TRANSFORM_STOP /* of our table, and its schema is refused: the partition must stop */
};

struct transformed {
    enum transform_verdict verdict;
    enum skip_reason skip; /* of TRANSFORM_SKIP */
    const char *why;       /* the closed list's word: "not_confirmed", "missing:client_phone", "" */
    const char *detail;    /* of an undecodable record or a stop, for people; "" else */
    bool before_unknown, case_mismatch;
    bool unsent; /* of order/rule: a snapshot did not send what has the rule's value */
    bool
        second_table; /* of another table than the first one that was seen; rule.table is not set */
    bool whole;       /* its bytes were read to their end, and fit the schema */
    bool misfit;      /* they do not fit it; detail says how */
    bool no_event;    /* they fit it, and are no event of Debezium's; detail says why */
    bool judged;      /* the rule has said that it is to be delivered, now or (any_row) before */
    const struct buf *body;    /* of TRANSFORM_DELIVER */
    struct slice nested;       /* of TRANSFORM_DELIVER: the values as nested JSON, where the body is
                                * not JSON of payload's; NULL: it is */
    struct order_id order_id;  /* unless skipped, and of not_confirmed with rule.overtaken=skip; len
                                * 0: the record has none */
    struct order_id owner;     /* unless skipped; len 0: not asked for, or not known */
    struct slice order_number; /* unless skipped; len 0: none, or not text */
    struct slice confirmed_at; /* of TRANSFORM_DELIVER: as rendered */
    int64_t lsn;               /* unless skipped; -1: none */
    int64_t event_ms; /* by the database's clock; -1: not in the record, or not read that far */
    char id[WEBHOOK_ID_MAX]; /* unless skipped: the webhook-id; "" without an order */
    char why_text[48];       /* what `why` points to when it names a field */
};

/* gate: stop reading a record as soon as it is known not to trigger; its skip reason is then
 * not_confirmed, whatever the bytes behind would have said. */
void transform_apply(struct transform *t, const struct plan *plan, const struct record *record,
                     bool gate, struct transformed *ret_result);

/* Every field of the record's row, for people; the tokens are borrowed until the next call. False
 * when the record cannot be read, holds no row, or is too large to be shown. */
bool transform_show(struct transform *t, const struct plan *plan, const struct record *record,
                    struct payload_shown ret[FIELD_COUNT]);

struct status_cache_stats transform_status_cache_stats(const struct transform *t);

#endif
