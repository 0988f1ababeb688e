#include "kafka/consumer/rebalance.h"

#include "sys/clock.h"

#include <assert.h>
#include <string.h>

enum { LOOK_UP_RETRY_MS = 1000, TROUBLE_EVERY_MS = 60000 };
enum { METADATA_MAX = 4096 }; /* what brokers take */

/* A client that has left its group has no protocol. */
static bool is_cooperative(rd_kafka_t *rk)
{
    const char *protocol = rd_kafka_rebalance_protocol(rk);
    return protocol != NULL && strcmp(protocol, "COOPERATIVE") == 0;
}

static void log_error_object(const char *what, rd_kafka_error_t *error)
{
    if (error == NULL)
        return;
    log_warn(what, LOG_S("error", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
}

/* ---- the callback: records what is wanted, nothing else ---- */

/* Gone already: nothing may be committed any more, so nothing is drained. */
static void lose(struct rebalance *r, int32_t slot)
{
    struct consumer_slot *p = assignment_slot(r->assignment, slot);
    bool reported = p->state == SLOT_ASSIGNED || p->state == SLOT_REVOKING;
    p->state = SLOT_RELEASED;
    if (reported)
        r->events->lost(r->events->context, slot);
}

/* The group goes on without us. librdkafka reports the loss of what is assigned, but only once the
 * revoke that is under way is carried out: draining for it would take the drain's whole time, while
 * the others' partitions are served here and elsewhere. */
void rebalance_expelled(struct rebalance *r)
{
    for (size_t i = 0; i < r->assignment->count; i++)
        if (r->assignment->slots[i].state == SLOT_REVOKING)
            lose(r, (int32_t)i);
}

void rebalance_end(struct rebalance *r)
{
    r->joined = false;
    r->pending = CHANGE_NONE; /* librdkafka has unassigned everything */
    for (size_t i = 0; i < r->assignment->count; i++)
        lose(r, (int32_t)i);
    assignment_free_all(r->assignment, SLOT_RELEASED);
}

static void want_back(struct rebalance *r, int32_t slot)
{
    struct consumer_slot *p = assignment_slot(r->assignment, slot);
    if (p->state == SLOT_ASSIGNED)
        p->state = SLOT_REVOKING; /* reported in rebalance_note */
    else if (p->state != SLOT_REVOKING)
        p->state = SLOT_RELEASED; /* never reported to the owner: nothing to drain */
}

static void want(struct rebalance *r, int32_t slot)
{
    assignment_slot(r->assignment, slot)->state = SLOT_WANTED;
}

static void report_revoking(struct rebalance *r, int32_t slot)
{
    if (assignment_slot(r->assignment, slot)->state == SLOT_REVOKING)
        r->events->revoking(r->events->context, slot);
}

/* Each source partition, and the retry partition that goes with it where there is one (a retry
 * partition can be younger than the assignment: then it is not in it). */
static void for_each_slot(struct rebalance *r, const rd_kafka_topic_partition_list_t *list,
                          void (*each)(struct rebalance *r, int32_t slot))
{
    for (int i = 0; i < list->cnt; i++) {
        int32_t partition = list->elems[i].partition;
        each(r, slot_of(partition, false));
        int32_t retry = slot_of(partition, true);
        if (partition < r->assignment->retry_partitions &&
            (each == want || assignment_slot(r->assignment, retry)->state != SLOT_FREE))
            each(r, retry);
    }
}

void rebalance_note(struct rebalance *r, rd_kafka_resp_err_t err,
                    const rd_kafka_topic_partition_list_t *partitions)
{
    r->count++;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        r->pending = CHANGE_ASSIGN;
        r->follow = true;
        r->joined = true;
        for_each_slot(r, partitions, want);
        return;
    }
    bool lost =
        rd_kafka_assignment_lost(r->assignment->rk) || err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS;
    r->pending = CHANGE_REVOKE;
    r->joined = r->joined && !lost;
    if (err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        log_warn("rebalance failed", LOG_S("error", rd_kafka_err2str(err)));
    for_each_slot(r, partitions, lost ? lose : want_back);
    if (!lost)
        for_each_slot(r, partitions, report_revoking);
}

/* ---- taking ---- */

static void finish_revoke(struct rebalance *r)
{
    if (assignment_count(r->assignment, SLOT_REVOKING) > 0)
        return; /* the owner still drains */
    r->pending = CHANGE_NONE;
    rd_kafka_topic_partition_list_t *released = assignment_list(r->assignment, SLOT_RELEASED);
    if (is_cooperative(r->assignment->rk)) {
        join_watch_expect(r->join);
        log_error_object(
            "unassign failed",
            released->cnt > 0 ? rd_kafka_incremental_unassign(r->assignment->rk, released) : NULL);
    } else {
        rd_kafka_assign(r->assignment->rk, NULL);
    }
    rd_kafka_topic_partition_list_destroy(released);
    assignment_free_all(r->assignment, SLOT_RELEASED);
}

/* ---- giving ---- */

/* librdkafka gives the metadata's length, and not always a NUL behind it. */
static void report_assigned(struct rebalance *r, int32_t slot, const rd_kafka_topic_partition_t *p)
{
    char text[METADATA_MAX + 1] = "";
    if (p->metadata != NULL && p->metadata_size <= METADATA_MAX)
        memcpy(text, p->metadata, p->metadata_size);
    text[p->metadata_size <= METADATA_MAX ? p->metadata_size : 0] = '\0';
    r->events->assigned(r->events->context, slot, p->offset, text);
}

static void assign(struct rebalance *r, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        assignment_open_queue(r->assignment, assignment_slot_of(r->assignment, &list->elems[i]));
    if (is_cooperative(r->assignment->rk))
        log_error_object("assign failed", rd_kafka_incremental_assign(r->assignment->rk, list));
    else
        rd_kafka_assign(r->assignment->rk, list);
    r->ever_assigned = true;
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &list->elems[i];
        int32_t slot = assignment_slot_of(r->assignment, p);
        struct consumer_slot *own = assignment_slot(r->assignment, slot);
        own->state = SLOT_ASSIGNED;
        own->lost = false;
        own->next = p->offset;
        own->left = -1;
        if (p->opaque != START_UNCOMMITTED)
            assignment_note_seen(r->assignment, slot, p->offset);
        report_assigned(r, slot, p);
    }
}

/* A partition is here, or on its way, that is younger than the retry topic. */
static bool is_grown(const struct rebalance *r)
{
    for (size_t i = 0; i < r->assignment->count; i++) {
        int32_t slot = (int32_t)i;
        bool ours = r->assignment->slots[i].state == SLOT_WANTED ||
                    r->assignment->slots[i].state == SLOT_ASSIGNED;
        if (ours && !slot_is_retry(slot) && slot_partition(slot) >= r->assignment->retry_partitions)
            return r->assignment->retry_partitions > 0;
    }
    return false;
}

/* Partitions were added, and have a retry partition by now. */
static void take_growth(struct rebalance *r)
{
    int32_t before = r->assignment->retry_partitions;
    if (r->starts->partitions == 0)
        return;
    r->assignment->partitions = r->starts->partitions;
    if (r->starts->retry_partitions > before)
        r->assignment->retry_partitions = r->starts->retry_partitions;
    for (int32_t p = before; p < r->assignment->retry_partitions; p++) {
        enum slot_state state = assignment_slot(r->assignment, slot_of(p, false))->state;
        if (state == SLOT_WANTED || state == SLOT_ASSIGNED)
            want(r, slot_of(p, true));
    }
}

static void take_starts(struct rebalance *r)
{
    if (r->starts->ok) {
        r->pending = CHANGE_NONE;
        assign(r, r->starts->list);
        log_recovered(&r->trouble, "group offsets known", (const struct log_field[]){{0}});
        return;
    }
    const struct log_field fields[] = {LOG_S("error", r->starts->err.text), {0}};
    log_limited(&r->trouble, clock_mono_ms(), TROUBLE_EVERY_MS, "group offsets unknown", fields);
    r->retry_ms = clock_mono_ms() + LOOK_UP_RETRY_MS;
}

static void begin_search(struct rebalance *r)
{
    bool follows = r->follow && is_grown(r);
    r->follow = false;
    if (!start_offsets_begin(r->starts, r->assignment, r->count,
                             follows ? NULL : assignment_list(r->assignment, SLOT_WANTED)))
        r->retry_ms = clock_mono_ms() + LOOK_UP_RETRY_MS;
}

/* Start offsets are looked up in the background; an answer from before the last rebalance is thrown
 * away. */
static void finish_assign(struct rebalance *r)
{
    if (r->leaving) {
        r->pending = CHANGE_NONE; /* leaving the group answers it */
        return;
    }
    if (!background_is_running(&r->starts->background)) {
        if (clock_mono_ms() >= r->retry_ms)
            begin_search(r);
        return;
    }
    if (!start_offsets_take(r->starts))
        return;
    bool current = r->starts->rebalances == r->count, follows = r->starts->follows;
    if (current && follows)
        take_growth(r);
    else if (current)
        take_starts(r);
    start_offsets_clear(r->starts);
    if (!current || follows)
        begin_search(r);
}

void rebalance_carry_out(struct rebalance *r)
{
    if (r->pending == CHANGE_REVOKE)
        finish_revoke(r);
    else if (r->pending == CHANGE_ASSIGN)
        finish_assign(r);
}

void rebalance_leave(struct rebalance *r)
{
    r->leaving = true;
    for (size_t i = 0; i < r->assignment->count; i++)
        if (r->assignment->slots[i].state == SLOT_ASSIGNED) {
            r->assignment->slots[i].state = SLOT_REVOKING;
            r->events->revoking(r->events->context, (int32_t)i);
        }
}

void rebalance_release(struct rebalance *r, int32_t slot)
{
    assert(r->assignment->slots[slot].state == SLOT_REVOKING);
    r->assignment->slots[slot].state = SLOT_RELEASED;
}

bool rebalance_is_settled(const struct rebalance *r)
{
    return r->joined && r->pending == CHANGE_NONE;
}
