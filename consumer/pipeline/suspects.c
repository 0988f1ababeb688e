#include "pipeline/pipeline_internal.h"

#include <string.h>

enum { LOOK_EVERY_MS = 30000, QUIET_MS = 1000, BLOCKED_MS = 15000 };

static const char *hint_of(enum doubt_kind kind)
{
    static const char *const hints[] = {
        [DOUBT_NO_ID] = "are kafka.topic and the connector's converters right? The partition looks "
                        "again every 30 s; elementor-sync park parks a stretch of it",
        [DOUBT_MISFIT] =
            "does registry.url name the registry that the connector writes its schemas "
            "to? Apicurio's converter needs use-id=contentId, MirrorMaker copies no "
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

/* Said once: a partition that looks again and finds the same stays stopped. */
static void say_stopped(struct pipeline *p, struct partition *partition,
                        const struct reading_fault *fault, int64_t offset)
{
    struct doubt *doubt = &partition->doubt;
    bool is_news = !doubt->stopped || strcmp(doubt->fault.reason, fault->reason) != 0;
    doubt->stopped = true;
    doubt->look_ms = p->now_ms + LOOK_EVERY_MS;
    doubt->fault = *fault;
    p->state_changed = true;
    if (is_news)
        log_error("partition stopped", LOG_S("reason", fault->reason),
                  LOG_I("schema_id", fault->schema_id), LOG_S("topic", p->config->kafka_topic),
                  LOG_I("partition", partition->number), LOG_I("offset", offset),
                  LOG_S("hint", hint_of(fault->kind)));
}

void doubt_stop(struct pipeline *p, struct partition *partition, const struct reading_fault *fault,
                int64_t offset)
{
    partition->state = PARTITION_STOPPED;
    say_stopped(p, partition, fault, offset);
}

static void say_resumed(struct pipeline *p, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    log_info("partition resumed", LOG_S("topic", p->config->kafka_topic),
             LOG_I("partition", partition->number), LOG_I("offset", partition->window.next));
    doubt->stopped = false;
    p->state_changed = true;
}

bool partition_is_stopped(const struct partition *partition)
{
    return partition->state == PARTITION_STOPPED ||
           (partition->doubt.stopped && partition->state != PARTITION_NONE);
}

/* ---- suspects ---- */

bool doubt_hold(struct pipeline *p, struct partition *partition, const struct reading_fault *fault,
                rd_kafka_message_t *m)
{
    struct doubt *doubt = &partition->doubt;
    if (doubt->count == DOUBT_SUSPECTS_MAX || !offset_window_reserve(&partition->window))
        return false;
    if (doubt->count == 0)
        log_warn("record held", LOG_S("reason", fault->reason),
                 LOG_I("schema_id", fault->schema_id), LOG_S("topic", p->config->kafka_topic),
                 LOG_I("partition", partition->number), LOG_I("offset", m->offset),
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

/* Another record like this one was read to its end: so it is the record that is broken. */
static bool is_proved(struct pipeline *p, const struct partition *partition,
                      const struct suspect *suspect)
{
    const struct schema_proof *proof;
    switch (suspect->fault.kind) {
    case DOUBT_NO_ID: return partition->doubt.readable;
    case DOUBT_MISFIT:
        proof = decoders_proof(p->decoders, suspect->fault.schema_id);
        return proof != NULL && proof->whole > 0;
    case DOUBT_NO_SCHEMA: return suspect->followed;
    default: return false;
    }
}

static void park_proved(struct pipeline *p, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    for (size_t i = 0; i < doubt->count;)
        if (is_proved(p, partition, &doubt->suspects[i]) &&
            read_suspect(p, partition, &doubt->suspects[i], true) == SUSPECT_SETTLED)
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

static void stop_at_oldest(struct pipeline *p, struct partition *partition)
{
    const struct suspect *oldest = &partition->doubt.suspects[0];
    doubt_stop(p, partition, &oldest->fault, oldest->message->offset);
}

static void conclude(struct pipeline *p, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    if (is_hopeless(doubt))
        stop_at_oldest(p, partition);
    else if (doubt->stopped && doubt->count == 0 && doubt->fault.kind != DOUBT_SCHEMA)
        say_resumed(p, partition);
}

/* Before the record itself is noted: it is no follower of its own. */
void doubt_note_follower(struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    for (size_t i = 0; i < doubt->count; i++)
        doubt->suspects[i].followers++;
}

void doubt_note(struct pipeline *p, struct partition *partition, bool readable)
{
    struct doubt *doubt = &partition->doubt;
    doubt->blocked_ms = 0;
    if (readable) {
        doubt->readable = true;
        doubt->run = 0;
        for (size_t i = 0; i < doubt->count; i++)
            doubt->suspects[i].followed = true;
        if (doubt->count > 0)
            park_proved(p, partition);
        if (doubt->stopped && doubt->fault.kind == DOUBT_SCHEMA)
            say_resumed(p, partition);
    }
    conclude(p, partition);
}

void doubt_look(struct pipeline *p, struct partition *partition)
{
    partition->doubt.again = partition->doubt.count > 0;
    partition->doubt.look_ms = p->now_ms;
}

void doubt_overruled(struct pipeline *p, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    doubt->run = 0;
    if (doubt->stopped && doubt->count == 0)
        say_resumed(p, partition);
}

bool doubt_wants_whole(const struct partition *partition)
{
    return partition->doubt.count > 0 || partition->doubt.run > 0;
}

/* ---- the partition's turn ---- */

/* What the schemas, or the registry, were mended for is read now. False: a schema is awaited. */
static bool read_again(struct pipeline *p, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    for (size_t i = 0; i < doubt->count;) {
        bool park = stretch_of(p, partition, doubt->suspects[i].message->offset) != NULL;
        enum suspect_fate fate = read_suspect(p, partition, &doubt->suspects[i], park);
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
        park_proved(p, partition);
    conclude(p, partition);
    return true;
}

static void forget(struct pipeline *p, const struct reading_fault *fault)
{
    if (fault->schema_id != 0)
        decoders_forget(p->decoders, fault->schema_id);
}

/* Nothing more to read for a moment: a suspect that is proved is parked, any other one stops the
 * partition, which goes on reading what comes. */
static void settle_quiet(struct pipeline *p, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    park_proved(p, partition);
    if (doubt->count > 0)
        say_stopped(p, partition, &doubt->suspects[0].fault, doubt->suspects[0].message->offset);
    else
        conclude(p, partition);
}

static bool is_quiet(const struct partition *partition)
{
    return partition->state == PARTITION_READING && !partition->maybe_more &&
           partition->batch_len == 0;
}

/* Its offsets begin anew, once nothing is open: nobody could read these records again. */
static void park_all(struct pipeline *p, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    for (size_t i = 0; i < doubt->count;)
        if (read_suspect(p, partition, &doubt->suspects[i], true) == SUSPECT_SETTLED)
            take_out(doubt, i);
        else
            i++;
}

static void note_quiet(struct pipeline *p, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    if (doubt->count == 0 || !is_quiet(partition))
        doubt->quiet_ms = 0;
    else if (doubt->quiet_ms == 0)
        doubt->quiet_ms = p->now_ms;
    else if (p->now_ms - doubt->quiet_ms >= QUIET_MS && !doubt->again)
        settle_quiet(p, partition);
}

void doubt_turn(struct pipeline *p, struct partition *partition)
{
    struct doubt *doubt = &partition->doubt;
    if (partition->state == PARTITION_NONE || partition->state == PARTITION_REVOKING)
        return;
    if (doubt->stopped && p->now_ms >= doubt->look_ms) {
        doubt->look_ms = p->now_ms + LOOK_EVERY_MS;
        doubt->again = true;
        forget(p, &doubt->fault);
        for (size_t i = 0; i < doubt->count; i++)
            forget(p, &doubt->suspects[i].fault);
        if (partition->state == PARTITION_STOPPED)
            partition->state = PARTITION_READING;
        partition->maybe_more = true;
    }
    if (partition->restart_at >= 0)
        park_all(p, partition);
    if (doubt->again && partition->state == PARTITION_READING && !read_again(p, partition))
        hold_partition(p, partition);
    note_quiet(p, partition);
}

/* ---- what is said of it ---- */

void doubt_blocked(struct pipeline *p, struct partition *partition)
{
    if (partition->doubt.blocked_ms == 0)
        partition->doubt.blocked_ms = p->now_ms;
}

size_t suspect_count(const struct pipeline *p)
{
    size_t count = 0;
    for (size_t i = 0; i < p->partition_count; i++)
        count += p->partitions[i] != NULL ? p->partitions[i]->doubt.count : 0;
    return count;
}

const char *reading_trouble(const struct pipeline *p)
{
    for (size_t i = 0; i < p->partition_count; i++) {
        const struct partition *partition = p->partitions[i];
        if (partition == NULL || partition->state == PARTITION_NONE)
            continue;
        if (partition_is_stopped(partition))
            return "a partition is stopped: the log says why\n";
        if (partition->doubt.blocked_ms != 0 &&
            p->now_ms - partition->doubt.blocked_ms >= BLOCKED_MS)
            return "a partition waits for the schema registry: the log says why\n";
    }
    return NULL;
}
