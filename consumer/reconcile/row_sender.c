#include "reconcile/row_sender.h"

#include "base/printable.h"
#include "delivery/row_offset.h"
#include "kafka/group/group_admin.h"
#include "kafka/message.h"
#include "kafka/reader.h"
#include "operator/evaluator.h"
#include "operator/resender.h"
#include "reconcile/row_place.h"
#include "reconcile/row_record.h"
#include "sys/signals.h"

#include <stdlib.h>
#include <string.h>

enum { LAST_RECORDS = 50, RECORD_MAX = 8 * 1024 * 1024, KEY_MAX = 2048, LACKING_MAX = 300 };

struct row_sender {
    const struct config *config;
    int stop_fd;
    struct evaluator *evaluator;
    struct row_record *record;   /* by the newest schema; NULL: none was found yet */
    struct buf lead;             /* what names that schema in front of the Avro */
    rd_kafka_headers_t *headers; /* or beside it; NULL: nothing does */
    int64_t newest_ms;
    struct row_place place;
    struct resender *resender;
    struct buf value, key;
};

/* ---- the newest record ---- */

static bool take_schema(struct row_sender *s, const rd_kafka_message_t *m)
{
    struct evaluator_schema schema;
    struct error ignored = {0};
    if (!evaluator_schema(s->evaluator, m, &schema))
        return false;
    struct row_record *record = row_record_new(s->config, schema.text, &ignored);
    if (record == NULL) /* a heartbeat's, say */
        return false;
    row_record_free(s->record);
    s->record = record;
    buf_reset(&s->lead);
    buf_add(&s->lead, schema.lead.data, schema.lead.len);
    if (s->headers != NULL)
        rd_kafka_headers_destroy(s->headers);
    s->headers = NULL;
    if (schema.header != NULL) {
        struct slice value = kafka_header(m, schema.header);
        s->headers = rd_kafka_headers_new(1);
        rd_kafka_header_add(s->headers, schema.header, -1, value.data, (ssize_t)value.len);
    }
    return true;
}

static bool note_record(void *context, const rd_kafka_message_t *m,
                        const struct evaluator_verdict *verdict, struct error *err)
{
    struct row_sender *s = context;
    int64_t ms = rd_kafka_message_timestamp(m, NULL);
    (void)err;
    if (m->payload == NULL || verdict->why == NULL || strcmp(verdict->why, "undecodable") == 0)
        return true;
    if ((s->record == NULL || ms >= s->newest_ms) && take_schema(s, m))
        s->newest_ms = ms;
    if (verdict->verdict == TRANSFORM_DELIVER)
        row_place_learn(&s->place, (struct slice){m->key, m->key_len}, m->partition);
    return true;
}

static bool read_newest(struct row_sender *s, const struct group_topic *topic, struct error *err)
{
    int64_t *starts = calloc(topic->count + 1, sizeof *starts),
            *ends = calloc(topic->count + 1, sizeof *ends);
    struct reader *reader = NULL;
    for (size_t i = 0; starts != NULL && ends != NULL && i < topic->count; i++) {
        const struct group_partition *p = &topic->partitions[i];
        starts[i] = p->high - LAST_RECORDS > p->low ? p->high - LAST_RECORDS : p->low;
        ends[i] = p->high;
    }
    s->place.partitions = (int32_t)topic->count;
    if (starts == NULL || ends == NULL)
        error_no_memory(err);
    else
        reader = reader_between(s->config, starts, ends, topic->count, err);
    bool ok = reader != NULL && evaluator_read(s->evaluator, reader, false, note_record, s, err);
    reader_free(reader);
    free(starts);
    free(ends);
    return ok;
}

static bool learn(struct row_sender *s, struct error *err)
{
    struct group_topic topic = {0};
    struct group *group = group_new(s->config, err);
    bool ok = group != NULL && group_look(group, s->config->kafka_topic, &topic, err) &&
              read_newest(s, &topic, err) &&
              (s->record != NULL ||
               error_set(err, ERROR_FAILED,
                         "none of the newest records of topic \"%s\" is an order's: the types of "
                         "the columns are not known",
                         s->config->kafka_topic));
    group_topic_done(&topic);
    group_free(group);
    return ok;
}

struct row_sender *row_sender_new(const struct config *config, int stop_fd, struct error *err)
{
    struct row_sender *s = calloc(1, sizeof *s);
    if (s == NULL) {
        error_no_memory(err);
        return NULL;
    }
    s->config = config;
    s->stop_fd = stop_fd;
    buf_init(&s->lead, KEY_MAX);
    buf_init(&s->value, RECORD_MAX);
    buf_init(&s->key, KEY_MAX);
    s->evaluator = evaluator_new(config, stop_fd, err);
    s->resender = s->evaluator != NULL ? resender_new(config, err) : NULL;
    if (s->resender != NULL && learn(s, err))
        return s;
    row_sender_free(s);
    return NULL;
}

void row_sender_free(struct row_sender *s)
{
    if (s == NULL)
        return;
    resender_free(s->resender);
    evaluator_free(s->evaluator);
    row_record_free(s->record);
    if (s->headers != NULL)
        rd_kafka_headers_destroy(s->headers);
    buf_done(&s->lead);
    buf_done(&s->value);
    buf_done(&s->key);
    free(s);
}

/* ---- rows ---- */

/* Into s->value; false with why where it cannot be sent. */
static bool make_record(struct row_sender *s, const struct order_row *row, struct error *why)
{
    char names[LACKING_MAX];
    if (row->confirmed_ms == NO_TIME)
        return error_set(why, ERROR_CONFIG,
                         "its confirmed_at is null, and its webhook-id would be made of it");
    if (*row_record_lacks(s->record, row->values, names, sizeof names) != '\0')
        return error_set(why, ERROR_CONFIG, "the table lacks %s: add them to the SELECT", names);
    buf_reset(&s->value);
    buf_add(&s->value, s->lead.data, s->lead.len);
    return row_record_write(s->record, row->values, row->confirmed_ms, &s->value, why);
}

struct walk {
    struct row_sender *sender;
    int64_t *count;
    struct error *why;
    row_sent *sent; /* NULL: only counted */
    void *context;
};

static bool ask(struct walk *w, const struct order_row *row, struct error *err)
{
    struct row_sender *s = w->sender;
    char request[RETRY_REQUEST_MAX];
    buf_reset(&s->key);
    int32_t partition = row_place_of(&s->place, row->id, &s->key);
    const struct retry_record record = {.topic = s->config->kafka_topic,
                                        .partition = partition,
                                        .offset = row_offset(row->id, row->confirmed_ms),
                                        .timestamp_ms = row->confirmed_ms,
                                        .order = row->id,
                                        .judged = true,
                                        .key = {s->key.data, s->key.len},
                                        .value = {s->value.data, s->value.len},
                                        .headers = s->headers};
    const struct resend_ask resend = {.source = "retry", .request = request};
    if (!signals_go_on(s->stop_fd, err) || !retry_request_new(request, err) ||
        !resender_record(s->resender, &record, &resend, err))
        return false;
    w->sent(w->context, row, request);
    return true;
}

static bool visit(void *context, const struct order_row *row, enum row_state state,
                  struct error *err)
{
    struct walk *w = context;
    struct error why = {0};
    char id[80], shown[80];
    (void)state;
    if (!make_record(w->sender, row, &why)) {
        snprintf(id, sizeof id, "%.*s", (int)row->id.len, row->id.data);
        error_set(w->why, ERROR_CONFIG, "order %s: %s", printable(id, shown, sizeof shown),
                  why.text);
        return true;
    }
    if (w->sent != NULL && !ask(w, row, err))
        return false;
    (*w->count)++;
    return true;
}

bool row_sender_count(struct row_sender *s, struct comparison *comparison, int64_t *ret_count,
                      struct error *ret_why, struct error *err)
{
    struct walk walk = {.sender = s, .count = ret_count, .why = ret_why};
    *ret_count = 0;
    return comparison_each_without_source(comparison, visit, &walk, err);
}

bool row_sender_send(struct row_sender *s, struct comparison *comparison, row_sent *sent,
                     void *context, int64_t *ret_count, struct error *err)
{
    struct error ignored = {0};
    struct walk walk = {
        .sender = s, .count = ret_count, .why = &ignored, .sent = sent, .context = context};
    *ret_count = 0;
    return comparison_each_without_source(comparison, visit, &walk, err);
}
