/* recorder: deliveries at their end: parked if they must be, an outcome record, the window.
 *
 *   2xx ───────────────────────────▶ outcome record ──(acknowledged, or outcome.timeout)──▶ settled
 *   never ──▶ parked (acknowledged) ─▶ outcome record ──(the same)─────────────────────────▶
 * settled */
#include "pipeline/pipeline_internal.h"

#include "sys/clock.h"
#include "topics/outcome_record.h"
#include "topics/parked_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct partition *partition_of(const struct delivery *d)
{
    struct partition *partition = d->owner;
    return partition->assignment_epoch == d->assignment_epoch && partition->state != PARTITION_NONE
               ? partition
               : NULL;
}

void hold_delivery(struct pipeline *p, struct delivery *d)
{
    p->held_records++;
    p->held_bytes += d->size;
    d->held_ms = p->now_ms;
    d->held_previous = p->held_last;
    *(p->held_last != NULL ? &p->held_last->held_next : &p->held_first) = d;
    p->held_last = d;
}

void free_delivery(struct pipeline *p, struct delivery *d)
{
    p->held_records--;
    p->held_bytes -= d->size;
    *(d->held_previous != NULL ? &d->held_previous->held_next : &p->held_first) = d->held_next;
    *(d->held_next != NULL ? &d->held_next->held_previous : &p->held_last) = d->held_previous;
    if (d->headers != NULL)
        rd_kafka_headers_destroy(d->headers);
    if (p->sole_probe == d)
        p->sole_probe = NULL;
    free(d->answer);
    free(d);
}

static void finish(struct pipeline *p, struct delivery *d)
{
    order_queue_finish(p->order_queues, d);
    free_delivery(p, d);
}

void give_up_delivery(struct pipeline *p, struct delivery *d)
{
    struct partition *partition = partition_of(d);
    if (partition != NULL)
        partition->busy--;
    p->totals.abandoned++;
    finish(p, d);
}

/* The window learns of it only if the partition is still the one that the record was read from. */
static void settle(struct pipeline *p, struct delivery *d)
{
    struct partition *partition = partition_of(d);
    if (partition != NULL) {
        partition->busy--;
        partition->settling--;
        partition->settles++;
        partition->last_settled_ms = p->now_ms;
        partition->settled += d->dispatched;
        offset_window_settle(&partition->window, d->sequence);
    }
    p->concluded--;
    finish(p, d);
}

void settle_unsent(struct pipeline *p, struct delivery *d)
{
    struct partition *partition = partition_of(d);
    p->concluded++;
    if (partition != NULL) {
        partition->busy++;
        partition->settling++;
    }
    settle(p, d);
}

/* ---- outcome records ---- */

static struct slice known_order(const struct delivery *d)
{
    return d->has_order_id ? d->text[TEXT_ORDER_ID] : (struct slice){0};
}

static const char *previous_of(struct pipeline *p, const struct delivery *d)
{
    buf_reset(&p->previous);
    bool ok = d->has_order_id && history_write(p->history, d->text[TEXT_ORDER_ID], &p->previous);
    return ok ? buf_text(&p->previous) : "";
}

static void remember(struct pipeline *p, const struct delivery *d, bool delivered)
{
    const struct slice *time = &d->text[TEXT_CONFIRMED_AT];
    struct transition t = {.partition = d->partition,
                           .offset = d->offset,
                           .lsn = d->lsn,
                           .delivered = delivered,
                           .attempts = d->history.attempts,
                           .settled_ms = p->wall_ms};
    memcpy(t.webhook_id, d->id, sizeof d->id);
    if (!delivered)
        snprintf(t.reason, sizeof t.reason, "%s", d->reason);
    if (time->len < sizeof t.confirmed_at && time->len > 0)
        memcpy(t.confirmed_at, time->data, time->len);
    history_note(p->history, d->text[TEXT_ORDER_ID], &t);
}

static bool write_record(struct pipeline *p, const struct delivery *d, const char *state,
                         int64_t next_attempt_ms)
{
    const struct outcome_record record = {.state = slice_of(state),
                                          .reason = slice_of(state[0] == 'd' ? "" : d->reason),
                                          .order_id = known_order(d),
                                          .order_number = d->text[TEXT_ORDER_NUMBER],
                                          .confirmed_at = d->text[TEXT_CONFIRMED_AT],
                                          .webhook_id = slice_of(d->id),
                                          .source = slice_of(d->source),
                                          .request = slice_of(d->text[TEXT_REQUEST].data),
                                          .topic = slice_of(d->topic),
                                          .partition = d->partition,
                                          .offset = d->offset,
                                          .timestamp_ms = d->timestamp_ms,
                                          .lsn = d->lsn,
                                          .attempts = d->history.attempts,
                                          .status = d->status > 0 ? d->status : -1,
                                          .first_attempt_ms = d->first_attempt_ms,
                                          .last_attempt_ms = d->last_attempt_ms,
                                          .settled_ms = next_attempt_ms < 0 ? p->wall_ms : -1,
                                          .next_attempt_ms = next_attempt_ms,
                                          .member = slice_of(p->member),
                                          .owner = slice_of(d->text[TEXT_OWNER].data),
                                          .response = slice_of(d->answer),
                                          .previous = slice_of(previous_of(p, d))};
    buf_reset(&p->text);
    return outcome_record_write(&record, &p->text);
}

static bool publish_outcome(struct pipeline *p, struct delivery *d, const char *state,
                            int64_t next_attempt_ms, int64_t deadline_ms, publisher_done *done)
{
    struct error err = {0};
    if (!write_record(p, d, state, next_attempt_ms))
        return false;
    const struct publication publication = {.topic = p->config->deliveries_topic,
                                            .partition = RD_KAFKA_PARTITION_UA,
                                            .key = d->text[TEXT_ORDER_ID].data,
                                            .key_len = d->text[TEXT_ORDER_ID].len,
                                            .value = p->text.data,
                                            .value_len = p->text.len,
                                            .deadline_ms = deadline_ms};
    return publisher_put(p->publisher, &publication, done, d, &err);
}

static void outcome_written(void *context, bool acknowledged)
{
    struct delivery *d = context;
    struct pipeline *p = ((struct partition *)d->owner)->p;
    p->totals.outcomes_unacknowledged += !acknowledged;
    settle(p, d); /* its end is a fact, whether or not the topic knows of it */
}

/* What could not be read when it was parked has an outcome under its coordinates. Now that it has
 * an order, that one would say "parked" for ever. */
static void forget_coordinates(struct pipeline *p, const struct delivery *d)
{
    struct error err = {0};
    char key[COORDINATES_MAX];
    const struct outcome_record record = {.state = slice_of("skipped"),
                                          .reason = slice_of("has_order_id"),
                                          .source = slice_of(d->source),
                                          .topic = slice_of(d->topic),
                                          .partition = d->partition,
                                          .offset = d->offset,
                                          .timestamp_ms = d->timestamp_ms,
                                          .lsn = d->lsn,
                                          .status = -1,
                                          .first_attempt_ms = -1,
                                          .last_attempt_ms = -1,
                                          .settled_ms = p->wall_ms,
                                          .next_attempt_ms = -1,
                                          .member = slice_of(p->member)};
    buf_reset(&p->text);
    if (!outcome_record_write(&record, &p->text))
        return;
    snprintf(key, sizeof key, "%s-%d-%lld", d->topic, (int)d->partition, (long long)d->offset);
    const struct publication publication = {.topic = p->config->deliveries_topic,
                                            .partition = RD_KAFKA_PARTITION_UA,
                                            .key = key,
                                            .key_len = strlen(key),
                                            .value = p->text.data,
                                            .value_len = p->text.len,
                                            .deadline_ms = -1};
    (void)!publisher_put(p->publisher, &publication, NULL, NULL, &err);
}

/* The outcome record comes before the offset: a crash in between writes it again. */
static void conclude(struct pipeline *p, struct delivery *d, const char *state)
{
    int64_t deadline_ms = p->now_ms + p->config->outcome_timeout;
    struct partition *partition = partition_of(d);
    p->concluded++;
    if (partition != NULL)
        partition->settling++;
    if (d->manual && d->has_order_id && !d->judged_before)
        forget_coordinates(p, d);
    bool written = publish_outcome(p, d, state, -1, deadline_ms, outcome_written);
    if (d->has_order_id && d->skip == SKIP_NONE)
        remember(p, d, state[0] == 'd');
    if (!written)
        outcome_written(d, false);
}

void say_retrying(struct pipeline *p, struct delivery *d, int64_t next_attempt_ms)
{
    enum { AFTER_MS = 30000 };
    int64_t since = d->said_ms > 0 ? d->said_ms : d->history.first_ms;
    if (!d->has_order_id || p->now_ms - since < AFTER_MS)
        return;
    d->said_ms = p->now_ms;
    /* Nobody waits for it: the next one, or the outcome, says more. */
    publish_outcome(p, d, "retrying", next_attempt_ms, -1, NULL);
}

void conclude_delivered(struct pipeline *p, struct delivery *d)
{
    /* The first is what somebody who has just set it up waits to see. */
    LOG_LINE(p->totals.delivered == 0 ? LOG_INFO : LOG_DEBUG,
             p->totals.delivered == 0 ? "the first order is delivered" : "delivered",
             LOG_S("id", d->id), LOG_I("partition", d->partition), LOG_I("offset", d->offset),
             LOG_I("attempt", d->history.attempts));
    p->totals.delivered++;
    note_answered(p, d);
    conclude(p, d, "delivered");
}

void conclude_skipped(struct pipeline *p, struct delivery *d)
{
    log_info(d->skip == SKIP_SUPERSEDED ? "retry superseded" : "retry not for us",
             LOG_S("reason", d->reason), LOG_S("request", d->text[TEXT_REQUEST].data),
             LOG_S("topic", d->topic), LOG_I("partition", d->partition),
             LOG_I("offset", d->offset));
    p->totals.skipped[d->skip]++;
    conclude(p, d, d->skip == SKIP_SUPERSEDED ? "superseded" : "skipped");
}

/* ---- parking ---- */

static void parked(void *context, bool acknowledged)
{
    struct delivery *d = context;
    struct pipeline *p = ((struct partition *)d->owner)->p;
    if (!acknowledged) { /* the process ends: the record stays unsettled */
        give_up_delivery(p, d);
        return;
    }
    p->totals.parked++;
    conclude(p, d, "parked");
}

static void say_parked(const struct delivery *d)
{
    log_warn("parked", LOG_S("reason", d->reason), LOG_S("class", d->class),
             LOG_S("detail", d->detail), LOG_S("topic", d->topic), LOG_I("partition", d->partition),
             LOG_I("offset", d->offset), LOG_I("attempts", d->history.attempts));
}

void conclude_parked(struct pipeline *p, struct delivery *d, struct slice response, bool cut)
{
    struct error err = {0};
    const struct parked_record record = {.group = slice_of(p->config->kafka_group),
                                         .judged = d->judged,
                                         .topic = d->topic,
                                         .partition = d->partition,
                                         .offset = d->offset,
                                         .timestamp_ms = d->timestamp_ms,
                                         .key = d->text[TEXT_KEY],
                                         .value = d->text[TEXT_VALUE],
                                         .headers = d->headers,
                                         .reason = slice_of(d->reason),
                                         .detail = slice_of(d->detail),
                                         .class = slice_of(d->class),
                                         .schema_id = d->schema_id,
                                         .order_id = known_order(d),
                                         .order_number = d->text[TEXT_ORDER_NUMBER],
                                         .response = fit_to_keep(p, d, response, cut),
                                         .webhook_id = slice_of(d->id),
                                         .source = slice_of(d->source),
                                         .status = d->status > 0 ? d->status : -1,
                                         .attempts = d->history.attempts,
                                         .first_attempt_ms = d->first_attempt_ms,
                                         .last_attempt_ms = d->last_attempt_ms};
    say_parked(d);
    if (parked_record_write(p->publisher, p->config, &record, parked, d, &err))
        return;
    struct partition *partition = partition_of(d);
    if (partition == NULL || partition->state == PARTITION_REVOKING) {
        give_up_delivery(p, d);
        return;
    }
    partition->busy--; /* no memory: its turn comes again, to be parked and not to be sent */
    d->rejected = true;
    d->rests_whole = false;
    order_queue_back_off(p->order_queues, d, p->now_ms + p->config->retry_base);
}
