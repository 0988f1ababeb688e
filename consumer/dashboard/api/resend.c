/* resend: the original record, from the parked topic or from its source, into the retry topic. */
#include "dashboard/api/api_internal.h"

#include "sys/log.h"

#include <stdlib.h>
#include <string.h>

enum { ACKNOWLEDGE_MS = 10000 };

struct resend {
    struct resend *next, *previous;
    struct dashboard *d;
    struct order_facts facts;
    const char *source; /* "retry", "redrive" */
    char request[RETRY_REQUEST_MAX];
    int64_t asked_ms;
    resend_done *done;
    void *context;
    char key[];
};

static void end(struct resend *r, enum resend_result result)
{
    struct dashboard *d = r->d;
    *(r->previous != NULL ? &r->previous->next : &d->resends) = r->next;
    if (r->next != NULL)
        r->next->previous = r->previous;
    r->done(r->context, result, r->request, r->asked_ms);
    free(r);
}

static void written(void *context, bool acknowledged)
{
    struct resend *r = context;
    struct error err = {0};
    /* the topic will say so too, a moment later */
    if (acknowledged &&
        !view_put_retry(r->d->view, slice_of(r->key), slice_of(r->request), r->asked_ms, &err))
        log_warn("the view could not note a retry", LOG_S("why", err.text));
    end(r, acknowledged ? RESEND_WRITTEN : RESEND_UNAVAILABLE);
}

static void write_record(struct resend *r, struct retry_order *order)
{
    struct error err = {0};
    order->order = slice_of(r->key);
    order->forced = r->facts.state == ORDER_DELIVERED; /* nothing else asks for such a one */
    r->asked_ms = r->d->wall_ms;
    if (!retry_write(r->d->publisher, r->d->config, order, r->source, r->request,
                     r->d->now_ms + ACKNOWLEDGE_MS, written, r, &err))
        end(r, RESEND_UNAVAILABLE);
}

/* The record that the outcome is of: a topic that was made anew has another one there. */
static bool is_same(const struct resend *r, const rd_kafka_message_t *m)
{
    int64_t at_ms = rd_kafka_message_timestamp(m, NULL), known_ms = r->facts.timestamp_ms;
    return at_ms < 0 || known_ms < 0 || at_ms == known_ms;
}

static void consumer_fetched(void *context, enum fetch_result result, const rd_kafka_message_t *m)
{
    struct resend *r = context;
    if (result != FETCH_FOUND || m->payload == NULL || !is_same(r, m)) {
        end(r, result == FETCH_UNAVAILABLE ? RESEND_UNAVAILABLE : RESEND_GONE);
        return;
    }
    rd_kafka_headers_t *headers = NULL;
    (void)rd_kafka_message_headers(m, &headers);
    struct retry_order order = {.topic = r->facts.topic,
                                .partition = r->facts.partition,
                                .offset = r->facts.offset,
                                .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
                                .key = {m->key, m->key_len},
                                .value = {m->payload, m->len},
                                .headers = headers,
                                .judged = strcmp(r->facts.reason, "undecodable") != 0};
    write_record(r, &order);
}

static bool fetch_source(struct resend *r)
{
    return fetch_start(r->d->fetch, r->facts.topic, r->facts.partition, r->facts.offset,
                       consumer_fetched, r);
}

/* The parked topic too may be another one by now. */
static bool is_of(const struct resend *r, const struct retry_order *order)
{
    return strcmp(order->topic, r->facts.topic) == 0 && order->partition == r->facts.partition &&
           order->offset == r->facts.offset;
}

static void parked_fetched(void *context, enum fetch_result result, const rd_kafka_message_t *m)
{
    struct resend *r = context;
    struct retry_order order;
    const char *why;
    if (result == FETCH_FOUND && retry_order_of_parked(m, &order, &why) && order.value.len > 0 &&
        is_of(r, &order))
        write_record(r, &order);
    else if (result == FETCH_UNAVAILABLE ||
             !fetch_source(r)) /* else the source may still have it */
        end(r, RESEND_UNAVAILABLE);
}

bool resend_is_under_way(const struct dashboard *d, const char *key)
{
    for (const struct resend *r = d->resends; r != NULL; r = r->next)
        if (strcmp(r->key, key) == 0)
            return true;
    return false;
}

bool resend_start(struct dashboard *d, const char *key, const struct order_facts *facts,
                  const char *source, resend_done *done, void *context)
{
    size_t key_size = strlen(key) + 1;
    struct resend *r = calloc(1, sizeof *r + key_size);
    if (r == NULL || resend_is_under_way(d, key) || !retry_request_new(r->request)) {
        free(r);
        return false;
    }
    r->d = d;
    r->facts = *facts;
    r->facts.previous = NULL;
    r->source = source;
    r->done = done;
    r->context = context;
    memcpy(r->key, key, key_size);
    bool parked = facts->state == ORDER_PARKED && facts->is_parked_known;
    if (!(parked ? fetch_start(d->fetch, d->config->parked_topic, facts->parked_partition,
                               facts->parked_offset, parked_fetched, r)
                 : fetch_source(r))) {
        free(r);
        return false;
    }
    r->next = d->resends;
    if (r->next != NULL)
        r->next->previous = r;
    d->resends = r;
    return true;
}
