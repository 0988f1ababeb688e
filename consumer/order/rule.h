/* rule: finds the change events that are an order's transition to the rule's value.
 *
 * A transition is a `c` or `u` (a `r` when snapshots are to be delivered) whose status is exactly
 * the value and whose status before was not. Pure but for the memory of last statuses, which every
 * row feeds. */
#ifndef ORDER_RULE_H
#define ORDER_RULE_H

#include "cdc/change.h"
#include "order/status_cache.h"

/* The closed list of reasons why an event is skipped. */
#define SKIP_REASONS(X)                                                                           \
    X(NONE, "")                                                                                   \
    X(NOT_CONFIRMED, "not_confirmed")                                                             \
    X(ALREADY_CONFIRMED, "already_confirmed")                                                     \
    X(SNAPSHOT, "snapshot")                                                                       \
    X(DELETE, "delete")                                                                           \
    X(TRUNCATE, "truncate")                                                                       \
    X(MESSAGE, "message") /* logical decoding messages, heartbeats, transaction records */        \
    X(TOMBSTONE, "tombstone")                                                                     \
    X(KEY_CHANGE, "key_change")               /* an order got another id: not a new order */      \
    X(OTHER_TABLE, "other_table")             /* not of rule.table */                             \
    X(ALREADY_DELIVERED, "already_delivered") /* by this process, before it lost the partition */ \
    X(OTHERS_RETRY, "others_retry")           /* a retry record of another topic or group */      \
    X(SUPERSEDED, "superseded")               /* a retry of what a delivery made obsolete */      \
    X(OVERTAKEN, "overtaken") /* rule.overtaken: its order lost the value before it was sent */

enum skip_reason {
#define X(id, name) SKIP_##id,
    SKIP_REASONS(X)
#undef X
        SKIP_REASON_COUNT
};

extern const char *const skip_reason_names[SKIP_REASON_COUNT];

struct rule {
    const char *value; /* borrowed: "confirmed" */
    bool deliver_snapshot;
    char assumed_op; /* of unwrapped records without __op: 'c', 'u', or 0 */
};

enum rule_verdict {
    RULE_SKIP,
    RULE_DELIVER,
    RULE_UNDECODABLE /* an op that Debezium does not have */
};

struct judgement {
    enum rule_verdict verdict;
    enum skip_reason why;
    enum status_cache_answer known; /* the status before, as the memory has it */
    bool unsent; /* a snapshot's row that has the rule's value and was not seen with it before: if
                    it got the value while no stream was read, it is never sent */
    bool before_unknown; /* delivered although the status before is not known */
    bool case_mismatch; /* a status that was most likely meant as the value (order/case mismatch) */
};

/* The place where a record is read, for the status cache. is_live: whether the stretch of another
 * partition is still being read, so that its notes hold; NULL: only the same status epoch's do. */
struct rule_place {
    uint32_t status_epoch;
    bool (*is_live)(const void *context, uint32_t status_epoch);
    const void *context;
};

/* A record's header shows a key change, not its value: the caller looks for RULE_KEY_CHANGE_HEADER
 * on records that would be delivered, and only on those (parsing headers costs). rule_judge is
 * rule_judge_at with a status epoch alone. */
#define RULE_KEY_CHANGE_HEADER "__debezium.oldkey"
/* memory NULL: nothing is known, and nothing noted. */
struct judgement rule_judge(const struct rule *rule, const struct change *change,
                            struct status_cache *status_cache, uint32_t status_epoch);
struct judgement rule_judge_at(const struct rule *rule, const struct change *change,
                               struct status_cache *status_cache, const struct rule_place *place);

/* The verdict on a record whose key changed, from the verdict without its header. It is judged like
 * an update without a before image when the order kept its id; when that is unknown, only if the
 * status cache holds the order. Otherwise it is not a new order. */
struct judgement rule_judge_key_change(struct judgement judgement, bool same_id, bool told);

/* The order's id as text, as payload and identity have it. Text ids borrow the change; numbers are
 * written into `digits`. False, with len 0, when the column holds neither, or a number of more
 * digits. */
struct order_id {
    const char *text;
    size_t len;
    char digits[64];
};
bool order_id_of(const struct change *change, struct order_id *ret_id);

/* The same of its owner, the column that auth.owner_column names. */
bool owner_of(const struct change *change, struct order_id *ret_owner);

#endif
