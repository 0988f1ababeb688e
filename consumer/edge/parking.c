#include "edge/parking.h"

#include "edge/clock.h"
#include "edge/kafka_conf.h"
#include "edge/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 1000, TROUBLE_EVERY_MS = 60000, PURGE_MS = 5000, POLL_MS = 100 };

/* One record, kept until it is acknowledged. */
struct put {
    struct put *next; /* while it waits to be produced (again) */
    parking_done *done;
    void *context;
    rd_kafka_headers_t *headers;
    size_t key_len, value_len;
    bool has_key, has_value;
    char bytes[]; /* key, then value */
};

struct parking {
    const struct config *config;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    struct put *waiting, **last;
    int64_t retry_ms; /* when the waiting ones are tried again */
    struct log_trouble trouble;
};

struct parking *parking_new(const struct config *config, int wake_fd, struct error *err)
{
    static const struct kafka_property properties[] = {{"enable.idempotence", "true"},
                                                       {"acks", "all"},
                                                       {"linger.ms", "5"},
                                                       {"message.timeout.ms", "30000"},
                                                       {NULL, NULL}};
    struct parking *p = calloc(1, sizeof *p);
    rd_kafka_conf_t *conf = p != NULL ? kafka_conf_new(config, properties, err) : NULL;
    if (conf == NULL) {
        error_set(err, ERROR_NO_MEMORY, "no memory for a producer");
        free(p);
        return NULL;
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    p->config = config;
    p->last = &p->waiting;
    p->rk = kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
    if (p->rk == NULL) {
        free(p);
        return NULL;
    }
    static const uint64_t one = 1;
    p->queue = rd_kafka_queue_get_main(p->rk);
    rd_kafka_queue_io_event_enable(p->queue, wake_fd, &one, sizeof one);
    return p;
}

static void put_free(struct put *put)
{
    if (put->headers != NULL)
        rd_kafka_headers_destroy(put->headers);
    free(put);
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    rd_kafka_header_add(headers, name, -1, text, -1);
}

/* The original headers and ours behind them. */
static rd_kafka_headers_t *headers_of(const struct parked_record *record)
{
    rd_kafka_headers_t *h =
        record->headers != NULL ? rd_kafka_headers_copy(record->headers) : rd_kafka_headers_new(8);
    rd_kafka_header_add(h, "elementor-sync.reason", -1, record->reason, -1);
    if (*record->detail != '\0')
        rd_kafka_header_add(h, "elementor-sync.detail", -1, record->detail, -1);
    rd_kafka_header_add(h, "elementor-sync.topic", -1, record->topic, -1);
    add_number(h, "elementor-sync.partition", record->partition);
    add_number(h, "elementor-sync.offset", record->offset);
    if (record->timestamp_ms >= 0)
        add_number(h, "elementor-sync.timestamp", record->timestamp_ms);
    return h;
}

static void wait_in_line(struct parking *p, struct put *put)
{
    put->next = NULL;
    *p->last = put;
    p->last = &put->next;
}

static void say_trouble(struct parking *p, rd_kafka_resp_err_t code)
{
    bool missing =
        code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    const struct log_field fields[] = {
        LOG_S("topic", p->config->parked_topic),
        LOG_S("why", rd_kafka_err2str(code)),
        LOG_S("do", missing ? "create the topic, as many partitions as kafka.topic has, or correct "
                              "parked.topic"
                            : "nothing: it is tried again"),
        {0}};
    log_trouble(&p->trouble, clock_mono_ms(), TROUBLE_EVERY_MS,
                "records cannot be parked; their partitions wait", fields);
}

/* Hands it to librdkafka; it comes back as a delivery report. */
static rd_kafka_resp_err_t produce(struct parking *p, struct put *put)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_copy(put->headers);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        p->rk, RD_KAFKA_V_TOPIC(p->config->parked_topic),
        RD_KAFKA_V_KEY(put->has_key ? put->bytes : NULL, put->key_len),
        RD_KAFKA_V_VALUE(put->has_value ? put->bytes + put->key_len : NULL, put->value_len),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(put), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_headers_destroy(headers);
    return code;
}

/* A record too large for the topic is parked as headers and coordinates: the source still has it.
 */
static void drop_value(struct put *put)
{
    put->has_value = false;
    put->value_len = 0;
    rd_kafka_header_add(put->headers, "elementor-sync.dropped-value", -1, "true", -1);
}

static void failed(struct parking *p, struct put *put, rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && put->has_value)
        drop_value(put);
    else
        say_trouble(p, code);
    if (p->waiting == NULL)
        p->retry_ms = clock_mono_ms() + (put->has_value ? RETRY_MS : 0);
    wait_in_line(p, put);
}

bool parking_put(struct parking *p, const struct parked_record *r, parking_done *done,
                 void *context, struct error *err)
{
    struct put *put = calloc(1, sizeof *put + r->key_len + r->value_len);
    if (put == NULL)
        return error_set(err, ERROR_NO_MEMORY, "no memory to park a record");
    put->done = done;
    put->context = context;
    put->has_key = r->key != NULL;
    put->has_value = r->value != NULL;
    put->key_len = put->has_key ? r->key_len : 0;
    put->value_len = put->has_value ? r->value_len : 0;
    if (put->key_len > 0)
        memcpy(put->bytes, r->key, put->key_len);
    if (put->value_len > 0)
        memcpy(put->bytes + put->key_len, r->value, put->value_len);
    put->headers = headers_of(r);
    rd_kafka_resp_err_t code = produce(p, put);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        failed(p, put, code);
    return true;
}

static void report(struct parking *p, const rd_kafka_message_t *m)
{
    struct put *put = m->_private;
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        failed(p, put, m->err);
        return;
    }
    log_trouble_over(&p->trouble, "records can be parked again", (const struct log_field[]){{0}});
    put->done(put->context, true);
    put_free(put);
}

static void serve(struct parking *p)
{
    for (rd_kafka_event_t *e; (e = rd_kafka_queue_poll(p->queue, 0)) != NULL;) {
        for (const rd_kafka_message_t *m; (m = rd_kafka_event_message_next(e)) != NULL;)
            report(p, m);
        rd_kafka_event_destroy(e);
    }
}

/* Tries the whole line once; what fails stands in it again. */
static void produce_waiting(struct parking *p)
{
    struct put *put = p->waiting;
    p->waiting = NULL;
    p->last = &p->waiting;
    while (put != NULL) {
        struct put *next = put->next;
        rd_kafka_resp_err_t code = produce(p, put);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            failed(p, put, code);
        put = next;
    }
}

int64_t parking_turn(struct parking *p, int64_t now_ms)
{
    serve(p);
    if (p->waiting != NULL && now_ms >= p->retry_ms)
        produce_waiting(p);
    if (p->waiting == NULL)
        return -1;
    return p->retry_ms > now_ms ? p->retry_ms - now_ms : 0;
}

static void end_unacknowledged(struct put *put)
{
    put->done(put->context, false);
    put_free(put);
}

/* Purged records come back as delivery reports, which only this thread serves. */
static void abandon(struct parking *p)
{
    int64_t deadline = clock_mono_ms() + PURGE_MS;
    rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(p->rk) > 0 && clock_mono_ms() < deadline) {
        rd_kafka_event_t *e = rd_kafka_queue_poll(p->queue, POLL_MS);
        if (e == NULL)
            continue;
        for (const rd_kafka_message_t *m; (m = rd_kafka_event_message_next(e)) != NULL;)
            end_unacknowledged(m->_private);
        rd_kafka_event_destroy(e);
    }
    for (struct put *put = p->waiting, *next; put != NULL; put = next) {
        next = put->next;
        end_unacknowledged(put);
    }
}

void parking_free(struct parking *p)
{
    if (p == NULL)
        return;
    abandon(p);
    rd_kafka_queue_destroy(p->queue);
    rd_kafka_destroy(p->rk);
    free(p);
}
