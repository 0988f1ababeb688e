#include "pipeline/sending/recorder.h"

#include "delivery/answered.h"
#include "pipeline/sending/last_answer.h"
#include "sys/log.h"
#include "topics/outcome_record.h"
#include "topics/parked_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY_ORDERS = 8192 };
enum { ORDER_SHOWN = 128 };        /* bytes of an id in a log line */
enum { COORDINATES_MAX = 300 };    /* "topic-partition-offset" */
enum { ANSWERED_MIN = 65536 };     /* 2 × 2 × 16 bytes each */
enum { RECORD_MAX = 1024 * 1024 }; /* as large as brokers take: a huge id */

struct recorder {
    struct recorder_uses use;
    struct history *history;          /* transitions that were settled */
    struct answered *answered;        /* records that are not sent again */
    struct buf text, previous, tries; /* an outcome record, its earlier transitions and attempts */
    struct recorder_counts counts;
};

struct recorder *recorder_new(const struct recorder_uses *uses)
{
    size_t most =
        (size_t)uses->config->webhook_uncommitted_max; /* as many can be uncommitted at a loss */
    struct recorder *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->use = *uses;
    buf_init(&r->text, RECORD_MAX);
    buf_init(&r->previous, RECORD_MAX);
    buf_init(&r->tries, RECORD_MAX);
    r->history = history_new(HISTORY_ORDERS, &uses->config->hash_key);
    r->answered = answered_new(most > ANSWERED_MIN ? most : ANSWERED_MIN, &uses->config->hash_key);
    if (r->history == NULL || r->answered == NULL) {
        recorder_free(r);
        return NULL;
    }
    return r;
}

void recorder_free(struct recorder *r)
{
    if (r == NULL)
        return;
    buf_done(&r->text);
    buf_done(&r->previous);
    buf_done(&r->tries);
    history_free(r->history);
    answered_free(r->answered);
    free(r);
}

const struct recorder_counts *recorder_counts(const struct recorder *r)
{
    return &r->counts;
}

void recorder_give_up(struct recorder *r, struct delivery *d)
{
    struct partition *partition = partition_of(d);
    if (partition != NULL)
        partition_end_work(partition);
    r->counts.abandoned++;
    tracing_abandon(r->use.tracing, d);
    backlog_finish(r->use.backlog, d);
}

/* The window is changed only if the partition is still the one that the record was read from. */
static void settle(struct recorder *r, struct delivery *d)
{
    struct partition *partition = partition_of(d);
    if (partition != NULL)
        partition_settle_delivery(partition, d, r->use.now->mono_ms);
    tracing_settle(r->use.tracing, d);
    r->use.backlog->concluded--;
    backlog_finish(r->use.backlog, d);
}

/* ---- records that come again after a loss ---- */

static bool is_remembered(const struct delivery *d)
{
    return strcmp(d->source, "cdc") == 0 && d->id[0] != '\0';
}

static struct answered_record record_of(const struct delivery *d)
{
    return (struct answered_record){d->id, d->partition, d->offset, d->timestamp_ms};
}

static void note_answered(struct recorder *r, const struct delivery *d)
{
    const struct answered_record record = record_of(d);
    if (is_remembered(d))
        answered_note(r->answered, &record);
}

/* SKIP_NONE: it is to be sent. */
static enum skip_reason answered_before(const struct recorder *r, const struct delivery *d)
{
    const struct answered_record record = record_of(d);
    if (is_remembered(d) && answered_has(r->answered, &record))
        return SKIP_ALREADY_DELIVERED;
    if (strcmp(d->source, "cdc") == 0 && d->has_order_id && !d->dispatched &&
        history_has_row(r->history, d->text[TEXT_ORDER_ID], d->text[TEXT_CONFIRMED_AT]))
        return SKIP_ALREADY_CONFIRMED;
    return SKIP_NONE;
}

bool recorder_pass_answered(struct recorder *r, struct delivery *d)
{
    enum skip_reason why = answered_before(r, d);
    struct partition *partition = partition_of(d);
    if (why == SKIP_NONE)
        return false;
    log_debug("delivered before", LOG_S("id", d->id), LOG_I("partition", d->partition),
              LOG_I("offset", d->offset));
    r->counts.skipped[why]++;
    r->use.backlog->concluded++;
    if (partition != NULL) {
        partition_begin_work(partition);
        partition_conclude(partition);
    }
    settle(r, d);
    return true;
}

void recorder_forget_answered(struct recorder *r)
{
    answered_forget(r->answered);
}

/* ---- outcome records ---- */

static struct slice known_order(const struct delivery *d)
{
    return d->has_order_id ? d->text[TEXT_ORDER_ID] : (struct slice){0};
}

static const char *previous_of(struct recorder *r, const struct delivery *d)
{
    buf_reset(&r->previous);
    bool ok = d->has_order_id && history_write(r->history, d->text[TEXT_ORDER_ID], &r->previous);
    return ok ? buf_text(&r->previous) : "";
}

static struct slice tries_of(struct recorder *r, const struct delivery *d)
{
    buf_reset(&r->tries);
    tries_write(d->tries, &r->tries);
    return buf_ok(&r->tries) ? (struct slice){r->tries.data, r->tries.len} : (struct slice){0};
}

static void remember(struct recorder *r, const struct delivery *d, bool delivered)
{
    const struct slice *time = &d->text[TEXT_CONFIRMED_AT];
    struct transition t = {.partition = d->partition,
                           .offset = d->offset,
                           .lsn = d->lsn,
                           .delivered = delivered,
                           .attempts = d->history.attempts,
                           .settled_ms = r->use.now->wall_ms};
    memcpy(t.webhook_id, d->id, sizeof d->id);
    if (!delivered)
        snprintf(t.reason, sizeof t.reason, "%s", d->reason);
    if (time->len < sizeof t.confirmed_at && time->len > 0)
        memcpy(t.confirmed_at, time->data, time->len);
    history_note(r->history, d->text[TEXT_ORDER_ID], &t);
}

static bool write_record(struct recorder *r, const struct delivery *d, const char *state,
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
                                          .settled_ms =
                                              next_attempt_ms < 0 ? r->use.now->wall_ms : -1,
                                          .next_attempt_ms = next_attempt_ms,
                                          .member = slice_of(r->use.member),
                                          .owner = slice_of(d->text[TEXT_OWNER].data),
                                          .response = slice_of(d->answer),
                                          .tries = tries_of(r, d),
                                          .previous = slice_of(previous_of(r, d))};
    buf_reset(&r->text);
    return outcome_record_write(&record, &r->text);
}

static bool publish_outcome(struct recorder *r, struct delivery *d, const char *state,
                            int64_t next_attempt_ms, int64_t deadline_ms, publisher_done *done)
{
    struct error err = {0};
    if (!write_record(r, d, state, next_attempt_ms))
        return false;
    const struct publication publication = {.topic = r->use.config->deliveries_topic,
                                            .partition = RD_KAFKA_PARTITION_UA,
                                            .key = d->text[TEXT_ORDER_ID].data,
                                            .key_len = d->text[TEXT_ORDER_ID].len,
                                            .value = r->text.data,
                                            .value_len = r->text.len,
                                            .deadline_ms = deadline_ms};
    return publisher_put(r->use.publisher, &publication, done, d, &err);
}

static void outcome_written(void *context, bool acknowledged)
{
    struct delivery *d = context;
    struct recorder *r = d->handler;
    r->counts.outcomes_unacknowledged += !acknowledged;
    settle(r, d); /* the delivery has ended, recorded or not */
}

/* A record that could not be read when it was parked has an outcome under its coordinates. Now that
 * its order is known, that outcome would remain "parked" for ever. */
static void forget_coordinates(struct recorder *r, const struct delivery *d)
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
                                          .settled_ms = r->use.now->wall_ms,
                                          .next_attempt_ms = -1,
                                          .member = slice_of(r->use.member)};
    buf_reset(&r->text);
    if (!outcome_record_write(&record, &r->text))
        return;
    snprintf(key, sizeof key, "%s-%d-%lld", d->topic, (int)d->partition, (long long)d->offset);
    const struct publication publication = {.topic = r->use.config->deliveries_topic,
                                            .partition = RD_KAFKA_PARTITION_UA,
                                            .key = key,
                                            .key_len = strlen(key),
                                            .value = r->text.data,
                                            .value_len = r->text.len,
                                            .deadline_ms = -1};
    (void)!publisher_put(r->use.publisher, &publication, NULL, NULL, &err);
}

/* The outcome record comes before the offset: a crash in between writes it again. */
static void conclude(struct recorder *r, struct delivery *d, const char *state)
{
    int64_t deadline_ms = r->use.now->mono_ms + r->use.config->outcome_timeout;
    struct partition *partition = partition_of(d);
    r->use.backlog->concluded++;
    if (partition != NULL)
        partition_conclude(partition);
    if (d->manual && d->has_order_id && !d->judged_before)
        forget_coordinates(r, d);
    d->handler = r;
    tracing_conclude(r->use.tracing, d, state);
    bool written = publish_outcome(r, d, state, -1, deadline_ms, outcome_written);
    if (d->has_order_id && d->skip == SKIP_NONE)
        remember(r, d, state[0] == 'd');
    if (!written)
        outcome_written(d, false);
}

void recorder_retrying(struct recorder *r, struct delivery *d, int64_t next_attempt_ms)
{
    enum { AFTER_MS = 30000 };
    int64_t since = d->said_ms > 0 ? d->said_ms : d->history.first_ms;
    if (!d->has_order_id || r->use.now->mono_ms - since < AFTER_MS)
        return;
    d->said_ms = r->use.now->mono_ms;
    /* Its acknowledgement is not awaited: the next one, or the outcome, replaces it. */
    publish_outcome(r, d, "retrying", next_attempt_ms, -1, NULL);
}

void recorder_deliver(struct recorder *r, struct delivery *d)
{
    const struct log_field fields[] = {LOG_S("id", d->id),
                                       LOG_I("partition", d->partition),
                                       LOG_I("offset", d->offset),
                                       LOG_I("attempt", d->history.attempts),
                                       {0}};
    if (r->counts.delivered == 0) /* shows a new operator that the set-up works */
        log_event(LOG_INFO, "first order delivered", fields);
    else
        log_event(LOG_DEBUG, "delivered", fields);
    r->counts.delivered++;
    note_answered(r, d);
    conclude(r, d, "delivered");
}

static void log_skipped(const struct delivery *d)
{
    if (d->skip == SKIP_OVERTAKEN)
        log_info("confirmation overtaken", LOG_S("id", d->id), LOG_S("topic", d->topic),
                 LOG_I("partition", d->partition), LOG_I("offset", d->offset),
                 LOG_I("attempts", d->history.attempts));
    else
        log_info(d->skip == SKIP_SUPERSEDED ? "retry superseded" : "retry not for us",
                 LOG_S("reason", d->reason), LOG_S("request", d->text[TEXT_REQUEST].data),
                 LOG_S("topic", d->topic), LOG_I("partition", d->partition),
                 LOG_I("offset", d->offset));
}

void recorder_skip(struct recorder *r, struct delivery *d)
{
    log_skipped(d);
    r->counts.skipped[d->skip]++;
    conclude(r, d,
             d->skip == SKIP_SUPERSEDED  ? "superseded"
             : d->skip == SKIP_OVERTAKEN ? "overtaken"
                                         : "skipped");
}

enum history_standing recorder_standing(const struct recorder *r, const struct delivery *d)
{
    const struct transition this = {.partition = d->partition, .offset = d->offset, .lsn = d->lsn};
    return history_standing(r->history, d->text[TEXT_ORDER_ID], &this);
}

/* ---- parking ---- */

static void parked(void *context, bool acknowledged)
{
    struct delivery *d = context;
    struct recorder *r = d->handler;
    if (!acknowledged) { /* the process ends: the record stays unsettled */
        recorder_give_up(r, d);
        return;
    }
    r->counts.parked++;
    park_reasons_note(&r->counts.park_reasons, d->reason);
    conclude(r, d, "parked");
}

static void log_parked(const struct delivery *d)
{
    char order[ORDER_SHOWN];
    struct slice id = known_order(d);
    snprintf(order, sizeof order, "%.*s", (int)id.len, id.data != NULL ? id.data : "");
    log_warn("parked", LOG_S("reason", d->reason), LOG_S("class", d->class),
             LOG_S("detail", d->detail), LOG_S("order", order), LOG_S("webhook_id", d->id),
             LOG_S("topic", d->topic), LOG_I("partition", d->partition), LOG_I("offset", d->offset),
             LOG_I("attempts", d->history.attempts));
}

void recorder_park(struct recorder *r, struct delivery *d, struct slice response, bool cut)
{
    struct error err = {0};
    char schema[SCHEMA_REF_TEXT_MAX];
    const struct parked_record record = {
        .group = slice_of(r->use.config->kafka_group),
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
        .schema = slice_of(schema_ref_text(&d->schema, schema)),
        .order_id = known_order(d),
        .order_number = d->text[TEXT_ORDER_NUMBER],
        .response = last_answer_redact(r->use.webhook, d, response, cut, &r->text),
        .webhook_id = slice_of(d->id),
        .source = slice_of(d->source),
        .status = d->status > 0 ? d->status : -1,
        .attempts = d->history.attempts,
        .first_attempt_ms = d->first_attempt_ms,
        .last_attempt_ms = d->last_attempt_ms};
    log_parked(d);
    d->handler = r;
    if (parked_record_write(r->use.publisher, r->use.config, &record, parked, d, &err))
        return;
    struct partition *partition = partition_of(d);
    if (partition == NULL || partition->state == PARTITION_REVOKING) {
        recorder_give_up(r, d);
        return;
    }
    partition_end_work(
        partition); /* no memory: its turn comes again, to be parked and not to be sent */
    d->rejected = true;
    d->rests_whole = false;
    order_queue_back_off(r->use.backlog->queues, d,
                         r->use.now->mono_ms + r->use.config->retry_base);
}
