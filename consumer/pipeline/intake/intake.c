#include "pipeline/intake/intake.h"

#include "pipeline/intake/backpressure.h"
#include "pipeline/intake/decision.h"
#include "pipeline/intake/park_stretch.h"

#include <stdlib.h>
#include <string.h>

enum { ROUND_MAX = 4 * READ_BATCH }; /* records of one partition before another has its turn */
enum { LOOK_AGAIN_MS = 1000 };

struct intake {
    struct intake_uses use;
    struct transform *transform;
    struct decoders *decoders;
    struct backpressure room;
    struct suspects suspects;
    struct decision decision;
    struct intake_counts counts;
    size_t next_partition; /* where the next round of reading begins: fairness */
};

static void wire_up(struct intake *i)
{
    const struct intake_uses *use = &i->use;
    i->room = (struct backpressure){.config = use->config,
                                    .now = use->now,
                                    .backlog = use->backlog,
                                    .sending = use->sending,
                                    .endpoint = use->endpoint,
                                    .partitions = use->partitions};
    i->suspects = (struct suspects){.config = use->config,
                                    .now = use->now,
                                    .decoders = i->decoders,
                                    .partitions = use->partitions,
                                    .read = decide_suspect,
                                    .context = &i->decision};
    i->decision = (struct decision){.config = use->config,
                                    .now = use->now,
                                    .partitions = use->partitions,
                                    .backlog = use->backlog,
                                    .endpoint = use->endpoint,
                                    .pause = use->pause,
                                    .suspects = &i->suspects,
                                    .reader = {.config = use->config,
                                               .partitions = use->partitions,
                                               .decoders = i->decoders,
                                               .transform = i->transform},
                                    .oddities = {.config = use->config},
                                    .counts = &i->counts};
}

struct intake *intake_new(const struct intake_uses *uses)
{
    struct intake *i = calloc(1, sizeof *i);
    if (i == NULL)
        return NULL;
    i->use = *uses;
    i->transform = transform_new(uses->config);
    i->decoders = decoders_new(uses->config, uses->registry);
    if (i->transform == NULL || i->decoders == NULL) {
        intake_free(i);
        return NULL;
    }
    wire_up(i);
    return i;
}

void intake_free(struct intake *i)
{
    if (i == NULL)
        return;
    decoders_free(i->decoders);
    transform_free(i->transform);
    free(i);
}

const struct intake_counts *intake_counts(const struct intake *i)
{
    return &i->counts;
}

struct intake_oddities intake_oddities(const struct intake *i)
{
    const struct oddities *o = &i->decision.oddities;
    return (struct intake_oddities){.before_unknown = o->before_unknown,
                                    .snapshot_unsent = o->snapshot_unsent};
}

struct status_cache_stats intake_status_cache(const struct intake *i)
{
    return transform_status_cache_stats(i->transform);
}

const char *intake_trouble(const struct intake *i)
{
    return reading_trouble(i->use.partitions, i->use.now->mono_ms);
}

void intake_wake(struct intake *i)
{
    const struct partitions *partitions = i->use.partitions;
    for (size_t slot = 0; slot < partitions->count; slot++)
        if (partitions->list[slot] != NULL)
            partitions->list[slot]->read.maybe_more = true;
}

void intake_schema_changed(struct intake *i)
{
    const struct partitions *partitions = i->use.partitions;
    for (size_t slot = 0; slot < partitions->count; slot++) {
        struct partition *partition = partitions->list[slot];
        if (partition != NULL && partition->state == PARTITION_BLOCKED) {
            partition->state = PARTITION_READING;
            partition->read.maybe_more = true;
        }
    }
}

/* ---- a batch ---- */

/* Messages are freed together, never one by one: librdkafka's thread allocates from the same arena,
 * and frees that trickle between its allocations make both threads wait for each other. */
static void drop_messages(struct partition_read *read, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (read->batch[i] != NULL)
            rd_kafka_message_destroy(read->batch[i]);
    read->batch_len -= count;
    memmove(read->batch, read->batch + count, read->batch_len * sizeof *read->batch);
    read->batch_at = 0;
}

void intake_drop(struct intake *i, struct partition *partition)
{
    drop_messages(&partition->read, partition->read.batch_len);
    i->counts.abandoned += doubt_drop(partition);
}

static void refill(struct intake *i, struct partition *partition)
{
    struct partition_read *read = &partition->read;
    read->batch_len += consumer_read(i->use.consumer, partition->slot,
                                     read->batch + read->batch_len, READ_BATCH - read->batch_len);
}

/* The batch is filled first: its schemas are requested together. */
static enum fate await_schema(struct intake *i, struct partition *partition)
{
    if (partition->read.batch_len < READ_BATCH)
        refill(i, partition);
    record_request_schemas(&i->decision.reader, partition);
    doubt_blocked(&i->suspects, partition);
    partition_block(partition, i->use.now->mono_ms);
    return FATE_HOLD;
}

static enum fate pass_known(struct intake *i, struct partition *partition, rd_kafka_message_t *m)
{
    struct intake_record r = {.partition = partition, .m = m};
    if (!record_remember(&i->decision.reader, &r)) {
        partition_block(partition, i->use.now->mono_ms);
        return FATE_HOLD;
    }
    offset_window_pass(&partition->window, m->offset);
    i->counts.settled_before++;
    return FATE_SETTLED;
}

static enum fate take_record(struct intake *i, struct partition *partition, rd_kafka_message_t *m)
{
    if (!offset_window_is_new(&partition->window, m->offset)) {
        i->counts.repeated++;
        return FATE_SETTLED;
    }
    if (offset_window_is_known(&partition->window, m->offset))
        return pass_known(i, partition, m);
    enum fate fate = decide(&i->decision, partition, m);
    i->counts.consumed += fate == FATE_SETTLED || fate == FATE_KEPT;
    if (fate == FATE_KEPT)
        partition->read.batch[partition->read.batch_at] = NULL;
    return fate == FATE_PENDING ? await_schema(i, partition) : fate;
}

/* Another core wrote the records: their first bytes are fetched some records ahead, so that reading
 * does not wait for each. */
static void prefetch(const struct partition_read *read)
{
    enum { FAR = 12, NEAR = 6, LINE = 64, LINES = 4 };
    size_t at = read->batch_at;
    if (at + FAR >= read->batch_len)
        return;
    __builtin_prefetch(read->batch[at + FAR]);
    const char *payload = read->batch[at + NEAR]->payload;
    for (size_t i = 0; payload != NULL && i < LINES; i++)
        __builtin_prefetch(payload + i * LINE);
}

/* Works off the batch; false when the partition must wait. */
static bool work_off(struct intake *i, struct partition *partition)
{
    struct partition_read *read = &partition->read;
    bool held = false;
    while (!held && partition->state == PARTITION_READING && read->batch_at < read->batch_len &&
           has_room(&i->room) && partition_has_room(&i->room, partition)) {
        prefetch(read);
        held = take_record(i, partition, read->batch[read->batch_at]) == FATE_HOLD;
        read->batch_at += !held;
    }
    drop_messages(read, read->batch_at);
    return read->batch_len == 0;
}

static void read_partition(struct intake *i, struct partition *partition)
{
    for (size_t taken = 0; taken < ROUND_MAX && work_off(i, partition); taken += READ_BATCH) {
        refill(i, partition);
        if (partition->read.batch_len == 0) {
            partition->read.maybe_more = false;
            return;
        }
    }
    work_off(i, partition);
}

/* ---- a turn ---- */

/* A schema that arrives unblocks its partitions; memory that is free again does not. */
static void look_again(const struct intake *i, struct partition *partition)
{
    if (partition->state == PARTITION_BLOCKED &&
        i->use.now->mono_ms - partition->read.blocked_ms >= LOOK_AGAIN_MS)
        partition->state = PARTITION_READING;
}

static bool may_read_from(struct intake *i, struct partition *partition)
{
    return partition != NULL && partition->state == PARTITION_READING &&
           partition->read.maybe_more && partition_has_room(&i->room, partition);
}

bool intake_may_read(struct intake *i)
{
    const struct partitions *partitions = i->use.partitions;
    bool may = false;
    for (size_t slot = 0; slot < partitions->count && !may && has_room(&i->room); slot++)
        may = may_read_from(i, partitions->list[slot]);
    return may;
}

void intake_turn(struct intake *i)
{
    const struct partitions *partitions = i->use.partitions;
    for (size_t n = 0; n < partitions->count && has_room(&i->room); n++) {
        struct partition *partition = partitions->list[(i->next_partition + n) % partitions->count];
        if (partition == NULL)
            continue;
        look_again(i, partition);
        if (partition->is_retry)
            stretches_turn(partitions, partition);
        else
            doubt_turn(&i->suspects, partition);
        if (may_read_from(i, partition))
            read_partition(i, partition);
        if (!partition->is_retry)
            doubt_turn_end(&i->suspects, partition);
    }
    i->next_partition++;
}
