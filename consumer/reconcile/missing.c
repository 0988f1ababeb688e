#include "reconcile/missing.h"

#include "base/time_text.h"
#include "kafka/reader.h"
#include "operator/evaluator.h"
#include "operator/resender.h"

#include <poll.h>

enum { POLL_MS = 200, EARLIER_MS = 3600 * 1000 };

/* Records carry the time at which the connector wrote them, which may be another clock's. */
static const char *from_of(const struct comparison *comparison, char text[TIMESTAMP_TEXT])
{
    int64_t oldest_ms = comparison_oldest_missing_ms(comparison);
    bool known = oldest_ms != NO_TIME && oldest_ms > EARLIER_MS &&
                 *timestamp_text(oldest_ms - EARLIER_MS, text) != '\0';
    return known ? text : "beginning";
}

static bool note_record(void *context, const rd_kafka_message_t *m,
                        const struct evaluator_verdict *verdict, struct error *err)
{
    const struct row_source source = {m->partition, m->offset};
    int64_t ms = NO_TIME;
    if (verdict->why == NULL || verdict->verdict != TRANSFORM_DELIVER)
        return true;
    if (verdict->confirmed_at.len > 0)
        (void)!timestamp_read_ms(verdict->confirmed_at.data, verdict->confirmed_at.len, &ms);
    return comparison_note_source(context, verdict->order_id, ms, &source, err);
}

bool missing_find(const struct config *config, struct comparison *comparison, int stop_fd,
                  int64_t *ret_count, struct error *err)
{
    char from[TIMESTAMP_TEXT];
    struct evaluator *evaluator = evaluator_new(config, stop_fd, err);
    struct reader *reader =
        evaluator != NULL ? reader_new(config, from_of(comparison, from), true, err) : NULL;
    bool ok =
        reader != NULL && evaluator_read(evaluator, reader, true, note_record, comparison, err);
    reader_free(reader);
    evaluator_free(evaluator);
    *ret_count = ok ? comparison_sources(comparison, err) : -1;
    return *ret_count >= 0;
}

struct sending {
    struct comparison *comparison;
    struct resender *resender;
    missing_sent *sent;
    void *context;
    int stop_fd;
    int64_t *count;
};

/* Also while it reads: that may take for ever when the brokers are gone. */
static bool may_go_on(const struct sending *s, struct error *err)
{
    struct pollfd fd = {.fd = s->stop_fd, .events = POLLIN};
    return poll(&fd, 1, 0) <= 0 ||
           error_set(err, ERROR_FAILED, "stopped after %lld; the others are still missing",
                     (long long)*s->count);
}

static bool send_record(struct sending *s, const rd_kafka_message_t *m, struct error *err)
{
    char request[RETRY_REQUEST_MAX];
    const struct row_source source = {m->partition, m->offset};
    struct slice order = comparison_source_of(s->comparison, &source);
    if (order.len == 0)
        return true;
    const struct resend_ask ask = {.source = "retry", .request = request, .judged = true};
    if (!retry_request_new(request, err) || !resender_original(s->resender, m, order, &ask, err))
        return false;
    (*s->count)++;
    s->sent(s->context, m, request);
    return true;
}

bool missing_send(const struct config *config, struct comparison *comparison, int stop_fd,
                  missing_sent *sent, void *context, int64_t *ret_count, struct error *err)
{
    char from[TIMESTAMP_TEXT];
    rd_kafka_message_t *m;
    struct sending s = {.comparison = comparison,
                        .resender = resender_new(config, err),
                        .sent = sent,
                        .context = context,
                        .stop_fd = stop_fd,
                        .count = ret_count};
    *ret_count = 0;
    struct reader *reader =
        s.resender != NULL ? reader_new(config, from_of(comparison, from), true, err) : NULL;
    bool ok = reader != NULL;
    while (ok && !reader_at_end(reader) && (ok = may_go_on(&s, err)))
        if ((m = reader_next(reader, POLL_MS)) != NULL) {
            ok = send_record(&s, m, err);
            rd_kafka_message_destroy(m);
        }
    reader_free(reader);
    resender_free(s.resender);
    return ok;
}
