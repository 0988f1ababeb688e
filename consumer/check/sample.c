/* sample: the rule, the table and the payload, tried on the newest records. */
#include "check/check_internal.h"

#include "cdc/wire_format.h"
#include "kafka/message.h"
#include "order/column_hint.h"
#include "order/near_miss.h"
#include "order/transform.h"
#include "registry/decoders.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS "records"

enum {
    SCHEMA_MS = 5000, /* for a schema */
    POLL_MS = 20,
    LIST_TEXT = 600,
    ENOUGH_ROWS = 20 /* none of them has the rule's value: it is probably wrong */
};

struct sampler {
    struct decoders *decoders; /* NULL: there is no registry */
    struct transform *transform;
    struct plan *lenient; /* of lenient_schema; NULL: it has no row */
    struct schema_ref lenient_schema;
};

bool check_sample_open(struct check *c)
{
    c->sampler = calloc(1, sizeof *c->sampler);
    if (c->sampler == NULL)
        return false;
    c->sampler->decoders = c->registry != NULL ? decoders_new(c->config, c->registry) : NULL;
    c->sampler->transform = transform_new(c->config);
    return c->sampler->transform != NULL;
}

void check_sample_done(struct check *c)
{
    if (c->sampler == NULL)
        return;
    plan_free(c->sampler->lenient);
    decoders_free(c->sampler->decoders);
    transform_free(c->sampler->transform);
    free(c->sampler);
    c->sampler = NULL;
}

/* ---- one record ---- */

static enum decoders_answer await_plan(struct check *c, const struct schema_ref *schema,
                                       const struct plan **ret_plan)
{
    const char *why;
    enum decoders_answer answer;
    int64_t deadline_ms = clock_mono_ms() + SCHEMA_MS;
    while ((answer = decoders_get(c->sampler->decoders, schema, ret_plan, &why)) ==
               DECODERS_PENDING &&
           clock_mono_ms() < deadline_ms) {
        registry_turn(c->registry, clock_mono_ms());
        http_turn(c->http);
        loop_wait(c->loop, POLL_MS);
    }
    return answer;
}

/* Rows without a configured column still show the values of the others. */
static const struct plan *lenient_plan(struct check *c, const struct schema_ref *ref)
{
    struct sampler *r = c->sampler;
    const char *text = NULL;
    struct error err = {0};
    struct schema schema = {0};
    const struct plan_options options = transform_plan_options(c->config);
    struct plan_options readable;
    char rule[COLUMN_NAME_MAX], order_id[COLUMN_NAME_MAX];
    bool is_envelope;
    if (schema_ref_equal(&r->lenient_schema, ref))
        return r->lenient;
    plan_free(r->lenient);
    r->lenient = NULL;
    r->lenient_schema = *ref;
    if (registry_get(c->registry, ref, &text, &err) != REGISTRY_HAVE)
        return NULL;
    if (schema_parse(&schema, text, strlen(text), &err) &&
        column_hint_readable(&schema, column_row(&schema, &is_envelope), &options, &readable, rule,
                             order_id))
        r->lenient = plan_compile(text, strlen(text), &readable, &err);
    schema_done(&schema);
    if (r->lenient != NULL)
        snprintf(c->sample.value_column, sizeof c->sample.value_column, "%s", rule);
    return r->lenient;
}

static void note_snapshot(struct sample *s, const rd_kafka_message_t *m)
{
    if (s->snapshots < SAMPLE_PLACES) {
        s->snapshot_places[s->snapshots].partition = m->partition;
        s->snapshot_places[s->snapshots].offset = m->offset;
    }
    s->snapshots++;
}

/* Counts the row, whatever its verdict. */
static void note_row(struct check *c, const struct plan *plan, const struct wire *wire,
                     const rd_kafka_message_t *m)
{
    struct sample *s = &c->sample;
    struct change change;
    const char *why, *value = c->config->rule_value;
    if (plan_run(plan, wire->body, wire->len, false, &change, &why, NULL) != PLAN_DONE)
        return;
    s->read++;
    if (column_is_text(&change.op, "u")) {
        s->updates++;
        s->updates_without_before += !change.has_before;
    }
    if (!change.has_row || change.status.kind != COLUMN_TEXT)
        return;
    tally_add(&s->values, change.status.data, change.status.len);
    if (case_mismatch(change.status.data, change.status.len, value))
        tally_add(&s->near_values, change.status.data, change.status.len);
    if (column_is_text(&change.op, "r") && column_is_text(&change.status, value) &&
        c->config->rule_snapshot == RULE_SNAPSHOT_SKIP)
        note_snapshot(s, m);
}

static void note_verdict(struct sample *s, const struct transformed *result)
{
    s->delivered += result->verdict == TRANSFORM_DELIVER;
    s->triggering += result->verdict != TRANSFORM_SKIP || result->skip == SKIP_ALREADY_CONFIRMED;
    if (result->verdict != TRANSFORM_REJECT)
        return;
    s->rejected++;
    tally_add(&s->reject_reasons, result->why, strlen(result->why));
}

static int64_t timestamp_of(const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    return rd_kafka_message_timestamp(m, &type);
}

/* False: another table's record, which does not count. */
static bool judge(struct check *c, const struct plan *plan, const struct wire *wire,
                  const rd_kafka_message_t *m)
{
    const struct record record = {.topic = c->config->kafka_topic,
                                  .partition = m->partition,
                                  .offset = m->offset,
                                  .timestamp_ms = timestamp_of(m),
                                  .body = wire->body,
                                  .len = wire->len,
                                  .has_header = kafka_has_header,
                                  .header = kafka_header,
                                  .context = m};
    struct transformed result;
    transform_apply(c->sampler->transform, plan, &record, false, &result);
    if (result.verdict == TRANSFORM_SKIP && result.skip == SKIP_OTHER_TABLE)
        return false;
    if (result.verdict == TRANSFORM_STOP)
        c->sample.unreadable++;
    else
        note_verdict(&c->sample, &result);
    return true;
}

/* A record of another form. */
static void note_foreign(struct sample *s, const char *why)
{
    if (s->foreign++ == 0)
        snprintf(s->foreign_why, sizeof s->foreign_why, "%.*s", CHECK_WHY_MAX - 1, why);
}

void check_sample_take(struct check *c, const rd_kafka_message_t *m)
{
    struct sample *s = &c->sample;
    struct error err = {0};
    struct wire wire;
    const struct plan *plan = NULL;
    s->records++;
    if (m->payload == NULL) {
        s->tombstones++;
        return;
    }
    const struct wire_input input = {.value = m->payload,
                                     .len = m->len,
                                     .header = kafka_header,
                                     .context = m,
                                     .use_id = (enum wire_use_id)c->config->registry_use_id};
    if (!wire_split(&input, &wire, &err)) {
        note_foreign(s, err.text);
        return;
    }
    enum decoders_answer answer =
        c->sampler->decoders != NULL ? await_plan(c, &wire.schema, &plan) : DECODERS_PENDING;
    if (answer == DECODERS_HAVE && !judge(c, plan, &wire, m))
        return;
    if (s->schema.kind == SCHEMA_REF_NONE || timestamp_of(m) >= s->newest_ms) {
        s->schema = wire.schema;
        s->newest_ms = timestamp_of(m);
    }
    if (c->sampler->decoders == NULL)
        return;
    s->unreadable += answer != DECODERS_HAVE;
    if (answer == DECODERS_STOP)
        plan = lenient_plan(c, &wire.schema);
    if (plan != NULL)
        note_row(c, plan, &wire, m);
}

/* ---- the report ---- */

static void report_foreign(struct check *c)
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
        report_add(c->report, REPORT_WARN, RECORDS, "form", "%s; they are not sent", err.text);
}

static void report_before(struct check *c)
{
    const struct sample *s = &c->sample;
    if (s->updates == 0)
        report_add(c->report, REPORT_NOTE, RECORDS, "before",
                   "no update among them, so REPLICA IDENTITY FULL could not be checked: change a "
                   "row, and check again (an outbox, whose rows are only inserted, needs none)");
    else if (s->updates_without_before > 0)
        report_add(c->report, REPORT_WARN, RECORDS, "before",
                   "%" PRId64 " of %" PRId64
                   " updates have no before image: ALTER TABLE … REPLICA IDENTITY FULL. Until then "
                   "transitions are judged from memory, and after a restart an order may "
                   "be sent again",
                   s->updates_without_before, s->updates);
    else
        report_add(c->report, REPORT_OK, RECORDS, "before",
                   "all %" PRId64 " updates have a before image", s->updates);
}

/* Values of a status are no personal data; those of another column may be. One that is named for
 * its purpose, an enum, or one whose few values come again and again, is a status. */
static bool may_show(const struct sample *s)
{
    bool is_status = column_hint_fits(s->value_column, "status");
    bool few = s->values.others == 0 && s->values.total >= 4 * (int64_t)s->values.used;
    return s->values.total > 0 && s->values.others == 0 && (is_status || few);
}

static void report_values(struct check *c)
{
    const struct sample *s = &c->sample;
    char list[LIST_TEXT];
    if (may_show(s))
        report_add(c->report, REPORT_NOTE, RECORDS, "values", "of column %s: %s", s->value_column,
                   tally_list(&s->values, "\"", list, sizeof list));
    else if (s->values.total > 0)
        report_add(c->report, REPORT_WARN, RECORDS, "values",
                   "column %s holds %s%zu different values in %" PRId64
                   " rows, which are not shown: is it the status? If not, correct rule.column",
                   s->value_column, s->values.others > 0 ? "more than " : "", s->values.used,
                   s->values.total);
}

static void report_parked(struct check *c)
{
    const struct sample *s = &c->sample;
    struct error err = {0};
    char list[LIST_TEXT];
    if (s->rejected == 0)
        return;
    error_set(&err, ERROR_FAILED,
              "%" PRId64 " of %" PRId64 " that would be sent are parked instead: %.200s; see the "
              "fields below, and elementor-sync preview for each record",
              s->rejected, s->rejected + s->delivered,
              tally_list(&s->reject_reasons, "", list, sizeof list));
    if (s->delivered == 0)
        report_fail(c->report, &err, RECORDS, "parked");
    else
        report_add(c->report, REPORT_WARN, RECORDS, "parked", "%s", err.text);
}

static void report_near_misses(struct check *c)
{
    const struct sample *s = &c->sample;
    char list[LIST_TEXT];
    if (s->near_values.total > 0)
        report_add(c->report, REPORT_WARN, RECORDS, "rule",
                   "%" PRId64 " have a %s that differs from \"%s\" only in case, spaces, accents, "
                   "or letters of another script: %s; they would not be sent. Correct the rows, or "
                   "set rule.value to exactly what the shop writes",
                   s->near_values.total, s->value_column, c->config->rule_value,
                   tally_list(&s->near_values, "\"", list, sizeof list));
}

static void report_snapshots(struct check *c)
{
    const struct sample *s = &c->sample;
    char list[LIST_TEXT] = "";
    size_t len = 0;
    for (int64_t i = 0; i < s->snapshots && i < SAMPLE_PLACES; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%" PRId32 ":%" PRId64,
                                i > 0 ? ", " : "", s->snapshot_places[i].partition,
                                s->snapshot_places[i].offset);
    if (s->snapshots > 0)
        report_add(c->report, REPORT_WARN, RECORDS, "snapshot",
                   "%" PRId64 " rows with %s = \"%s\" come from a snapshot and are not sent "
                   "(partition:offset %s%s): check whether those orders were delivered; "
                   "rule.snapshot=deliver would send them",
                   s->snapshots, c->config->rule_column, c->config->rule_value, list,
                   s->snapshots > SAMPLE_PLACES ? ", …" : "");
}

static void report_rule(struct check *c)
{
    const struct sample *s = &c->sample;
    const struct config *config = c->config;
    if (s->triggering > 0)
        report_add(c->report, REPORT_OK, RECORDS, "rule",
                   "%" PRId64 " have %s = \"%s\"; %" PRId64
                   " are transitions to it and would be sent",
                   s->triggering, config->rule_column, config->rule_value, s->delivered);
    else
        report_add(c->report, s->values.total >= ENOUGH_ROWS ? REPORT_WARN : REPORT_NOTE, RECORDS,
                   "rule",
                   "none of them has %s = \"%s\" (rule.column, rule.value): confirm an order, or "
                   "set them to what the shop writes",
                   config->rule_column, config->rule_value);
}

void check_sample_report(struct check *c)
{
    struct sample *s = &c->sample;
    report_add(c->report, REPORT_OK, RECORDS, "newest", "%" PRId64 " looked at", s->records);
    report_foreign(c);
    if (c->sampler->decoders == NULL || s->foreign == s->records - s->tombstones)
        return;
    if (s->unreadable > 0)
        report_add(c->report, REPORT_WARN, RECORDS, "unread",
                   "%" PRId64 " of them cannot be read by run: see schema below", s->unreadable);
    if (s->value_column[0] == '\0')
        snprintf(s->value_column, sizeof s->value_column, "%s", c->config->rule_column);
    if (s->read > 0) {
        report_before(c);
        report_values(c);
        report_near_misses(c);
    }
    if (s->unreadable < s->records - s->tombstones - s->foreign) {
        report_parked(c);
        report_snapshots(c);
        report_rule(c);
    }
}
