#include "pipeline/intake/suspects.h"

#include "pipeline/intake/park_stretch.h"
#include "sys/log.h"

#include <string.h>

enum { LOOK_EVERY_MS = 30000, QUIET_MS = 1000, BLOCKED_MS = 15000 };

static const char *hint_of(enum doubt_kind kind)
{
    static const char *const hints[] = {
        [DOUBT_NO_ID] = "are kafka.topic and the connector's converters right? The partition looks "
                        "again every 30 s; elementor-sync park parks a stretch of it",
        [DOUBT_NO_EVENT] = "does a transform of the connector's change op, or does another "
                           "program write the topic? The partition looks again every 30 s; "
                           "elementor-sync park parks a stretch of it",
        [DOUBT_MISFIT] =
            "does registry.url name the registry that the connector writes its schemas "
            "to, and is registry.use_id what its use-id is (Apicurio)? MirrorMaker copies no "
            "schemas. The partition looks again every 30 s; elementor-sync park parks a "
            "stretch of it",
        [DOUBT_NO_SCHEMA] =
            "does registry.url name the registry that the connector writes its "
            "schemas to? One in a registry context needs /contexts/NAME at its end. "
            "The partition looks again every 30 s; elementor-sync park parks a "
            "stretch of it",
        [DOUBT_SCHEMA] = "mend the connector, the schema or the options named; the partition looks "
                         "again every 30 s; elementor-sync park parks a stretch of it"};
    return hints[kind];
}

static const char *name_of(const struct schema_ref *schema, char text[SCHEMA_REF_TEXT_MAX])
{
    return schema->kind != SCHEMA_REF_NONE ? schema_ref_text(schema, text) : "none";
}

/* Logged once: a partition that looks again and finds the same stays stopped. */
static void log_stopped(struct suspects *s, struct partition *partition,
                        const struct reading_fault *fault, int64_t offset)
{
    struct doubt *doubt = &partition->doubt;
    char schema[SCHEMA_REF_TEXT_MAX];
    bool is_news = !doubt->stopped || strcmp(doubt->fault.reason, fault->reason) != 0;
    doubt->stopped = true;
    doubt->look_ms = s->now->mono_ms + LOOK_EVERY_MS;
    doubt->fault = *fault;
    s->partitions->changes++;
    if (is_news)
        log_error("partition stopped", LOG_S("reason", fault->reason),
                  LOG_S("schema_id", name_of(&fault->schema, schema)),
                  LOG_S("topic", s->config->kafka_topic), LOG_I("partition", partition->number),
                  LOG_I("offset", offset), LOG_S("hint", hint_of(fault->kind)));
}

void doubt_stop(struct suspects *s, struct partition *partition, const struct reading_fault *fault,
                int64_t offset)
{
    partition->state = PARTITION_STOPPED;
    log_stopped(s, partition, fault, offset);
}

static void log_resumed(struct suspects *s, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    log_info("partition resumed", LOG_S("topic", s->config->kafka_topic),
             LOG_I("partition", partition->number), LOG_I("offset", partition->window.next));
    doubt->stopped = false;
    s->partitions->changes++;
}

/* ---- suspects ---- */

bool doubt_keep(struct suspects *s, struct partition *partition, const struct reading_fault *fault,
                rd_kafka_message_t *m)
{
    struct doubt *doubt = &partition->doubt;
    char schema[SCHEMA_REF_TEXT_MAX];
    if (doubt->count == DOUBT_SUSPECTS_MAX || !offset_window_reserve(&partition->window))
        return false;
    if (doubt->count == 0)
        log_warn("record held", LOG_S("reason", fault->reason),
                 LOG_S("schema_id", name_of(&fault->schema, schema)),
                 LOG_S("topic", s->config->kafka_topic), LOG_I("partition", partition->number),
                 LOG_I("offset", m->offset),
                 LOG_S("hint", "it is parked once another one like it is read"));
    doubt->suspects[doubt->count++] =
        (struct suspect){m, offset_window_open(&partition->window, m->offset), *fault, 0, false};
    doubt->run++;
    doubt->quiet_ms = 0;
    return true;
}

static void take_out(struct doubt *doubt, size_t i)
{
    rd_kafka_message_destroy(doubt->suspects[i].message);
    doubt->count--;
    memmove(doubt->suspects + i, doubt->suspects + i + 1,
            (doubt->count - i) * sizeof *doubt->suspects);
}

size_t doubt_drop(struct partition *partition)
{
    size_t count = partition->doubt.count;
    while (partition->doubt.count > 0)
        take_out(&partition->doubt, partition->doubt.count - 1);
    return count;
}

/* Another record like this one was read to its end, so the record is broken. */
static bool is_proved(struct suspects *s, const struct partition *partition,
                      const struct suspect *suspect)
{
    const struct schema_proof *proof;
    switch (suspect->fault.kind) {
    case DOUBT_NO_ID:
    case DOUBT_NO_EVENT: return partition->doubt.readable;
    case DOUBT_MISFIT:
        proof = decoders_proof(s->decoders, &suspect->fault.schema);
        return proof != NULL && proof->whole > 0;
    case DOUBT_NO_SCHEMA: return suspect->followed;
    default: return false;
    }
}

static void park_proved(struct suspects *s, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    for (size_t i = 0; i < doubt->count;)
        if (is_proved(s, partition, &doubt->suspects[i]) &&
            s->read(s->context, partition, &doubt->suspects[i], true) == SUSPECT_SETTLED)
            take_out(doubt, i);
        else
            i++;
}

/* Many in a row, or none like it among those behind it. */
static bool is_hopeless(const struct doubt *doubt)
{
    return doubt->count > 0 &&
           (doubt->run >= DOUBT_FOLLOWERS || doubt->suspects[0].followers >= DOUBT_FOLLOWERS);
}

static void stop_at_oldest(struct suspects *s, struct partition *partition)
{
    const struct suspect *oldest = &partition->doubt.suspects[0];
    doubt_stop(s, partition, &oldest->fault, oldest->message->offset);
}

static void conclude(struct suspects *s, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    if (is_hopeless(doubt))
        stop_at_oldest(s, partition);
    else if (doubt->stopped && doubt->count == 0 && doubt->fault.kind != DOUBT_SCHEMA)
        log_resumed(s, partition);
}

/* Before the record itself is noted: it does not follow itself. */
void doubt_note_follower(struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    for (size_t i = 0; i < doubt->count; i++)
        doubt->suspects[i].followers++;
}

void doubt_note(struct suspects *s, struct partition *partition, bool readable)
{
    struct doubt *doubt = &partition->doubt;
    doubt->blocked_ms = 0;
    doubt->quiet_ms = 0;
    if (readable) {
        doubt->readable = true;
        doubt->run = 0;
        for (size_t i = 0; i < doubt->count; i++)
            doubt->suspects[i].followed = true;
        if (doubt->count > 0)
            park_proved(s, partition);
        if (doubt->stopped && doubt->fault.kind == DOUBT_SCHEMA)
            log_resumed(s, partition);
    }
    conclude(s, partition);
}

void doubt_look(struct suspects *s, struct partition *partition)
{
    partition->doubt.again = partition->doubt.count > 0;
    partition->doubt.look_ms = s->now->mono_ms;
}

void doubt_overruled(struct suspects *s, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    doubt->run = 0;
    if (doubt->stopped && doubt->count == 0)
        log_resumed(s, partition);
}

bool doubt_wants_whole(const struct partition *partition)
{
    return partition->doubt.count > 0 || partition->doubt.run > 0;
}

/* ---- the partition's turn ---- */

/* The schemas, or the registry, may have been repaired meanwhile. False: a schema is awaited. */
static bool read_again(struct suspects *s, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    for (size_t i = 0; i < doubt->count;) {
        bool park =
            stretch_of(s->partitions, partition, doubt->suspects[i].message->offset) != NULL;
        enum suspect_fate fate = s->read(s->context, partition, &doubt->suspects[i], park);
        if (fate == SUSPECT_PENDING)
            return false;
        if (fate == SUSPECT_SETTLED)
            take_out(doubt, i);
        else
            i++;
    }
    doubt->again = false;
    doubt->blocked_ms = 0;
    if (doubt->count == 0)
        doubt->run = 0;
    else
        park_proved(s, partition);
    conclude(s, partition);
    return true;
}

static void forget(struct suspects *s, const struct reading_fault *fault)
{
    if (fault->schema.kind != SCHEMA_REF_NONE)
        decoders_forget(s->decoders, &fault->schema);
}

/* Nothing more to read for a moment: a suspect that is proved is parked, any other one stops the
 * partition, which goes on reading what comes. */
static void settle_quiet(struct suspects *s, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    park_proved(s, partition);
    if (doubt->count > 0)
        log_stopped(s, partition, &doubt->suspects[0].fault, doubt->suspects[0].message->offset);
    else
        conclude(s, partition);
}

/* Its queue was read to its end. */
static bool is_drained(const struct partition *partition)
{
    return partition->state == PARTITION_READING && !partition->read.maybe_more &&
           partition->read.batch_len == 0;
}

/* Its offsets start over once nothing is open; these records could not be read again. */
static void park_all(struct suspects *s, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    for (size_t i = 0; i < doubt->count;)
        if (s->read(s->context, partition, &doubt->suspects[i], true) == SUSPECT_SETTLED)
            take_out(doubt, i);
        else
            i++;
}

void doubt_turn(struct suspects *s, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    if (partition->state == PARTITION_NONE || partition->state == PARTITION_REVOKING)
        return;
    if (doubt->stopped && s->now->mono_ms >= doubt->look_ms) {
        doubt->look_ms = s->now->mono_ms + LOOK_EVERY_MS;
        doubt->again = true;
        forget(s, &doubt->fault);
        for (size_t i = 0; i < doubt->count; i++)
            forget(s, &doubt->suspects[i].fault);
        if (partition->state == PARTITION_STOPPED)
            partition->state = PARTITION_READING;
        partition->read.maybe_more = true;
    }
    if (partition->restart_at >= 0)
        park_all(s, partition);
    if (doubt->again && partition->state == PARTITION_READING && !read_again(s, partition))
        partition_block(partition, s->now->mono_ms);
}

/* Only a record ends the quiet: what wakes the member may be another partition's. */
void doubt_turn_end(struct suspects *s, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    if (doubt->count == 0 || !is_drained(partition))
        doubt->quiet_ms = 0;
    else if (doubt->quiet_ms == 0)
        doubt->quiet_ms = s->now->mono_ms;
    else if (s->now->mono_ms - doubt->quiet_ms >= QUIET_MS && !doubt->again)
        settle_quiet(s, partition);
}

/* ---- for status and readiness ---- */

void doubt_blocked(struct suspects *s, struct partition *partition)
{
    if (partition->doubt.blocked_ms == 0)
        partition->doubt.blocked_ms = s->now->mono_ms;
}

size_t suspect_count(const struct partitions *partitions)
{
    size_t count = 0;
    for (size_t i = 0; i < partitions->count; i++)
        count += partitions->list[i] != NULL ? partitions->list[i]->doubt.count : 0;
    return count;
}

const char *reading_trouble(const struct partitions *partitions, int64_t now_ms)
{
    for (size_t i = 0; i < partitions->count; i++) {
        const struct partition *partition = partitions->list[i];
        if (!partition_is_ours(partition))
            continue;
        if (partition_is_stopped(partition))
            return "a partition is stopped; see the log\n";
        if (partition->doubt.blocked_ms != 0 && now_ms - partition->doubt.blocked_ms >= BLOCKED_MS)
            return "a partition waits for the schema registry; see the log\n";
    }
    return NULL;
}
