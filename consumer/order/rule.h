/* rule: does this change event stand for an order's transition to the rule's value?
 *
 * A transition is a `c` or `u` (a `r` when snapshots are to be delivered) whose status is exactly
 * the value and whose status before was not. Pure but for the memory of last statuses, which every
 * row feeds. */
#ifndef ORDER_RULE_H
#define ORDER_RULE_H

#include "cdc/change.h"
#include "order/status_cache.h"

/* Why an event is not for us: the closed list. */
#define SKIP_REASONS(X)                                                                           \
    X(NONE, "")                                                                                   \
    X(NOT_CONFIRMED, "not_confirmed")                                                             \
    X(ALREADY_CONFIRMED, "already_confirmed")                                                     \
    X(SNAPSHOT, "snapshot")                                                                       \
    X(DELETE, "delete")                                                                           \
    X(TRUNCATE, "truncate")                                                                       \
    X(MESSAGE, "message") /* logical decoding messages, heartbeats, transaction records */        \
    X(TOMBSTONE, "tombstone")                                                                     \
    X(KEY_CHANGE, "key_change")               /* an order got another id: no new order */         \
    X(OTHER_TABLE, "other_table")             /* not of rule.table */                             \
    X(ALREADY_DELIVERED, "already_delivered") /* by this process, before it lost the partition */ \
    X(OTHERS_RETRY, "others_retry")           /* a retry record of another topic or group */      \
    X(SUPERSEDED, "superseded")               /* a retry of what a delivery made obsolete */

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

/* Where a record is read, as the memory must know it. is_live (NULL: only the same status epoch
 * is): whether the stretch of another partition is still being read, so that a note made in it
 * holds. */
struct rule_place {
    uint32_t status_epoch;
    bool (*is_live)(const void *context, uint32_t status_epoch);
    const void *context;
};

/* A key change is told by a record's header, not by its value: the caller looks for
 * RULE_KEY_CHANGE_HEADER on what is to be delivered, and only on that (parsing headers costs).
 * rule_judge is rule_judge_at with a status epoch alone. */
#define RULE_KEY_CHANGE_HEADER "__debezium.oldkey"
/* memory NULL: nothing is known, and nothing noted. */
struct judgement rule_judge(const struct rule *rule, const struct change *change,
                            struct status_cache *status_cache, uint32_t status_epoch);
struct judgement rule_judge_at(const struct rule *rule, const struct change *change,
                               struct status_cache *status_cache, const struct rule_place *place);

/* The judgement on a record whose key changed, from that without a look at the header. It is judged
 * like an update without a before image when the order kept its id; when that cannot be told, only
 * if the memory knows the order. Else it is no new order. */
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
