/* rebalance: what the group gives and takes. */
#include "kafka/consumer/consumer_internal.h"

#include "sys/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_UP_RETRY_MS = 1000, TROUBLE_EVERY_MS = 60000 };
enum { METADATA_MAX = 4096 }; /* what brokers take */

static struct consumer_slot *entry(struct consumer *s, int32_t slot)
{
    if ((size_t)slot >= s->count) {
        size_t count = (size_t)slot + 1;
        struct consumer_slot *more = realloc(s->slots, count * sizeof *more);
        if (more == NULL)
            abort(); /* librdkafka itself aborts when it has no memory */
        memset(more + s->count, 0, (count - s->count) * sizeof *more);
        s->slots = more;
        s->count = count;
    }
    return &s->slots[slot];
}

static bool is_cooperative(rd_kafka_t *rk)
{
    return strcmp(rd_kafka_rebalance_protocol(rk), "COOPERATIVE") == 0;
}

static void add_slots(const struct consumer *s, enum consumer_state state, bool is_retry,
                      rd_kafka_topic_partition_list_t *list)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->slots[i].state == state && slot_is_retry((int32_t)i) == is_retry)
            rd_kafka_topic_partition_list_add(list, consumer_topic(s, (int32_t)i),
                                              slot_partition((int32_t)i));
}

/* librdkafka starts to fetch from the end of the list on, at once: a request for nothing but idle
 * retry partitions would keep the orders waiting for fetch.wait.max.ms. */
rd_kafka_topic_partition_list_t *consumer_list(const struct consumer *s, enum consumer_state state)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)s->count);
    add_slots(s, state, true, list);
    add_slots(s, state, false, list);
    return list;
}

static size_t count_in(const struct consumer *s, enum consumer_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        count += s->slots[i].state == state;
    return count;
}

bool consumer_none_owned(const struct consumer *s)
{
    return count_in(s, CONSUMER_ASSIGNED) == 0 && count_in(s, CONSUMER_REVOKING) == 0;
}

static void free_all(struct consumer *s, enum consumer_state state)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->slots[i].state == state) {
            s->slots[i].state = CONSUMER_FREE;
            consumer_queue_drop_foreign(s, (int32_t)i);
        }
}

static void log_error_object(const char *what, rd_kafka_error_t *error)
{
    if (error == NULL)
        return;
    log_warn(what, LOG_S("why", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
}

/* ---- the callback: records what is wanted, nothing else ---- */

/* Gone already: nothing may be committed any more, so nothing is drained. */
static void lose(struct consumer *s, int32_t slot)
{
    struct consumer_slot *p = entry(s, slot);
    bool told = p->state == CONSUMER_ASSIGNED || p->state == CONSUMER_REVOKING;
    p->state = CONSUMER_RELEASED;
    if (told)
        s->events.lost(s->events.context, slot);
}

/* The group goes on without us. librdkafka tells it of what is assigned, but only once the revoke
 * that is under way is carried out: draining for it would take the drain's whole time, while the
 * others' partitions are served here and elsewhere. */
void consumer_expelled(struct consumer *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->slots[i].state == CONSUMER_REVOKING)
            lose(s, (int32_t)i);
}

void consumer_lose_all(struct consumer *s)
{
    for (size_t i = 0; i < s->count; i++)
        lose(s, (int32_t)i);
    free_all(s, CONSUMER_RELEASED);
}

static void want_back(struct consumer *s, int32_t slot)
{
    struct consumer_slot *p = entry(s, slot);
    if (p->state == CONSUMER_ASSIGNED)
        p->state = CONSUMER_REVOKING; /* told in consumer_carry_out */
    else if (p->state != CONSUMER_REVOKING)
        p->state = CONSUMER_RELEASED; /* never told to the owner: nothing to drain */
}

static void want(struct consumer *s, int32_t slot)
{
    entry(s, slot)->state = CONSUMER_WANTED;
}

static void tell_revoking(struct consumer *s, int32_t slot)
{
    if (entry(s, slot)->state == CONSUMER_REVOKING)
        s->events.revoking(s->events.context, slot);
}

/* Each source partition, and the retry partition that goes with it where there is one (a retry
 * partition can be younger than the assignment: then it is not in it). */
static void for_each_slot(struct consumer *s, const rd_kafka_topic_partition_list_t *list,
                          void (*each)(struct consumer *s, int32_t slot))
{
    for (int i = 0; i < list->cnt; i++) {
        int32_t partition = list->elems[i].partition;
        each(s, slot_of(partition, false));
        int32_t retry = slot_of(partition, true);
        if (partition < s->retry_partitions &&
            (each == want || entry(s, retry)->state != CONSUMER_FREE))
            each(s, retry);
    }
}

void consumer_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                        rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct consumer *s = opaque;
    s->rebalances++;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        s->pending = CHANGE_ASSIGN;
        s->follow = true;
        s->joined = true;
        for_each_slot(s, partitions, want);
        return;
    }
    bool lost = rd_kafka_assignment_lost(rk) || err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS;
    s->pending = CHANGE_REVOKE;
    s->joined = s->joined && !lost;
    if (err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        log_warn("the group failed to rebalance", LOG_S("why", rd_kafka_err2str(err)));
    for_each_slot(s, partitions, lost ? lose : want_back);
    if (!lost)
        for_each_slot(s, partitions, tell_revoking);
}

/* ---- taking ---- */

static void finish_revoke(struct consumer *s)
{
    if (count_in(s, CONSUMER_REVOKING) > 0)
        return; /* the owner still drains */
    s->pending = CHANGE_NONE;
    rd_kafka_topic_partition_list_t *released = consumer_list(s, CONSUMER_RELEASED);
    if (is_cooperative(s->rk)) {
        join_watch_expect(&s->join);
        log_error_object("unassign",
                         released->cnt > 0 ? rd_kafka_incremental_unassign(s->rk, released) : NULL);
    } else {
        rd_kafka_assign(s->rk, NULL);
    }
    rd_kafka_topic_partition_list_destroy(released);
    free_all(s, CONSUMER_RELEASED);
}

/* ---- giving ---- */

/* librdkafka gives the metadata's length, and not always a NUL behind it. */
static void tell_assigned(struct consumer *s, int32_t slot, const rd_kafka_topic_partition_t *p)
{
    char text[METADATA_MAX + 1] = "";
    if (p->metadata != NULL && p->metadata_size <= METADATA_MAX)
        memcpy(text, p->metadata, p->metadata_size);
    text[p->metadata_size <= METADATA_MAX ? p->metadata_size : 0] = '\0';
    s->events.assigned(s->events.context, slot, p->offset, text);
}

static void assign(struct consumer *s, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        consumer_queue_open(s, consumer_slot_of(s, &list->elems[i]));
    if (is_cooperative(s->rk))
        log_error_object("assign", rd_kafka_incremental_assign(s->rk, list));
    else
        rd_kafka_assign(s->rk, list);
    s->ever_assigned = true;
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &list->elems[i];
        int32_t slot = consumer_slot_of(s, p);
        entry(s, slot)->state = CONSUMER_ASSIGNED;
        entry(s, slot)->lost = false;
        if (p->opaque != CONSUMER_UNCOMMITTED)
            consumer_note_seen(s, slot, p->offset);
        tell_assigned(s, slot, p);
    }
}

void consumer_note_seen(struct consumer *s, int32_t slot, int64_t offset)
{
    entry(s, slot)->seen = offset + 1;
}

/* Whether a partition is here, or on its way, that is younger than the retry topic. */
static bool is_grown(const struct consumer *s)
{
    for (size_t i = 0; i < s->count; i++) {
        int32_t slot = (int32_t)i;
        bool ours = s->slots[i].state == CONSUMER_WANTED || s->slots[i].state == CONSUMER_ASSIGNED;
        if (ours && !slot_is_retry(slot) && slot_partition(slot) >= s->retry_partitions)
            return s->retry_partitions > 0;
    }
    return false;
}

/* Partitions were added, and have a retry partition by now. */
static void take_growth(struct consumer *s)
{
    int32_t before = s->retry_partitions;
    if (s->starts.partitions == 0)
        return;
    s->partitions = s->starts.partitions;
    if (s->starts.retry_partitions > before)
        s->retry_partitions = s->starts.retry_partitions;
    for (int32_t p = before; p < s->retry_partitions; p++) {
        enum consumer_state state = entry(s, slot_of(p, false))->state;
        if (state == CONSUMER_WANTED || state == CONSUMER_ASSIGNED)
            want(s, slot_of(p, true));
    }
}

static void take_starts(struct consumer *s)
{
    if (s->starts.ok) {
        s->pending = CHANGE_NONE;
        assign(s, s->starts.list);
        log_recovered(&s->offsets_trouble, "the group's offsets are known",
                      (const struct log_field[]){{0}});
        return;
    }
    const struct log_field fields[] = {LOG_S("why", s->starts.err.text), {0}};
    log_limited(&s->offsets_trouble, clock_mono_ms(), TROUBLE_EVERY_MS,
                "waiting for the group's offsets", fields);
    s->retry_ms = clock_mono_ms() + LOOK_UP_RETRY_MS;
}

static void begin_search(struct consumer *s)
{
    bool follows = s->follow && is_grown(s);
    s->follow = false;
    if (!consumer_starts_begin(s, follows ? NULL : consumer_list(s, CONSUMER_WANTED)))
        s->retry_ms = clock_mono_ms() + LOOK_UP_RETRY_MS;
}

/* What the group gives is looked up in the background; what it has taken back meanwhile, or given
 * anew, makes the answer worthless. */
static void finish_assign(struct consumer *s)
{
    if (s->closing) {
        s->pending = CHANGE_NONE; /* leaving the group answers it */
        return;
    }
    if (!background_is_running(&s->starts.background)) {
        if (clock_mono_ms() >= s->retry_ms)
            begin_search(s);
        return;
    }
    if (!consumer_starts_take(s))
        return;
    bool current = s->starts.rebalances == s->rebalances, follows = s->starts.follows;
    if (current && follows)
        take_growth(s);
    else if (current)
        take_starts(s);
    consumer_starts_done(s);
    if (!current || follows)
        begin_search(s);
}

void consumer_carry_out(struct consumer *s)
{
    if (s->pending == CHANGE_REVOKE)
        finish_revoke(s);
    else if (s->pending == CHANGE_ASSIGN)
        finish_assign(s);
}

void consumer_revoke_all(struct consumer *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->slots[i].state == CONSUMER_ASSIGNED) {
            s->slots[i].state = CONSUMER_REVOKING;
            s->events.revoking(s->events.context, (int32_t)i);
        }
}

void consumer_release(struct consumer *s, int32_t slot)
{
    assert(s->slots[slot].state == CONSUMER_REVOKING);
    s->slots[slot].state = CONSUMER_RELEASED;
}
