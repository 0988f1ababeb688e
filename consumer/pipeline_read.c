/* pipeline_read: takes records while there is room and decides what each is. */
#include "pipeline_internal.h"

#include "core/wire.h"

#include <stdlib.h>
#include <string.h>

enum { ROUND_MAX = 4 * READ_BATCH }; /* records of one partition before another has its turn */

enum fate {
    FATE_SETTLED, /* noted and settled, or on its way with a window entry of its own */
    FATE_HOLD     /* nothing was done: offer the same record again later */
};

static bool has_room(const struct pipeline *p)
{
    return p->held_records < (size_t)p->config->inflight_records &&
           p->held_bytes < (size_t)p->config->inflight_bytes;
}

/* What was read is freed at once, never one by one: librdkafka's thread allocates from the same
 * arena, and frees that trickle between its allocations make both threads wait for each other. */
static void drop_messages(struct partition *partition, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rd_kafka_message_destroy(partition->batch[i]);
    partition->batch_len -= count;
    memmove(partition->batch, partition->batch + count,
            partition->batch_len * sizeof *partition->batch);
    partition->batch_at = 0;
}

void drop_batch(struct partition *partition)
{
    drop_messages(partition, partition->batch_len);
}

static enum fate hold(struct partition *partition)
{
    partition->state = PARTITION_HELD;
    return FATE_HOLD;
}

static enum fate stop(struct partition *partition, const rd_kafka_message_t *m, const char *why)
{
    log_error("partition stopped: its records cannot be read as orders", LOG_S("why", why),
              LOG_S("topic", rd_kafka_topic_name(m->rkt)), LOG_I("partition", m->partition),
              LOG_I("offset", m->offset));
    partition->state = PARTITION_STOPPED;
    return FATE_HOLD;
}

static enum fate skip(struct pipeline *p, struct partition *partition, const rd_kafka_message_t *m,
                      enum skip_reason why)
{
    window_pass(&partition->window, m->offset);
    p->totals.skipped[why]++;
    return FATE_SETTLED;
}

static enum fate reject(struct pipeline *p, struct partition *partition,
                        const rd_kafka_message_t *m, const char *why, const char *detail)
{
    return park(p, partition, m, why, detail) ? FATE_SETTLED : hold(partition);
}

static enum fate deliver(struct pipeline *p, struct partition *partition,
                         const rd_kafka_message_t *m, const struct transformed *t)
{
    struct delivery *d =
        delivery_new(t->order_id.text, t->order_id.len, t->body->data, t->body->len);
    if (d == NULL || !window_reserve(&partition->window)) {
        free(d);
        return hold(partition);
    }
    d->owner = partition;
    d->epoch = partition->epoch;
    d->partition = partition->number;
    d->offset = m->offset;
    memcpy(d->id, t->id, sizeof d->id);
    if (!lane_add(p->lanes, d)) {
        free(d);
        return hold(partition);
    }
    d->ticket = window_open(&partition->window, m->offset);
    p->held_records++;
    p->held_bytes += d->size;
    return FATE_SETTLED;
}

/* Each of these is said once a run: what it means does not change with the next record. */
static void say_oddities(struct pipeline *p, const rd_kafka_message_t *m,
                         const struct transformed *t)
{
    p->totals.before_unknown += t->before_unknown;
    if (t->before_unknown && !p->before_unknown_said) {
        log_warn("delivering without knowing the status before: set REPLICA IDENTITY FULL on the "
                 "orders table for exactly one delivery per transition",
                 LOG_I("partition", m->partition), LOG_I("offset", m->offset));
        p->before_unknown_said = true;
    }
    if (t->near_miss && !p->near_miss_said) {
        log_warn(
            "a status differs from rule.value only in case or white space; it does not trigger",
            LOG_S("value", p->config->rule_value), LOG_I("partition", m->partition),
            LOG_I("offset", m->offset));
        p->near_miss_said = true;
    }
}

static bool has_header(const void *message, const char *name)
{
    const rd_kafka_message_t *m = message;
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;
    return rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           rd_kafka_header_get_last(headers, name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static enum fate transform_record(struct pipeline *p, struct partition *partition,
                                  const rd_kafka_message_t *m, const struct wire *wire,
                                  const struct plan *plan)
{
    struct transformed t;
    struct record record = {.topic = p->config->kafka_topic,
                            .partition = m->partition,
                            .offset = m->offset,
                            .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
                            .body = wire->body,
                            .len = wire->len,
                            .has_header = has_header,
                            .context = m};
    transform_apply(p->transform, plan, &record, true, &t);
    say_oddities(p, m, &t);
    switch (t.verdict) {
    case TRANSFORM_DELIVER: return deliver(p, partition, m, &t);
    case TRANSFORM_REJECT: return reject(p, partition, m, t.why, t.detail);
    default: return skip(p, partition, m, t.skip);
    }
}

static enum fate decide(struct pipeline *p, struct partition *partition,
                        const rd_kafka_message_t *m)
{
    struct error err = {0};
    struct wire wire;
    const struct plan *plan;
    const char *why;
    if (m->payload == NULL)
        return skip(p, partition, m, SKIP_TOMBSTONE);
    if (!wire_split(m->payload, m->len, &wire, &err))
        return reject(p, partition, m, "undecodable", err.text);
    switch (plans_get(p->plans, wire.schema_id, &plan, &why)) {
    case PLANS_HAVE: return transform_record(p, partition, m, &wire, plan);
    case PLANS_UNREADABLE: return reject(p, partition, m, "undecodable", why);
    case PLANS_STOP: return stop(partition, m, why);
    default: return hold(partition);
    }
}

/* Records were written by another core: their first bytes are asked for some records ahead, so that
 * reading does not wait for each. */
static void prefetch(const struct partition *partition)
{
    enum { FAR = 12, NEAR = 6, LINE = 64, LINES = 4 };
    size_t at = partition->batch_at;
    if (at + FAR >= partition->batch_len)
        return;
    __builtin_prefetch(partition->batch[at + FAR]);
    const char *payload = partition->batch[at + NEAR]->payload;
    for (size_t i = 0; payload != NULL && i < LINES; i++)
        __builtin_prefetch(payload + i * LINE);
}

/* Works off the batch; false when the partition must wait. */
static bool work_off(struct pipeline *p, struct partition *partition)
{
    bool held = false;
    while (!held && partition->batch_at < partition->batch_len && has_room(p)) {
        prefetch(partition);
        rd_kafka_message_t *m = partition->batch[partition->batch_at];
        if (!window_is_new(&partition->window, m->offset))
            p->totals.repeated++;
        else if (decide(p, partition, m) == FATE_HOLD)
            held = true;
        else
            p->totals.consumed++;
        partition->batch_at += !held;
    }
    drop_messages(partition, partition->batch_at);
    return partition->batch_len == 0;
}

static bool refill(struct pipeline *p, struct partition *partition)
{
    partition->batch_len = source_read(p->source, partition->number, partition->batch, READ_BATCH);
    return partition->batch_len > 0;
}

/* Reads one partition; true when it may have more for the next round. */
static bool read_partition(struct pipeline *p, struct partition *partition)
{
    for (size_t taken = 0; taken < ROUND_MAX; taken += READ_BATCH) {
        if (!work_off(p, partition))
            return false;
        if (!refill(p, partition)) {
            partition->maybe_more = false;
            return false;
        }
    }
    return work_off(p, partition) && partition->maybe_more;
}

bool read_partitions(struct pipeline *p)
{
    bool more = false;
    for (size_t i = 0; i < p->partition_count && has_room(p); i++) {
        struct partition *partition = p->partitions[(p->next_partition + i) % p->partition_count];
        if (partition != NULL && partition->state == PARTITION_READING && partition->maybe_more)
            more |= read_partition(p, partition);
    }
    p->next_partition++;
    return more && has_room(p);
}
