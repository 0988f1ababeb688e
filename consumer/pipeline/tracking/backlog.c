#include "pipeline/tracking/backlog.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>

bool backlog_init(struct backlog *backlog, const struct hash_key *key)
{
    *backlog = (struct backlog){.queues = order_queues_new(key)};
    TAILQ_INIT(&backlog->deliveries);
    return backlog->queues != NULL;
}

void backlog_done(struct backlog *backlog)
{
    order_queues_free(backlog->queues);
}

void backlog_add(struct backlog *backlog, struct delivery *d, int64_t now_ms)
{
    backlog->records++;
    backlog->bytes += d->size;
    d->held_ms = now_ms;
    TAILQ_INSERT_TAIL(&backlog->deliveries, d, held);
}

void backlog_add_headers(struct backlog *backlog, struct delivery *d, void *headers, size_t size)
{
    d->headers = headers;
    d->size += size;
    backlog->bytes += size;
}

void backlog_free(struct backlog *backlog, struct delivery *d)
{
    backlog->records--;
    backlog->bytes -= d->size;
    TAILQ_REMOVE(&backlog->deliveries, d, held);
    if (d->headers != NULL)
        rd_kafka_headers_destroy(d->headers);
    if (backlog->sole_probe == d)
        backlog->sole_probe = NULL;
    free(d->answer);
    free(d->tries);
    free(d->trace);
    free(d);
}

void backlog_finish(struct backlog *backlog, struct delivery *d)
{
    order_queue_finish(backlog->queues, d);
    backlog_free(backlog, d);
}
