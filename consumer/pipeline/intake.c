/* intake: takes records while there is room and decides what each is. */
#include "pipeline/pipeline_internal.h"

#include "cdc/wire_format.h"
#include "kafka/message.h"
#include "registry/schema_title.h"
#include "topics/owner.h"
#include "topics/park_order.h"
#include "topics/retry_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND_MAX = 4 * READ_BATCH }; /* records of one partition before another has its turn */
enum { LOOK_AGAIN_MS = 1000 };

enum fate {
    FATE_SETTLED, /* noted and settled, or on its way with a window entry of its own */
    FATE_ORDER,   /* noted; no record of a shop's, so it is not counted */
    FATE_HOLD     /* nothing was done: offer the same record again later */
};

/* What was read is freed at once, never one by one: librdkafka's thread allocates from the same
 * arena, and frees that trickle between its allocations make both threads wait for each other. */
static void drop_messages(struct partition *partition, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (partition->batch[i] != NULL)
            rd_kafka_message_destroy(partition->batch[i]);
    partition->batch_len -= count;
    memmove(partition->batch, partition->batch + count,
            partition->batch_len * sizeof *partition->batch);
    partition->batch_at = 0;
}

void drop_batch(struct partition *partition)
{
    drop_messages(partition, partition->batch_len);
    partition->p->totals.abandoned += doubt_drop(partition);
}

void hold_partition(struct pipeline *p, struct partition *partition)
{
    partition->state = PARTITION_HELD;
    partition->held_ms = p->now_ms;
}

static enum fate hold(struct partition *partition)
{
    hold_partition(partition->p, partition);
    return FATE_HOLD;
}

/* A record on its way through the decision. */
struct intake_record {
    struct pipeline *p;
    struct partition *partition;
    rd_kafka_message_t *m;
    int32_t schema_id;             /* -1: not known yet */
    struct retry_record retry;     /* of a retry slot's record */
    const struct suspect *suspect; /* NULL, or what it is read again as: its offset is open */
};

static enum fate skip(const struct intake_record *r, enum skip_reason why)
{
    struct partition *partition = r->partition;
    if (r->suspect == NULL) {
        offset_window_pass(&partition->window, r->m->offset);
    } else {
        offset_window_settle(&partition->window, r->suspect->sequence);
        partition->settles++;
    }
    r->p->totals.skipped[why]++;
    return FATE_SETTLED;
}

static struct slice with_nul(const char *text)
{
    return (struct slice){text, text != NULL ? strlen(text) + 1 : 0};
}

/* Everything that outlives the message. */
static struct delivery *copy_out(const struct intake_record *r, const struct transformed *t)
{
    char coordinates[COORDINATES_MAX], owner[OWNER_MARK_MAX];
    const rd_kafka_message_t *m = r->m;
    owner_mark(r->p->config, (struct slice){t->owner.text, t->owner.len}, owner);
    struct slice texts[DELIVERY_TEXT_COUNT] = {
        [TEXT_ORDER_ID] = {t->order_id.text, t->order_id.len},
        [TEXT_ORDER_NUMBER] = t->order_number,
        [TEXT_CONFIRMED_AT] = t->confirmed_at,
        [TEXT_KEY] = {m->key, m->key_len},
        [TEXT_VALUE] = {m->payload, m->len},
        [TEXT_OWNER] = with_nul(owner),
        [TEXT_DETAIL] = with_nul(t->detail),
    };
    if (t->verdict == TRANSFORM_DELIVER)
        texts[TEXT_BODY] = (struct slice){t->body->data, t->body->len};
    if (t->order_id.len == 0) {
        snprintf(coordinates, sizeof coordinates, "%s-%d-%lld", r->retry.topic,
                 (int)r->retry.partition, (long long)r->retry.offset);
        texts[TEXT_ORDER_ID] = slice_of(coordinates);
    }
    if (r->partition->is_retry) {
        texts[TEXT_TOPIC] = with_nul(r->retry.topic);
        texts[TEXT_REQUEST] = with_nul(r->retry.request);
    }
    return delivery_new(texts);
}

static struct delivery *make_delivery(const struct intake_record *r, const struct transformed *t)
{
    struct delivery *d = copy_out(r, t);
    if (d == NULL)
        return NULL;
    d->owner = r->partition;
    d->assignment_epoch = r->partition->assignment_epoch;
    d->topic = r->partition->is_retry ? d->text[TEXT_TOPIC].data : r->p->config->kafka_topic;
    d->partition = r->retry.partition;
    d->offset = r->retry.offset;
    d->timestamp_ms = r->retry.timestamp_ms;
    d->schema_id = r->schema_id;
    d->lsn = t->lsn;
    d->has_order_id = t->order_id.len > 0;
    d->source = r->retry.source;
    memcpy(d->id, t->id, sizeof d->id);
    d->rejected = t->verdict != TRANSFORM_DELIVER;
    d->skip = t->verdict == TRANSFORM_SKIP ? (int)t->skip : SKIP_NONE;
    d->judged = t->judged || r->retry.judged;
    d->judged_before = r->retry.judged;
    d->manual = r->partition->is_retry;
    d->forced = r->retry.forced;
    snprintf(d->reason, sizeof d->reason, "%s", t->why);
    d->class = strcmp(t->why, "undecodable") == 0 ? "undecodable" : "validation";
    return d;
}

/* The same record comes again, and its status is remembered by then: that must not make it one that
 * changes nothing. */
static enum fate hold_undone(struct pipeline *p, struct partition *partition)
{
    partition->status_epoch = ++p->status_epochs;
    return hold(partition);
}

/* They are held as well, and count as held. */
static void take_headers(struct pipeline *p, struct delivery *d, rd_kafka_message_t *m)
{
    size_t size;
    d->headers = retry_headers(m, &size);
    d->size += size;
    p->held_bytes += size;
}

/* Onto its order's order queue, to be sent or to be parked in its turn. */
static enum fate enqueue(const struct intake_record *r, const struct transformed *t)
{
    struct pipeline *p = r->p;
    struct partition *partition = r->partition;
    struct delivery *d = make_delivery(r, t);
    if (d == NULL)
        return hold_undone(p, partition);
    hold_delivery(p, d);
    if ((r->suspect == NULL && !offset_window_reserve(&partition->window)) ||
        !order_queue_add(p->order_queues, d)) {
        free_delivery(p, d);
        return hold_undone(p, partition);
    }
    take_headers(p, d, r->m); /* last: a record that is offered again still needs them */
    d->sequence = r->suspect != NULL ? r->suspect->sequence
                                     : offset_window_open(&partition->window, r->m->offset);
    return FATE_SETTLED;
}

static enum fate reject(const struct intake_record *r, const char *why, const char *detail)
{
    struct transformed t = {.verdict = TRANSFORM_REJECT, .why = why, .detail = detail, .lsn = -1};
    return enqueue(r, &t);
}

/* Each once a run: the meaning does not change with the next record. */
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
    if (t->case_mismatch && !p->case_mismatch_logged) {
        log_warn("a status looks like rule.value and is not it (case, spaces, accents, letters of "
                 "another script); it does not trigger",
                 LOG_S("value", p->config->rule_value), LOG_I("partition", m->partition),
                 LOG_I("offset", m->offset));
        p->case_mismatch_logged = true;
    }
    say_unsent(p, m, t);
}

/* The first record of a schema id: tables are told apart by its name. A rerouted topic is fine, and
 * so is its operator's to know; bytes that do not fit stop the partition by themselves. */
static void say_strange_title(const struct intake_record *r, const struct plan *plan)
{
    const char *title = decoders_title(r->p->decoders, r->schema_id);
    if (plan_shape(plan) != PLAN_FOREIGN && !schema_title_fits(title, r->p->config->kafka_topic))
        log_warn("schema of another name", LOG_S("schema", title), LOG_I("schema_id", r->schema_id),
                 LOG_S("topic", r->p->config->kafka_topic),
                 LOG_S("hint", "fine where the connector reroutes its topics; else the topic holds "
                               "another table, or registry.url is another registry"));
}

static void transform(const struct intake_record *r, const struct wire *wire,
                      const struct plan *plan, struct transformed *ret)
{
    const rd_kafka_message_t *m = r->m;
    struct schema_proof *proof = decoders_proof(r->p->decoders, wire->schema_id);
    bool whole = schema_proof_wants_whole(proof) || doubt_wants_whole(r->partition);
    const struct record record = {.topic = r->retry.topic,
                                  .partition = r->retry.partition,
                                  .offset = r->retry.offset,
                                  .timestamp_ms = r->retry.timestamp_ms,
                                  .body = wire->body,
                                  .len = wire->len,
                                  .has_header = kafka_has_header,
                                  .header = kafka_header,
                                  .context = m,
                                  .era_is_live = partition_era_is_live,
                                  .era_context = r->p,
                                  .status_epoch = r->partition->status_epoch,
                                  .any_row = r->retry.judged,
                                  .alone = r->partition->is_retry};
    if (proof->taken == 0 && !r->partition->is_retry)
        say_strange_title(r, plan);
    transform_apply(r->p->transform, plan, &record, !whole, ret);
    schema_proof_note(proof, ret->whole);
}

static enum fate conclude(const struct intake_record *r, const struct transformed *t)
{
    say_oddities(r->p, r->m, t);
    /* What was parked before it was judged has an outcome that says so: it gets another one. */
    if (t->verdict == TRANSFORM_SKIP && !r->partition->is_retry)
        return skip(r, t->skip);
    return enqueue(r, t);
}

/* ---- bytes ---- */

enum bytes { BYTES_READ, BYTES_PENDING, BYTES_FAULT };

static enum bytes fault(struct reading_fault *ret_fault, enum doubt_kind kind, int32_t schema_id,
                        const char *reason)
{
    ret_fault->kind = kind;
    ret_fault->schema_id = schema_id;
    snprintf(ret_fault->reason, sizeof ret_fault->reason, "%.*s", DOUBT_REASON_MAX - 1, reason);
    return BYTES_FAULT;
}

static enum bytes misfit(const struct intake_record *r, const char *detail,
                         struct reading_fault *ret_fault)
{
    const char *title = decoders_title(r->p->decoders, r->schema_id);
    fault(ret_fault, DOUBT_MISFIT, r->schema_id, "");
    snprintf(ret_fault->reason, sizeof ret_fault->reason,
             "the record's bytes do not fit schema %d (%s): %s", (int)r->schema_id,
             *title != '\0' ? title : "without a name", detail);
    return BYTES_FAULT;
}

/* A converter that writes the schema's id elsewhere says so in a header. Its records may begin like
 * any other: what looks like an id there is none, so it is looked at before the registry is asked.
 */
static enum bytes read_bytes(struct intake_record *r, struct transformed *ret,
                             struct reading_fault *ret_fault)
{
    struct error err = {0};
    struct wire wire;
    const struct plan *plan;
    const char *why;
    bool split = wire_split(r->m->payload, r->m->len, &wire, &err);
    const char *elsewhere = !split || decoders_proof(r->p->decoders, wire.schema_id) == NULL
                                ? wire_elsewhere(kafka_has_header, r->m)
                                : NULL;
    if (!split || elsewhere != NULL)
        return fault(ret_fault, DOUBT_NO_ID, 0, elsewhere != NULL ? elsewhere : err.text);
    r->schema_id = wire.schema_id;
    switch (decoders_get(r->p->decoders, wire.schema_id, &plan, &why)) {
    case DECODERS_HAVE: transform(r, &wire, plan, ret); break;
    case DECODERS_PENDING: return BYTES_PENDING;
    case DECODERS_MISSING: return fault(ret_fault, DOUBT_NO_SCHEMA, wire.schema_id, why);
    default: return fault(ret_fault, DOUBT_SCHEMA, wire.schema_id, why);
    }
    if (ret->verdict == TRANSFORM_STOP)
        return fault(ret_fault, DOUBT_SCHEMA, wire.schema_id, ret->detail);
    return ret->misfit ? misfit(r, ret->detail, ret_fault) : BYTES_READ;
}

/* The schemas of what comes next are asked for too, so that a batch waits once and not for one
 * after another. */
static void ask_ahead(struct pipeline *p, const struct partition *partition)
{
    for (size_t i = partition->batch_at; i < partition->batch_len; i++) {
        const rd_kafka_message_t *m = partition->batch[i];
        struct wire wire;
        const struct plan *plan;
        const char *why;
        if (m->payload != NULL && wire_split(m->payload, m->len, &wire, NULL) &&
            decoders_proof(p->decoders, wire.schema_id) == NULL &&
            wire_elsewhere(kafka_has_header, m) == NULL)
            decoders_get(p->decoders, wire.schema_id, &plan, &why);
    }
}

/* As many as a batch holds are looked at. */
static void fill_batch(struct pipeline *p, struct partition *partition)
{
    partition->batch_len +=
        consumer_read(p->consumer, partition->slot, partition->batch + partition->batch_len,
                      READ_BATCH - partition->batch_len);
}

static enum fate await_schema(struct pipeline *p, struct partition *partition)
{
    if (partition->batch_len < READ_BATCH)
        fill_batch(p, partition);
    ask_ahead(p, partition);
    doubt_blocked(p, partition);
    return hold(partition);
}

/* Where the record comes from: itself, or what a retry record says. */
static bool find_origin(struct intake_record *r, const char **ret_why)
{
    const rd_kafka_message_t *m = r->m;
    r->retry = (struct retry_record){.topic = rd_kafka_topic_name(m->rkt),
                                     .source = "cdc",
                                     .partition = m->partition,
                                     .offset = m->offset,
                                     .timestamp_ms = rd_kafka_message_timestamp(m, NULL)};
    if (r->partition->is_retry)
        return retry_record_read(m, &r->retry, ret_why);
    if (m->offset < r->partition->replay_until)
        r->retry.source = "replay";
    return true;
}

/* Another shop's, or another group's, on a retry topic that is shared. */
static enum fate pass_others_retry(const struct intake_record *r, const char *why)
{
    struct pipeline *p = r->p;
    if (!p->others_retry_said)
        log_warn("retry record passed over", LOG_S("reason", why),
                 LOG_S("topic", p->config->retry_topic), LOG_I("partition", r->m->partition),
                 LOG_I("offset", r->m->offset),
                 LOG_S("hint", "give each group a retry.topic of its own"));
    p->others_retry_said = true;
    return skip(r, SKIP_OTHERS_RETRY);
}

/* A retry was parked before, or comes from an operator: what cannot be read is parked (again). */
static enum fate decide_retry(struct intake_record *r)
{
    struct transformed t;
    struct reading_fault f;
    const char *why;
    if (!retry_record_is_ours(r->p->config, r->m, &why))
        return pass_others_retry(r, why);
    if (park_order_is(r->m))
        return stretch_add(r->p, r->partition, r->m) ? FATE_ORDER : hold(r->partition);
    if (!find_origin(r, &why))
        return reject(r, "undecodable", why);
    switch (read_bytes(r, &t, &f)) {
    case BYTES_READ: return conclude(r, &t);
    case BYTES_PENDING: return await_schema(r->p, r->partition);
    default: return reject(r, "undecodable", f.reason);
    }
}

/* "REASON; parked by an operator: WORDS" */
static enum fate park_in_stretch(const struct intake_record *r, const struct reading_fault *f,
                                 const struct stretch *stretch)
{
    char detail[DOUBT_REASON_MAX + STRETCH_REASON_MAX + 4]; /* "; " */
    snprintf(detail, sizeof detail, "%s; %s", f->reason, stretch->reason);
    return reject(r, "undecodable", detail);
}

static enum fate suspect(struct intake_record *r, const struct reading_fault *f)
{
    struct partition *partition = r->partition;
    const struct stretch *stretch = stretch_of(r->p, partition, r->m->offset);
    if (stretch != NULL) {
        enum fate fate = park_in_stretch(r, f, stretch);
        if (fate == FATE_SETTLED)
            doubt_overruled(r->p, partition);
        return fate;
    }
    if (f->kind == DOUBT_SCHEMA) {
        doubt_stop(r->p, partition, f, r->m->offset);
        return FATE_HOLD;
    }
    doubt_note_follower(partition);
    if (!doubt_hold(r->p, partition, f, r->m))
        return hold(partition);
    partition->batch[partition->batch_at] = NULL;
    doubt_note(r->p, partition, false);
    return FATE_SETTLED;
}

static enum fate decide(struct pipeline *p, struct partition *partition, rd_kafka_message_t *m)
{
    struct transformed t;
    struct reading_fault f;
    const char *why;
    struct intake_record r = {.p = p, .partition = partition, .m = m, .schema_id = -1};
    if (m->payload == NULL)
        return skip(&r, SKIP_TOMBSTONE);
    if (partition->is_retry)
        return decide_retry(&r);
    (void)find_origin(&r, &why); /* only a retry's can be missing */
    switch (read_bytes(&r, &t, &f)) {
    case BYTES_PENDING: return await_schema(p, partition);
    case BYTES_FAULT: return suspect(&r, &f);
    default: break;
    }
    enum fate fate = conclude(&r, &t);
    if (fate == FATE_SETTLED) {
        doubt_note_follower(partition);
        doubt_note(p, partition, t.whole);
    }
    return fate;
}

enum suspect_fate read_suspect(struct pipeline *p, struct partition *partition,
                               struct suspect *suspect, bool park)
{
    struct transformed t;
    const char *why;
    struct intake_record r = {
        .p = p, .partition = partition, .m = suspect->message, .schema_id = -1, .suspect = suspect};
    (void)find_origin(&r, &why);
    enum bytes bytes = read_bytes(&r, &t, &suspect->fault);
    if (bytes == BYTES_PENDING)
        return SUSPECT_PENDING;
    if (bytes == BYTES_FAULT && !park)
        return SUSPECT_KEPT;
    const struct stretch *stretch = stretch_of(p, partition, r.m->offset);
    enum fate fate = bytes == BYTES_READ ? conclude(&r, &t)
                     : stretch != NULL   ? park_in_stretch(&r, &suspect->fault, stretch)
                                         : reject(&r, "undecodable", suspect->fault.reason);
    return fate == FATE_SETTLED ? SUSPECT_SETTLED : SUSPECT_KEPT;
}

/* What an earlier owner settled already is passed by, and looked at all the same: the next record
 * of its order may show no row before. */
static enum fate pass_known(struct pipeline *p, struct partition *partition, rd_kafka_message_t *m)
{
    struct error err = {0};
    struct wire wire;
    const struct plan *plan;
    const char *why;
    struct intake_record r = {.p = p, .partition = partition, .m = m};
    if (m->payload != NULL && !partition->is_retry && find_origin(&r, &why) &&
        wire_split(m->payload, m->len, &wire, &err)) {
        enum decoders_answer answer = decoders_get(p->decoders, wire.schema_id, &plan, &why);
        struct transformed t;
        r.schema_id = wire.schema_id;
        if (answer == DECODERS_PENDING)
            return hold(partition);
        if (answer == DECODERS_HAVE)
            transform(&r, &wire, plan, &t);
    }
    offset_window_pass(&partition->window, m->offset);
    p->totals.settled_before++;
    return FATE_SETTLED;
}

static enum fate take_record(struct pipeline *p, struct partition *partition, rd_kafka_message_t *m)
{
    if (!offset_window_is_new(&partition->window, m->offset)) {
        p->totals.repeated++;
        return FATE_SETTLED;
    }
    if (offset_window_is_known(&partition->window, m->offset))
        return pass_known(p, partition, m);
    enum fate fate = decide(p, partition, m);
    p->totals.consumed += fate == FATE_SETTLED;
    return fate;
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
    while (!held && partition->state == PARTITION_READING &&
           partition->batch_at < partition->batch_len && has_room(p) &&
           partition_has_room(p, partition)) {
        prefetch(partition);
        held = take_record(p, partition, partition->batch[partition->batch_at]) == FATE_HOLD;
        partition->batch_at += !held;
    }
    drop_messages(partition, partition->batch_at);
    return partition->batch_len == 0;
}

static bool refill(struct pipeline *p, struct partition *partition)
{
    partition->batch_len =
        consumer_read(p->consumer, partition->slot, partition->batch, READ_BATCH);
    return partition->batch_len > 0;
}

static void read_partition(struct pipeline *p, struct partition *partition)
{
    for (size_t taken = 0; taken < ROUND_MAX && work_off(p, partition); taken += READ_BATCH)
        if (!refill(p, partition)) {
            partition->maybe_more = false;
            return;
        }
    work_off(p, partition);
}

/* That a schema has come is told; that there is memory again is not. */
static void look_again(struct pipeline *p, struct partition *partition)
{
    if (partition != NULL && partition->state == PARTITION_HELD &&
        p->now_ms - partition->held_ms >= LOOK_AGAIN_MS)
        partition->state = PARTITION_READING;
}

static bool may_read_from(struct pipeline *p, struct partition *partition)
{
    return partition != NULL && partition->state == PARTITION_READING && partition->maybe_more &&
           partition_has_room(p, partition);
}

bool may_read(struct pipeline *p)
{
    bool may = false;
    for (size_t i = 0; i < p->partition_count && !may && has_room(p); i++)
        may = may_read_from(p, p->partitions[i]);
    return may;
}

void read_partitions(struct pipeline *p)
{
    for (size_t i = 0; i < p->partition_count && has_room(p); i++) {
        struct partition *partition = p->partitions[(p->next_partition + i) % p->partition_count];
        look_again(p, partition);
        if (partition != NULL && partition->is_retry)
            stretches_turn(p, partition);
        else if (partition != NULL)
            doubt_turn(p, partition);
        if (may_read_from(p, partition))
            read_partition(p, partition);
    }
    p->next_partition++;
}
