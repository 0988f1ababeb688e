#include "pipeline/intake/decision.h"

#include "pipeline/intake/park_stretch.h"
#include "topics/owner.h"
#include "topics/park_order.h"

#include <stdio.h>
#include <string.h>

enum { COORDINATES_MAX = 300 }; /* "topic-partition-offset" */

static enum fate hold(const struct decision *by, struct partition *partition)
{
    partition_block(partition, by->now->mono_ms);
    return FATE_HOLD;
}

static enum fate skip(struct decision *by, const struct intake_record *r, enum skip_reason why)
{
    if (r->suspect == NULL)
        offset_window_pass(&r->partition->window, r->m->offset);
    else
        partition_settle(r->partition, r->suspect->sequence);
    by->counts->skipped[why]++;
    return FATE_SETTLED;
}

/* ---- to its order's queue ---- */

static struct slice with_nul(const char *text)
{
    return (struct slice){text, text != NULL ? strlen(text) + 1 : 0};
}

/* Everything that outlives the message. */
static struct delivery *copy_out(const struct config *config, const struct intake_record *r,
                                 const struct transformed *t)
{
    char coordinates[COORDINATES_MAX], owner[OWNER_MARK_MAX];
    const rd_kafka_message_t *m = r->m;
    owner_mark(config, (struct slice){t->owner.text, t->owner.len}, owner);
    struct slice texts[DELIVERY_TEXT_COUNT] = {
        [TEXT_ORDER_ID] = {t->order_id.text, t->order_id.len},
        [TEXT_ORDER_NUMBER] = t->order_number,
        [TEXT_CONFIRMED_AT] = t->confirmed_at,
        [TEXT_KEY] = {m->key, m->key_len},
        [TEXT_VALUE] = {m->payload, m->len},
        [TEXT_OWNER] = with_nul(owner),
        [TEXT_DETAIL] = with_nul(t->detail),
    };
    if (t->verdict == TRANSFORM_DELIVER) {
        texts[TEXT_BODY] = (struct slice){t->body->data, t->body->len};
        texts[TEXT_NESTED] = t->nested;
    }
    if (t->order_id.len == 0) {
        snprintf(coordinates, sizeof coordinates, "%s-%d-%lld", r->origin.topic,
                 (int)r->origin.partition, (long long)r->origin.offset);
        texts[TEXT_ORDER_ID] = slice_of(coordinates);
    }
    if (r->partition->is_retry) {
        texts[TEXT_TOPIC] = with_nul(r->origin.topic);
        texts[TEXT_REQUEST] = with_nul(r->origin.request);
    }
    return delivery_new(texts);
}

static struct delivery *make_delivery(const struct config *config, const struct intake_record *r,
                                      const struct transformed *t)
{
    struct delivery *d = copy_out(config, r, t);
    if (d == NULL)
        return NULL;
    d->owner = r->partition;
    d->assignment_epoch = r->partition->assignment_epoch;
    d->topic = r->partition->is_retry ? d->text[TEXT_TOPIC].data : config->kafka_topic;
    d->partition = r->origin.partition;
    d->offset = r->origin.offset;
    d->timestamp_ms = r->origin.timestamp_ms;
    d->schema = r->schema;
    d->lsn = t->lsn;
    d->event_ms = t->event_ms;
    d->has_order_id = t->order_id.len > 0;
    d->source = r->origin.source;
    memcpy(d->id, t->id, sizeof d->id);
    d->rejected = t->verdict != TRANSFORM_DELIVER;
    d->skip = t->verdict == TRANSFORM_SKIP ? (int)t->skip : SKIP_NONE;
    d->judged = t->judged || r->origin.judged;
    d->judged_before = r->origin.judged;
    d->manual = r->partition->is_retry;
    d->forced = r->origin.forced;
    snprintf(d->reason, sizeof d->reason, "%s", t->why);
    d->class = strcmp(t->why, "undecodable") == 0 ? "undecodable" : "validation";
    return d;
}

/* The same record comes again, when its status is remembered already: without a new epoch it would
 * count as a record that changes nothing. */
static enum fate hold_undone(const struct decision *by, struct partition *partition)
{
    partition_renew_status_epoch(by->partitions, partition);
    return hold(by, partition);
}

/* Onto its order's queue, to be sent or to be parked in its turn. */
static enum fate enqueue(const struct decision *by, const struct intake_record *r,
                         const struct transformed *t)
{
    struct partition *partition = r->partition;
    struct delivery *d = make_delivery(by->config, r, t);
    if (d == NULL)
        return hold_undone(by, partition);
    backlog_add(by->backlog, d, by->now->mono_ms);
    if ((r->suspect == NULL && !offset_window_reserve(&partition->window)) ||
        !order_queue_add(by->backlog->queues, d)) {
        backlog_free(by->backlog, d);
        return hold_undone(by, partition);
    }
    /* The headers last: a record that is offered again still needs them. */
    size_t size;
    void *headers = retry_headers(r->m, &size);
    backlog_add_headers(by->backlog, d, headers, size);
    d->sequence = r->suspect != NULL ? r->suspect->sequence
                                     : offset_window_open(&partition->window, r->m->offset);
    const struct tried_clock clock = {.now_ms = by->now->mono_ms,
                                      .still_ms = pause_stood_still_ms(by->pause),
                                      .delivered = by->endpoint->delivered};
    partition_recall_tried(partition, d, &clock);
    return FATE_SETTLED;
}

static enum fate reject(const struct decision *by, const struct intake_record *r,
                        const char *detail)
{
    struct transformed t = {.verdict = TRANSFORM_REJECT,
                            .why = "undecodable",
                            .detail = detail,
                            .lsn = -1,
                            .event_ms = -1};
    return enqueue(by, r, &t);
}

static enum fate conclude(struct decision *by, const struct intake_record *r,
                          const struct transformed *t)
{
    oddities_note(&by->oddities, r->m, t);
    /* A record that was parked before it was judged has an outcome "parked": it gets another. */
    if (t->verdict == TRANSFORM_SKIP && !r->partition->is_retry) {
        if (t->skip == SKIP_NOT_CONFIRMED && t->order_id.len > 0) /* rule.overtaken=skip */
            order_queue_overtake(by->backlog->queues,
                                 (struct slice){t->order_id.text, t->order_id.len},
                                 r->origin.partition, r->origin.offset);
        return skip(by, r, t->skip);
    }
    return enqueue(by, r, t);
}

/* ---- the decision ---- */

static enum fate take_park_order(struct decision *by, const struct intake_record *r)
{
    struct partition *source;
    if (!stretch_add(by->config, by->partitions, r->partition, r->m, &source))
        return hold(by, r->partition);
    if (source != NULL)
        doubt_look(by->suspects, source);
    return FATE_ORDER;
}

/* A retry was parked before, or comes from an operator: if it cannot be read it is parked (again).
 */
static enum fate decide_retry(struct decision *by, struct intake_record *r)
{
    struct transformed t;
    struct reading_fault f;
    const char *why;
    if (!retry_record_is_ours(by->config, r->m, &why)) {
        oddities_note_others_retry(&by->oddities, r->m, why);
        return skip(by, r, SKIP_OTHERS_RETRY);
    }
    if (park_order_is(r->m))
        return take_park_order(by, r);
    if (!record_find_origin(r, &why))
        return reject(by, r, why);
    switch (record_read(&by->reader, r, &t, &f)) {
    case BYTES_READ: return conclude(by, r, &t);
    case BYTES_PENDING: return FATE_PENDING;
    default: return reject(by, r, f.reason);
    }
}

/* "REASON; parked by an operator: WORDS" */
static enum fate park_in_stretch(const struct decision *by, const struct intake_record *r,
                                 const struct reading_fault *f, const struct stretch *stretch)
{
    char detail[DOUBT_REASON_MAX + STRETCH_REASON_MAX + 4]; /* "; " */
    snprintf(detail, sizeof detail, "%s; %s", f->reason, stretch->reason);
    return reject(by, r, detail);
}

static enum fate suspect(struct decision *by, const struct intake_record *r,
                         const struct reading_fault *f)
{
    struct partition *partition = r->partition;
    const struct stretch *stretch = stretch_of(by->partitions, partition, r->m->offset);
    if (stretch != NULL) {
        enum fate fate = park_in_stretch(by, r, f, stretch);
        if (fate == FATE_SETTLED)
            doubt_overruled(by->suspects, partition);
        return fate;
    }
    if (f->kind == DOUBT_SCHEMA) {
        doubt_stop(by->suspects, partition, f, r->m->offset);
        return FATE_HOLD;
    }
    doubt_note_follower(partition);
    if (!doubt_keep(by->suspects, partition, f, r->m))
        return hold(by, partition);
    doubt_note(by->suspects, partition, false);
    return FATE_KEPT;
}

enum fate decide(struct decision *by, struct partition *partition, rd_kafka_message_t *m)
{
    struct transformed t;
    struct reading_fault f;
    const char *why;
    struct intake_record r = {.partition = partition, .m = m};
    if (m->payload == NULL)
        return skip(by, &r, SKIP_TOMBSTONE);
    if (partition->is_retry)
        return decide_retry(by, &r);
    (void)!record_find_origin(&r, &why); /* only a retry's can be missing */
    switch (record_read(&by->reader, &r, &t, &f)) {
    case BYTES_PENDING: return FATE_PENDING;
    case BYTES_FAULT: return suspect(by, &r, &f);
    default: break;
    }
    enum fate fate = conclude(by, &r, &t);
    if (fate == FATE_SETTLED) {
        doubt_note_follower(partition);
        doubt_note(by->suspects, partition, t.whole);
    }
    return fate;
}

enum suspect_fate decide_suspect(void *decision, struct partition *partition,
                                 struct suspect *suspect, bool park)
{
    struct decision *by = decision;
    struct transformed t;
    const char *why;
    struct intake_record r = {.partition = partition, .m = suspect->message, .suspect = suspect};
    (void)!record_find_origin(&r, &why);
    enum bytes bytes = record_read(&by->reader, &r, &t, &suspect->fault);
    if (bytes == BYTES_PENDING)
        return SUSPECT_PENDING;
    if (bytes == BYTES_FAULT && !park)
        return SUSPECT_KEPT;
    const struct stretch *stretch = stretch_of(by->partitions, partition, r.m->offset);
    enum fate fate = bytes == BYTES_READ ? conclude(by, &r, &t)
                     : stretch != NULL   ? park_in_stretch(by, &r, &suspect->fault, stretch)
                                         : reject(by, &r, suspect->fault.reason);
    return fate == FATE_SETTLED ? SUSPECT_SETTLED : SUSPECT_KEPT;
}
