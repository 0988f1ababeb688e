/* pipeline_send: deliveries on their way out: attempts, retries, parking; and settling them. */
#include "pipeline_internal.h"

#include <stdlib.h>

/* What a completion needs to find its way back; one of p->attempts while it is under way. */
struct attempt {
    struct pipeline *p;
    struct delivery *d;
    struct attempt *previous, *next;
};

static struct attempt *attempt_begin(struct pipeline *p, struct delivery *d)
{
    struct attempt *a = malloc(sizeof *a);
    if (a == NULL)
        return NULL;
    *a = (struct attempt){p, d, NULL, p->attempts};
    if (a->next != NULL)
        a->next->previous = a;
    p->attempts = a;
    return a;
}

static void attempt_end(struct attempt *a)
{
    if (a == NULL)
        return;
    if (a->previous != NULL)
        a->previous->next = a->next;
    else
        a->p->attempts = a->next;
    if (a->next != NULL)
        a->next->previous = a->previous;
    free(a);
}

void drop_attempts(struct pipeline *p)
{
    for (struct attempt *a = p->attempts, *next; a != NULL; a = next) {
        next = a->next;
        free(a->d);
        free(a);
    }
    p->attempts = NULL;
}

struct partition *partition_of(struct pipeline *p, int32_t number, uint64_t epoch)
{
    struct partition *partition =
        (size_t)number < p->partition_count ? p->partitions[number] : NULL;
    bool current =
        partition != NULL && partition->epoch == epoch && partition->state != PARTITION_NONE;
    return current ? partition : NULL;
}

static void release_memory(struct pipeline *p, size_t size)
{
    p->held_records--;
    p->held_bytes -= size;
}

/* The window learns of it only if the partition is still the one that the record was read from. */
static void settle(struct pipeline *p, int32_t number, uint64_t epoch, uint64_t ticket)
{
    struct partition *partition = partition_of(p, number, epoch);
    if (partition == NULL)
        return;
    partition->busy--;
    window_settle(&partition->window, ticket);
}

static void finish(struct pipeline *p, struct delivery *d)
{
    lane_finish(p->lanes, d);
    release_memory(p, d->size);
    free(d);
}

static uint32_t random_next(struct pipeline *p)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(p->random >> 32);
}

static void say_failure(struct pipeline *p, const struct delivery *d,
                        const struct http_result *result)
{
    const struct log_field fields[] = {
        LOG_S("endpoint", webhook_name(p->webhook)),
        LOG_I("status", result->status),
        LOG_S("why", result->status != 0 ? "the endpoint refused" : result->failure),
        LOG_I("attempt", d->attempts),
        LOG_I("partition", d->partition),
        LOG_I("offset", d->offset),
        {0}};
    log_trouble(&p->webhook_trouble, p->now_ms, 60000, "delivery failed; it will be tried again",
                fields);
}

static void try_again(struct pipeline *p, struct delivery *d, int64_t delay_ms)
{
    struct partition *partition = partition_of(p, d->partition, d->epoch);
    if (partition == NULL || partition->state == PARTITION_REVOKING) {
        /* Not ours any more, or about to be given back: whoever reads it next sends it. */
        if (partition != NULL)
            partition->busy--;
        p->totals.abandoned++;
        finish(p, d);
        return;
    }
    partition->busy--;
    lane_rest(p->lanes, d, p->now_ms + delay_ms);
}

static void delivered(struct pipeline *p, struct delivery *d)
{
    const struct log_field over[] = {LOG_S("endpoint", webhook_name(p->webhook)), {0}};
    log_trouble_over(&p->webhook_trouble, "deliveries succeed again", over);
    log_debug("delivered", LOG_S("id", d->id), LOG_I("partition", d->partition),
              LOG_I("offset", d->offset), LOG_I("attempt", d->attempts));
    p->totals.delivered++;
    settle(p, d->partition, d->epoch, d->ticket);
    finish(p, d);
}

static void attempt_done(void *context, const struct http_result *result)
{
    const struct attempt a = *(struct attempt *)context;
    attempt_end(context);
    a.p->in_flight--;
    const struct retry_options options = {a.p->config->retry_base, a.p->config->retry_cap};
    const struct retry_outcome outcome = {result->status};
    int64_t delay_ms;
    if (retry_decide(&options, &outcome, a.d->attempts, random_next(a.p), &delay_ms) ==
        RETRY_DONE) {
        delivered(a.p, a.d);
    } else {
        a.p->totals.failures++;
        say_failure(a.p, a.d, result);
        try_again(a.p, a.d, delay_ms);
    }
}

/* An attempt that could not even be started: no memory. It is tried again like any other. */
static void attempt_failed(struct pipeline *p, struct delivery *d, struct attempt *a)
{
    attempt_end(a);
    log_trouble(&p->memory_trouble, p->now_ms, 60000, "a request could not be started: no memory",
                (const struct log_field[]){{0}});
    try_again(p, d, p->config->retry_base);
}

static void send_one(struct pipeline *p, struct delivery *d)
{
    struct partition *partition = partition_of(p, d->partition, d->epoch);
    struct attempt *a = attempt_begin(p, d);
    partition->busy++;
    d->attempts++;
    p->totals.attempts++;
    struct error err = {0};
    if (a == NULL || webhook_post(p->webhook, d->id, d->attempts, d->body, d->body_len,
                                  attempt_done, a, &err) == NULL)
        attempt_failed(p, d, a);
    else
        p->in_flight++;
}

void send_ready(struct pipeline *p)
{
    lane_wake(p->lanes, p->now_ms);
    while (p->in_flight < (size_t)p->config->webhook_concurrency) {
        struct delivery *d = lane_take(p->lanes);
        if (d == NULL)
            return;
        send_one(p, d);
    }
}

static void dropped(void *context, struct delivery *d)
{
    struct pipeline *p = context;
    p->totals.abandoned++;
    release_memory(p, d->size);
    free(d);
}

void drop_deliveries(struct pipeline *p, struct partition *partition)
{
    lane_drop(p->lanes, partition, dropped, p);
}

/* A record on its way to the parked topic. */
struct parked {
    struct pipeline *p;
    uint64_t epoch, ticket;
    int32_t partition;
    size_t size;
};

static void parked_done(void *context, bool acknowledged)
{
    struct parked *parked = context;
    if (acknowledged) {
        parked->p->totals.parked++;
        settle(parked->p, parked->partition, parked->epoch, parked->ticket);
    }
    release_memory(parked->p, parked->size);
    free(parked);
}

static bool put(struct pipeline *p, const rd_kafka_message_t *m, const char *reason,
                const char *detail, struct parked *parked)
{
    struct error err = {0};
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        headers = NULL;
    const struct parked_record record = {.topic = rd_kafka_topic_name(m->rkt),
                                         .partition = m->partition,
                                         .offset = m->offset,
                                         .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
                                         .key = m->key,
                                         .key_len = m->key_len,
                                         .value = m->payload,
                                         .value_len = m->len,
                                         .headers = headers,
                                         .reason = reason,
                                         .detail = detail};
    return parking_put(p->parking, &record, parked_done, parked, &err);
}

bool park(struct pipeline *p, struct partition *partition, const rd_kafka_message_t *m,
          const char *reason, const char *detail)
{
    struct parked *parked = malloc(sizeof *parked);
    if (parked == NULL || !window_reserve(&partition->window)) {
        free(parked);
        return false;
    }
    *parked =
        (struct parked){.p = p,
                        .epoch = partition->epoch,
                        .ticket = partition->window.tail, /* what window_open below will answer */
                        .partition = partition->number,
                        .size = sizeof *parked + m->len + m->key_len};
    if (!put(p, m, reason, detail, parked)) {
        free(parked);
        return false;
    }
    window_open(&partition->window, m->offset);
    partition->busy++;
    p->held_records++;
    p->held_bytes += parked->size;
    log_warn("parked", LOG_S("reason", reason), LOG_S("detail", detail),
             LOG_I("partition", m->partition), LOG_I("offset", m->offset));
    return true;
}
