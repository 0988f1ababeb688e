#include "check_internal.h"

#include "core/timestamp.h"
#include "core/transform.h"
#include "core/wire.h"
#include "edge/clock.h"
#include "edge/kafka_header.h"
#include "plans.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RECORDS "records"

enum {
    PER_PARTITION = 100, /* newest records looked at */
    ALL_PARTITIONS = 1000,
    READ_MS = 10000,  /* for one look at the topic */
    SCHEMA_MS = 5000, /* for a schema */
    POLL_MS = 100,
    TIME_TEXT = 32
};

/* ---- reading a stretch of every partition ---- */

typedef void take_record(struct check *c, const rd_kafka_message_t *m, void *context);

/* Reads from from(p) on, in every partition that holds a record there, until each has been read to
 * its end as it was, or has given `most` records. */
static bool read_from(struct check *c, int64_t (*from)(const struct check *c, int32_t p),
                      int64_t most, take_record *take, void *context, struct error *err)
{
    int open = 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(c->partitions);
    for (int32_t p = 0; p < c->partitions; p++) {
        if (c->high[p] <= c->low[p])
            continue;
        rd_kafka_topic_partition_list_add(list, c->config->kafka_topic, p)->offset = from(c, p);
        open++;
    }
    rd_kafka_assign(c->rk, list);
    int64_t deadline_ms = clock_mono_ms() + READ_MS;
    while (open > 0 && clock_mono_ms() < deadline_ms && err->code == ERROR_NONE) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(c->rk, POLL_MS);
        if (m == NULL)
            continue;
        rd_kafka_topic_partition_t *at =
            rd_kafka_topic_partition_list_find(list, c->config->kafka_topic, m->partition);
        bool is_record = m->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        bool is_end = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (!is_record && !is_end)
            error_set(err, ERROR_FAILED, "%s", rd_kafka_message_errstr(m));
        if (at != NULL && at->offset >= 0) { /* -1: done with */
            if (is_record)
                take(c, m, context);
            int64_t end = from(c, m->partition) + most;
            end = end < c->high[m->partition] ? end : c->high[m->partition];
            if (is_end || m->offset + 1 >= end) {
                at->offset = -1;
                open--;
            }
        }
        rd_kafka_message_destroy(m);
    }
    rd_kafka_assign(c->rk, NULL);
    rd_kafka_topic_partition_list_destroy(list);
    return err->code == ERROR_NONE;
}

/* ---- the oldest ---- */

static int64_t oldest(const struct check *c, int32_t p)
{
    return c->low[p];
}

static int64_t timestamp_of(const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    return rd_kafka_message_timestamp(m, &type);
}

static void take_oldest(struct check *c, const rd_kafka_message_t *m, void *context)
{
    int64_t *oldest_ms = context, ms = timestamp_of(m);
    (void)c;
    if (ms >= 0 && (*oldest_ms < 0 || ms < *oldest_ms))
        *oldest_ms = ms;
}

/* ---- the newest ---- */

static int64_t newest(const struct check *c, int32_t p)
{
    int64_t each = ALL_PARTITIONS / c->partitions;
    each = each > PER_PARTITION ? PER_PARTITION : each > 1 ? each : 1;
    return c->high[p] - c->low[p] > each ? c->high[p] - each : c->low[p];
}

struct reading {
    struct plans *plans;
    struct transform *transform;
};

static enum plans_answer await_plan(struct check *c, struct plans *plans, int32_t id,
                                    const struct plan **ret_plan)
{
    const char *why;
    enum plans_answer answer;
    int64_t deadline_ms = clock_mono_ms() + SCHEMA_MS;
    while ((answer = plans_get(plans, id, ret_plan, &why)) == PLANS_PENDING &&
           clock_mono_ms() < deadline_ms) {
        registry_turn(c->registry, clock_mono_ms());
        http_turn(c->http);
        loop_wait(c->loop, POLL_MS / 5);
    }
    return answer;
}

static void note_before(struct sample *s, const struct plan *plan, const struct wire *wire)
{
    struct change change;
    const char *why;
    if (plan_run(plan, wire->body, wire->len, false, &change, &why, NULL) == PLAN_DONE &&
        column_is_text(&change.op, "u")) {
        s->updates++;
        s->updates_without_before += !change.has_before;
    }
}

static void note_verdict(struct sample *s, const struct transformed *result)
{
    s->delivered += result->verdict == TRANSFORM_DELIVER;
    s->near_misses += result->near_miss;
    s->triggering += result->verdict != TRANSFORM_SKIP || result->skip == SKIP_ALREADY_CONFIRMED;
    if (result->verdict != TRANSFORM_REJECT)
        return;
    if (s->rejected++ == 0)
        snprintf(s->reject_why, sizeof s->reject_why, "%s", result->why);
}

static void take_newest(struct check *c, const rd_kafka_message_t *m, void *context)
{
    const struct reading *r = context;
    struct sample *s = &c->sample;
    struct error err = {0};
    struct wire wire;
    const struct plan *plan = NULL;
    s->records++;
    if (m->payload == NULL) {
        s->tombstones++;
        return;
    }
    if (!wire_split(m->payload, m->len, &wire, &err)) {
        if (s->foreign++ == 0)
            snprintf(s->foreign_why, sizeof s->foreign_why, "%.*s", CHECK_WHY_MAX - 1, err.text);
        return;
    }
    if (s->schema_id == 0 || timestamp_of(m) >= s->newest_ms) {
        s->schema_id = wire.schema_id;
        s->newest_ms = timestamp_of(m);
    }
    if (r->plans == NULL || await_plan(c, r->plans, wire.schema_id, &plan) != PLANS_HAVE)
        return;
    const struct record record = {.topic = c->config->kafka_topic,
                                  .partition = m->partition,
                                  .offset = m->offset,
                                  .timestamp_ms = timestamp_of(m),
                                  .body = wire.body,
                                  .len = wire.len,
                                  .has_header = kafka_has_header,
                                  .context = m};
    struct transformed result;
    note_before(s, plan, &wire);
    transform_apply(r->transform, plan, &record, false, &result);
    note_verdict(s, &result);
}

/* ---- what it shows ---- */

static void say_foreign(struct check *c)
{
    const struct sample *s = &c->sample;
    struct error err = {0};
    int64_t all = s->records - s->tombstones;
    if (s->foreign == 0)
        return;
    error_set(&err, ERROR_FAILED, "%" PRId64 " of the %" PRId64 " newest records: %s", s->foreign,
              all, s->foreign_why);
    if (s->foreign == all)
        report_fail(c->report, &err, RECORDS, "form");
    else
        report_add(c->report, REPORT_WARN, RECORDS, "form", "%s; they would be parked", err.text);
}

static void say_before(struct check *c)
{
    const struct sample *s = &c->sample;
    if (s->updates == 0)
        report_add(c->report, REPORT_NOTE, RECORDS, "before",
                   "no update among them, so whether the table has REPLICA IDENTITY FULL is not "
                   "to be seen");
    else if (s->updates_without_before > 0)
        report_add(c->report, REPORT_WARN, RECORDS, "before",
                   "%" PRId64 " of %" PRId64
                   " updates do not show the row as it was: ALTER TABLE … REPLICA IDENTITY FULL. "
                   "Until then a transition is told from memory, and after a restart an order may "
                   "be sent again",
                   s->updates_without_before, s->updates);
    else
        report_add(c->report, REPORT_OK, RECORDS, "before",
                   "all %" PRId64 " updates show the row as it was", s->updates);
}

static void say_verdicts(struct check *c)
{
    const struct sample *s = &c->sample;
    const struct config *config = c->config;
    if (s->rejected > 0)
        report_add(c->report, REPORT_WARN, RECORDS, "parked",
                   "%" PRId64 " of them would be parked, the first as %s", s->rejected,
                   s->reject_why);
    if (s->near_misses > 0)
        report_add(c->report, REPORT_WARN, RECORDS, "rule",
                   "%" PRId64 " have a %s that differs from \"%s\" only in case or spaces, and "
                   "would not be sent",
                   s->near_misses, config->rule_column, config->rule_value);
    if (s->triggering == 0)
        report_add(c->report, REPORT_NOTE, RECORDS, "rule",
                   "none of them has %s = \"%s\" (rule.column, rule.value)", config->rule_column,
                   config->rule_value);
    else
        report_add(c->report, REPORT_OK, RECORDS, "rule",
                   "%" PRId64 " have %s = \"%s\"; %" PRId64
                   " are transitions to it and would be sent",
                   s->triggering, config->rule_column, config->rule_value, s->delivered);
}

static void say_span(struct check *c, int64_t oldest_ms)
{
    struct buf b;
    int64_t count = 0;
    for (int32_t p = 0; p < c->partitions; p++)
        count += c->high[p] - c->low[p];
    buf_init(&b, TIME_TEXT);
    if (oldest_ms < 0 || !timestamp_add(&b, oldest_ms, 3))
        buf_add_text(&b, "an unknown time");
    report_add(c->report, REPORT_NOTE, RECORDS, "earliest",
               "kafka.start=earliest would read %" PRId64
               " records, from %s on (elementor-sync preview shows which would be sent)",
               count, buf_text(&b));
    buf_done(&b);
}

static void say_sample(struct check *c, bool decoded)
{
    report_add(c->report, REPORT_OK, RECORDS, "newest", "%" PRId64 " looked at", c->sample.records);
    say_foreign(c);
    if (!decoded || c->sample.foreign == c->sample.records - c->sample.tombstones)
        return;
    say_before(c);
    say_verdicts(c);
}

static bool is_empty(const struct check *c)
{
    for (int32_t p = 0; p < c->partitions; p++)
        if (c->high[p] > c->low[p])
            return false;
    return true;
}

void check_records(struct check *c)
{
    struct error err = {0};
    int64_t oldest_ms = -1;
    if (c->partitions == 0)
        return;
    if (is_empty(c)) {
        report_add(c->report, REPORT_WARN, RECORDS, "newest",
                   "the topic is empty: change a row of the table, or is the connector not "
                   "running?");
        return;
    }
    struct reading reading = {.plans =
                                  c->registry != NULL ? plans_new(c->config, c->registry) : NULL,
                              .transform = transform_new(c->config)};
    if (reading.transform != NULL && read_from(c, oldest, 1, take_oldest, &oldest_ms, &err) &&
        read_from(c, newest, PER_PARTITION, take_newest, &reading, &err)) {
        say_span(c, oldest_ms);
        say_sample(c, reading.plans != NULL);
    } else {
        error_set(&err, ERROR_NO_MEMORY, "no memory to read the topic");
        report_fail(c->report, &err, RECORDS, "newest");
    }
    plans_free(reading.plans);
    transform_free(reading.transform);
}
