#include "kafka/producer/publisher.h"

#include "kafka/own_headers.h"
#include "kafka/producer/producer.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { RENEW_MS = 20, RETRY_MS = 1000, TROUBLE_EVERY_MS = 60000, PURGE_MS = 5000, POLL_MS = 100 };
enum { RENEWALS_MAX = 5 };

/* One record, kept until it is acknowledged. */
struct put {
    STAILQ_ENTRY(put) waits; /* while it waits to be produced (again) */
    TAILQ_ENTRY(put) due;    /* while it has a deadline */
    int64_t deadline_ms;     /* -1: none, or over: its caller waits no more */
    publisher_done *done;    /* NULL: its caller does not wait for it */
    void *context;
    const char *topic; /* behind the bytes */
    int32_t partition;
    rd_kafka_headers_t *headers;
    size_t key_len, value_len;
    bool has_key, has_value, value_optional;
    unsigned kept; /* enum kept: how many of its headers are left */
    char bytes[];  /* key, value, topic */
};

STAILQ_HEAD(put_line, put);

struct publisher {
    struct producer producer;
    int renewals;    /* producers in a row that ended before anything was acknowledged */
    char fatal[256]; /* why the last of them did */
    bool renewing;   /* its producer cannot go on: until another one is there, records wait */
    struct put_line waiting;
    int64_t retry_ms;      /* when the waiting ones are tried again */
    TAILQ_HEAD(, put) due; /* by deadline */
    struct log_limited trouble;
};

struct publisher *publisher_new(const struct config *config, int wake_fd, struct error *err)
{
    struct publisher *p = calloc(1, sizeof *p);
    if (p == NULL) {
        error_no_memory(err);
        return NULL;
    }
    STAILQ_INIT(&p->waiting);
    TAILQ_INIT(&p->due);
    if (producer_open(&p->producer, config, wake_fd, err))
        return p;
    free(p);
    return NULL;
}

static void put_free(struct put *put)
{
    if (put->headers != NULL)
        rd_kafka_headers_destroy(put->headers);
    free(put);
}

static void wait_in_line(struct publisher *p, struct put *put)
{
    STAILQ_INSERT_TAIL(&p->waiting, put, waits);
}

static void log_trouble(struct publisher *p, const struct put *put, rd_kafka_resp_err_t code)
{
    bool missing =
        code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    const struct log_field fields[] = {
        LOG_S("topic", put->topic),
        LOG_S("error", rd_kafka_err2str(code)),
        LOG_S("hint", missing ? "create the topic, or set topics.create=true"
                              : "nothing: it is tried again"),
        {0}};
    log_limited(&p->trouble, clock_mono_ms(), TROUBLE_EVERY_MS, "publishing failed", fields);
}

/* Without headers, by a topic that is known: what nearly every record is, and what costs least. */
static rd_kafka_resp_err_t produce_plain(rd_kafka_topic_t *topic, struct put *put)
{
    void *key = put->has_key ? put->bytes : NULL;
    void *value = put->has_value ? put->bytes + put->key_len : NULL;
    int failed = rd_kafka_produce(topic, put->partition, RD_KAFKA_MSG_F_COPY, value, put->value_len,
                                  key, put->key_len, put);
    return failed ? rd_kafka_last_error() : RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Hands it to librdkafka; it comes back as a delivery report. */
static rd_kafka_resp_err_t produce(struct publisher *p, struct put *put)
{
    rd_kafka_topic_t *known =
        put->headers == NULL ? producer_topic(&p->producer, put->topic) : NULL;
    if (known != NULL)
        return produce_plain(known, put);
    rd_kafka_headers_t *headers =
        put->headers != NULL ? rd_kafka_headers_copy(put->headers) : rd_kafka_headers_new(0);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        p->producer.rk, RD_KAFKA_V_TOPIC(put->topic), RD_KAFKA_V_PARTITION(put->partition),
        RD_KAFKA_V_KEY(put->has_key ? put->bytes : NULL, put->key_len),
        RD_KAFKA_V_VALUE(put->has_value ? put->bytes + put->key_len : NULL, put->value_len),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(put), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_headers_destroy(headers);
    return code;
}

/* A record too large for the topic is published without its value: its source still has it. */
static void drop_value(struct put *put)
{
    put->has_value = false;
    put->value_len = 0;
    if (put->headers == NULL)
        put->headers = rd_kafka_headers_new(1);
    own_header_add(put->headers, OWN_DROPPED_VALUE, slice_of("true"));
}

enum kept { KEPT_ALL, KEPT_OURS, KEPT_SHORT, KEPT_PLACE };

/* A long header is left out, not cut: half an order's id is another order's.
 */
static bool stays(const char *name, size_t size, enum kept kept)
{
    enum { SHORT_MAX = 128 };
    if (!own_header_is(name))
        return false;
    if (kept == KEPT_OURS)
        return true;
    switch (own_header_of(name)) {
    case OWN_TOPIC:
    case OWN_PARTITION:
    case OWN_OFFSET:
    case OWN_REASON:
    case OWN_DROPPED_VALUE:
    case OWN_TIMESTAMP: return true;
    default: return kept == KEPT_SHORT && size <= SHORT_MAX;
    }
}

/* Not even then: its key goes, and all headers but our own, which say where it lies; then those of
 * our own that are long (what the endpoint answered, say); then all but its place and reason. */
static void drop_headers(struct put *put)
{
    rd_kafka_headers_t *kept = rd_kafka_headers_new(16);
    const char *name;
    const void *value;
    size_t size;
    for (size_t i = 0; rd_kafka_header_get_all(put->headers, i, &name, &value, &size) ==
                       RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        if (stays(name, size, put->kept + 1))
            rd_kafka_header_add(kept, name, -1, value, (ssize_t)size);
    rd_kafka_headers_destroy(put->headers);
    put->headers = kept;
    put->has_key = false;
    put->key_len = 0;
    put->kept++;
}

/* Makes a record that is too large smaller; false: there is nothing left to take away. */
static bool shrink(struct put *put)
{
    if (!put->value_optional || put->kept == KEPT_PLACE)
        return false;
    if (put->has_value)
        drop_value(put);
    else
        drop_headers(put);
    return true;
}

/* ---- deadlines: all of one option's length, so the list is in order as it is ---- */

static void watch_deadline(struct publisher *p, struct put *put)
{
    if (put->deadline_ms >= 0)
        TAILQ_INSERT_TAIL(&p->due, put, due);
}

static void forget_deadline(struct publisher *p, struct put *put)
{
    if (put->deadline_ms < 0)
        return;
    TAILQ_REMOVE(&p->due, put, due);
    put->deadline_ms = -1;
}

static void tell(struct put *put, bool acknowledged)
{
    publisher_done *done = put->done;
    put->done = NULL;
    if (done != NULL)
        done(put->context, acknowledged);
}

/* The caller goes on without it; librdkafka may still deliver it. */
static void serve_deadlines(struct publisher *p, int64_t now_ms)
{
    for (struct put *put; (put = TAILQ_FIRST(&p->due)) != NULL && put->deadline_ms <= now_ms;) {
        forget_deadline(p, put);
        tell(put, false);
    }
}

/* ---- the way out and back ---- */

static void failed(struct publisher *p, struct put *put, rd_kafka_resp_err_t code)
{
    if (put->done == NULL) { /* no caller waits: a newer record may have been written since */
        forget_deadline(p, put);
        put_free(put);
        return;
    }
    bool smaller = code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && shrink(put);
    if (!smaller)
        log_trouble(p, put, code);
    if (STAILQ_EMPTY(&p->waiting))
        p->retry_ms = clock_mono_ms() + (smaller ? 0 : RETRY_MS);
    wait_in_line(p, put);
}

static struct put *put_new(const struct publication *from)
{
    size_t topic_size = strlen(from->topic) + 1;
    size_t key_len = from->key != NULL ? from->key_len : 0;
    size_t value_len = from->value != NULL ? from->value_len : 0;
    struct put *put = malloc(sizeof *put + key_len + value_len + topic_size);
    if (put == NULL)
        return NULL;
    memset(put, 0, sizeof *put);
    put->has_key = from->key != NULL;
    put->has_value = from->value != NULL;
    put->key_len = key_len;
    put->value_len = value_len;
    put->value_optional = from->value_optional;
    put->partition = from->partition;
    put->deadline_ms = from->deadline_ms;
    put->headers = from->headers;
    if (key_len > 0)
        memcpy(put->bytes, from->key, key_len);
    if (value_len > 0)
        memcpy(put->bytes + key_len, from->value, value_len);
    put->topic = memcpy(put->bytes + key_len + value_len, from->topic, topic_size);
    return put;
}

bool publisher_put(struct publisher *p, const struct publication *publication, publisher_done *done,
                   void *context, struct error *err)
{
    struct put *put = put_new(publication);
    if (put == NULL) {
        if (publication->headers != NULL)
            rd_kafka_headers_destroy(publication->headers);
        return error_no_memory(err);
    }
    put->done = done;
    put->context = context;
    watch_deadline(p, put);
    if (p->renewing) {
        wait_in_line(p, put);
        return true;
    }
    rd_kafka_resp_err_t code = produce(p, put);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        failed(p, put, code);
    return true;
}

static void report(struct publisher *p, const rd_kafka_message_t *m)
{
    struct put *put = m->_private;
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        failed(p, put, m->err);
        return;
    }
    p->renewals = 0;
    log_recovered(&p->trouble, "publishing succeeds again", (const struct log_field[]){{0}});
    forget_deadline(p, put);
    tell(put, true);
    put_free(put);
}

static void serve_event(struct publisher *p, rd_kafka_event_t *e)
{
    if (e == NULL)
        return;
    for (const rd_kafka_message_t *m; (m = rd_kafka_event_message_next(e)) != NULL;)
        report(p, m);
    rd_kafka_event_destroy(e);
}

static void serve(struct publisher *p)
{
    for (rd_kafka_event_t *e; (e = rd_kafka_queue_poll(p->producer.queue, 0)) != NULL;)
        serve_event(p, e);
}

/* Tries the whole line once; what fails stands in it again. */
static void produce_waiting(struct publisher *p)
{
    struct put_line line = STAILQ_HEAD_INITIALIZER(line);
    STAILQ_CONCAT(&line, &p->waiting);
    for (struct put *put; (put = STAILQ_FIRST(&line)) != NULL;) {
        STAILQ_REMOVE_HEAD(&line, waits);
        rd_kafka_resp_err_t code =
            put->done != NULL ? produce(p, put) : RD_KAFKA_RESP_ERR__PURGE_QUEUE;
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            failed(p, put, code);
    }
}

/* A producer whose sequence of records is broken writes nothing any more (librdkafka's fatal
 * errors: a leader died at the wrong moment). Once it has given back what it held, another one
 * takes that over; what had been written all the same is then there twice. */
static void renew(struct publisher *p, int64_t now_ms)
{
    char why[sizeof p->fatal];
    if (!p->renewing && rd_kafka_fatal_error(p->producer.rk, why, sizeof why)) {
        p->renewing = true;
        p->renewals++;
        memcpy(p->fatal, why, sizeof p->fatal);
        log_warn("producer replaced", LOG_S("error", why));
        rd_kafka_purge(p->producer.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                           RD_KAFKA_PURGE_F_NON_BLOCKING);
    }
    if (!p->renewing || rd_kafka_outq_len(p->producer.rk) > 0 || !producer_replace(&p->producer))
        return;
    p->renewing = false;
    p->retry_ms = now_ms;
}

bool publisher_is_lost(const struct publisher *p, struct error *err)
{
    return p->renewals > RENEWALS_MAX &&
           !error_set(err, ERROR_FAILED, "librdkafka's producer cannot go on: %s", p->fatal);
}

int64_t publisher_turn(struct publisher *p, int64_t now_ms)
{
    serve(p);
    serve_deadlines(p, now_ms);
    renew(p, now_ms);
    if (!STAILQ_EMPTY(&p->waiting) && now_ms >= p->retry_ms && !p->renewing)
        produce_waiting(p);
    const struct put *first = TAILQ_FIRST(&p->due);
    int64_t due_ms = first != NULL ? first->deadline_ms : -1;
    if (p->renewing && (due_ms < 0 || now_ms + RENEW_MS < due_ms))
        due_ms = now_ms + RENEW_MS;
    else if (!STAILQ_EMPTY(&p->waiting) && (due_ms < 0 || p->retry_ms < due_ms))
        due_ms = p->retry_ms;
    if (due_ms < 0)
        return -1;
    return due_ms > now_ms ? due_ms - now_ms : 0;
}

void publisher_know(struct publisher *p, const char *topic, int64_t timeout_ms)
{
    producer_know(&p->producer, topic, timeout_ms);
}

void publisher_flush(struct publisher *p, int64_t timeout_ms)
{
    int64_t deadline = clock_mono_ms() + timeout_ms;
    while (rd_kafka_outq_len(p->producer.rk) > 0 && clock_mono_ms() < deadline) {
        rd_kafka_event_t *e = rd_kafka_queue_poll(p->producer.queue, POLL_MS);
        serve_event(p, e);
    }
}

rd_kafka_t *publisher_client(struct publisher *p)
{
    return producer_lend(&p->producer);
}

static void end_unacknowledged(struct publisher *p, struct put *put)
{
    forget_deadline(p, put);
    tell(put, false);
    put_free(put);
}

/* Purged records come back as delivery reports, which only this thread serves. */
static void abandon(struct publisher *p)
{
    int64_t deadline = clock_mono_ms() + PURGE_MS;
    rd_kafka_purge(p->producer.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(p->producer.rk) > 0 && clock_mono_ms() < deadline) {
        rd_kafka_event_t *e = rd_kafka_queue_poll(p->producer.queue, POLL_MS);
        if (e == NULL)
            continue;
        for (const rd_kafka_message_t *m; (m = rd_kafka_event_message_next(e)) != NULL;)
            end_unacknowledged(p, m->_private);
        rd_kafka_event_destroy(e);
    }
    for (struct put *put; (put = STAILQ_FIRST(&p->waiting)) != NULL;) {
        STAILQ_REMOVE_HEAD(&p->waiting, waits);
        end_unacknowledged(p, put);
    }
}

void publisher_free(struct publisher *p)
{
    if (p == NULL)
        return;
    abandon(p);
    producer_close(&p->producer);
    free(p);
}
