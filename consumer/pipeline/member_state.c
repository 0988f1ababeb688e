/* member_state: what this member says of itself: the members topic, and whoever else asks. */
#include "pipeline/pipeline_internal.h"

#include <inttypes.h>

enum { EVERY_MS = 5000, SOON_MS = 250, WARM_MS = 5000 };

static const char *const state_names[] = {[PARTITION_NONE] = "none",
                                          [PARTITION_READING] = "reading",
                                          [PARTITION_HELD] = "held",
                                          [PARTITION_STOPPED] = "stopped",
                                          [PARTITION_REVOKING] = "revoking"};

static uint64_t skipped_total(const struct totals *t)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < SKIP_REASON_COUNT; i++)
        sum += t->skipped[i];
    return sum;
}

size_t unsettled_count(const struct pipeline *p)
{
    return p->held_records - p->concluded + suspect_count(p);
}

int64_t partition_end(struct pipeline *p, const struct partition *partition)
{
    int64_t end = consumer_end_known(p->consumer, partition->slot);
    return end > partition->window.next ? end : partition->window.next;
}

static void add_partition(struct pipeline *p, const struct partition *partition, bool first)
{
    int64_t end = partition_end(p, partition), next = partition->window.next;
    buf_addf(&p->text,
             "%s{\"partition\":%" PRId32 ",\"position\":%" PRId64 ",\"committed\":%" PRId64
             ",\"end\":%" PRId64 ",\"lag\":%" PRId64 ",\"gap\":%" PRId64
             ",\"open\":%zu,\"state\":\"%s\"}",
             first ? "" : ",", partition->number, next, partition->committed, end,
             end - partition->committed, next - partition->committed,
             offset_window_open_count(&partition->window),
             partition_is_stopped(partition)           ? state_names[PARTITION_STOPPED]
             : partition->full || partition->text_full ? "full"
                                                       : state_names[partition->state]);
}

static void add_partitions(struct pipeline *p, bool is_retry)
{
    bool first = true;
    for (size_t i = 0; i < p->partition_count; i++) {
        const struct partition *partition = p->partitions[i];
        if (partition == NULL || partition->state == PARTITION_NONE ||
            partition->is_retry != is_retry)
            continue;
        add_partition(p, partition, first);
        first = false;
    }
}

static int64_t wall_of(const struct pipeline *p, int64_t mono_ms)
{
    return p->wall_ms - (p->now_ms - mono_ms);
}

static void add_breaker(struct pipeline *p)
{
    const struct breaker *b = &p->breaker;
    buf_addf(&p->text,
             ",\"breaker\":{\"state\":\"%s\",\"reason\":\"%s%s%s\",\"since_ms\":%" PRId64
             ",\"next_probe_ms\":",
             breaker_state_names[b->state], breaker_cause_texts[b->cause],
             b->cause != BREAKER_NONE ? "; the last answer: " : "",
             b->cause != BREAKER_NONE ? p->last_failure : "", wall_of(p, b->since_ms));
    if (b->state == BREAKER_OPEN)
        buf_addf(&p->text, "%" PRId64 "}", wall_of(p, b->probe_at_ms));
    else
        buf_add_text(&p->text, "null}");
}

static void add_totals(struct pipeline *p)
{
    const struct totals *t = &p->totals;
    buf_addf(&p->text,
             ",\"totals\":{\"consumed\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"delivered\":%" PRIu64
             ",\"parked\":%" PRIu64 ",\"abandoned\":%" PRIu64 ",\"in_flight\":%zu"
             ",\"attempts\":%" PRIu64 ",\"failures\":%" PRIu64 ",\"repeated\":%" PRIu64
             ",\"settled_before\":%" PRIu64 "}",
             t->consumed, skipped_total(t), t->delivered, t->parked, t->abandoned,
             unsettled_count(p), t->attempts, t->failures, t->repeated, t->settled_before);
}

/* Of the last minute: against the oldest of the totals kept. */
static void add_rates(struct pipeline *p)
{
    const struct rate_point *oldest = &p->rates[p->rate_count % RATE_POINTS];
    if (p->rate_count < RATE_POINTS)
        oldest = &p->rates[0];
    double seconds = (double)(p->now_ms - oldest->at_ms) / 1000;
    double consumed = seconds > 0 ? (double)(p->totals.consumed - oldest->consumed) / seconds : 0;
    double delivered =
        seconds > 0 ? (double)(p->totals.delivered - oldest->delivered) / seconds : 0;
    buf_addf(&p->text, ",\"rates\":{\"consumed_per_s\":%.2f,\"delivered_per_s\":%.2f}", consumed,
             delivered);
}

bool write_state(struct pipeline *p)
{
    struct order_queue_counts order_queues = order_queue_counts(p->order_queues);
    buf_reset(&p->text);
    buf_addf(&p->text,
             "{\"version\":1,\"member\":\"%s\",\"program\":\"%s\",\"librdkafka\":\"%s\","
             "\"group\":",
             p->member, ELEMENTOR_SYNC_VERSION, consumer_library_version());
    bool ok = json_add_string(&p->text, p->config->kafka_group, strlen(p->config->kafka_group));
    buf_add_text(&p->text, ",\"topic\":");
    ok &= json_add_string(&p->text, p->config->kafka_topic, strlen(p->config->kafka_topic));
    buf_add_text(&p->text, ",\"endpoint\":");
    const char *endpoint = webhook_name(p->webhook);
    ok &= json_add_string(&p->text, endpoint, strlen(endpoint));
    buf_addf(&p->text, ",\"started_ms\":%" PRId64 ",\"at_ms\":%" PRId64 ",\"partitions\":[",
             p->started_wall_ms, p->wall_ms);
    add_partitions(p, false);
    buf_add_text(&p->text, "],\"retry_partitions\":[");
    add_partitions(p, true);
    buf_addf(&p->text, "],\"in_flight\":%zu,\"retrying\":%zu,\"waiting\":%zu", p->in_flight,
             order_queues.backoff, order_queues.waiting + order_queues.ready);
    add_breaker(p);
    add_totals(p);
    add_rates(p);
    if (p->held_first != NULL)
        buf_addf(&p->text, ",\"oldest_unsettled_ms\":%" PRId64 "}",
                 wall_of(p, p->held_first->held_ms));
    else
        buf_add_text(&p->text, ",\"oldest_unsettled_ms\":null}");
    return ok && buf_ok(&p->text);
}

static void note_rates(struct pipeline *p)
{
    p->rates[p->rate_count++ % RATE_POINTS] =
        (struct rate_point){p->now_ms, p->totals.consumed, p->totals.delivered};
}

/* value NULL: a tombstone, this member is gone. */
static void publish(struct pipeline *p, const struct buf *value)
{
    struct error err = {0};
    const struct publication publication = {.topic = p->config->members_topic,
                                            .partition = RD_KAFKA_PARTITION_UA,
                                            .key = p->member,
                                            .key_len = strlen(p->member),
                                            .value = value != NULL ? value->data : NULL,
                                            .value_len = value != NULL ? value->len : 0,
                                            .deadline_ms = -1};
    if (!publisher_put(p->publisher, &publication, NULL, NULL, &err))
        log_debug("the member's state was not published", LOG_S("why", err.text));
}

void say_state(struct pipeline *p)
{
    bool changed = p->state_changed && p->now_ms >= p->state_said_ms + SOON_MS;
    if (!changed && p->now_ms < p->state_said_ms + EVERY_MS)
        return;
    p->state_changed = false;
    p->state_said_ms = p->now_ms;
    note_rates(p);
    if (write_state(p))
        publish(p, &p->text);
}

/* The first record a producer writes takes long (a producer id, connections). Better now than
 * between a webhook's answer and its commit. */
void say_joining(struct pipeline *p)
{
    note_rates(p);
    publisher_know(p->publisher, p->config->parked_topic, WARM_MS);
    publisher_know(p->publisher, p->config->deliveries_topic, WARM_MS);
    if (write_state(p))
        publish(p, &p->text);
    publisher_flush(p->publisher, WARM_MS);
}

void say_leaving(struct pipeline *p)
{
    publish(p, NULL);
    publisher_flush(p->publisher, WARM_MS);
}
