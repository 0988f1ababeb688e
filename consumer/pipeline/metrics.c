#include "pipeline/metrics.h"

#include "sys/metrics_text.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>

static void add_build(const struct overview *o, int64_t started_ms, struct buf *b)
{
    metric_head(b, "build_info", "gauge", "Versions that run; always 1.");
    buf_add_text(b, METRIC_PREFIX "build_info{");
    metric_label(b, "version", ELEMENTOR_SYNC_VERSION);
    buf_add_char(b, ',');
    metric_label(b, "librdkafka", consumer_library_version());
    buf_add_char(b, ',');
    metric_label(b, "libcurl", curl_version_info(CURLVERSION_NOW)->version);
    buf_add_char(b, ',');
    metric_label(b, "group", o->config->kafka_group);
    buf_add_char(b, ',');
    metric_label(b, "endpoint", webhook_name(o->webhook));
    buf_add_text(b, "} 1\n");
    metric_head(b, "start_time_seconds", "gauge", "When this member started, Unix time.");
    buf_addf(b, METRIC_PREFIX "start_time_seconds %.3f\n", (double)started_ms / 1000);
}

/* Beside records_parked_total: a series that appears with its first record has no increase then. */
static void add_park_reasons(const struct overview *o, struct buf *b)
{
    const struct park_reasons *reasons = &recorder_counts(o->recorder)->park_reasons;
    metric_head(b, "records_parked_by_reason_total", "counter", "The same, by their reasons.");
    for (size_t i = 0; i < reasons->count; i++) {
        buf_addf(b, METRIC_PREFIX "records_parked_by_reason_total{");
        metric_label(b, "reason", reasons->list[i].text);
        buf_addf(b, "} %" PRIu64 "\n", reasons->list[i].count);
    }
}

static void add_records(const struct overview *o, struct buf *b)
{
    const struct totals t = overview_totals(o);
    const struct intake_counts *intake = intake_counts(o->intake);
    const struct intake_oddities oddities = intake_oddities(o->intake);
    metric_counter(b, "records_consumed_total", t.consumed, "Records read and decided.");
    metric_head(b, "records_skipped_total", "counter", "Records that are not for us, by reason.");
    for (int i = SKIP_NONE + 1; i < SKIP_REASON_COUNT; i++)
        buf_addf(b, METRIC_PREFIX "records_skipped_total{reason=\"%s\"} %" PRIu64 "\n",
                 skip_reason_names[i], t.skipped[i]);
    metric_counter(b, "records_delivered_total", t.delivered, "Records answered with a 2xx.");
    metric_counter(b, "records_parked_total", t.parked,
                   "Records that can never be sent, acknowledged by the parked topic.");
    add_park_reasons(o, b);
    metric_counter(b, "records_abandoned_total", t.abandoned,
                   "Records left to the next owner of their partition.");
    metric_gauge(b, "records_in_flight", (int64_t)t.in_flight,
                 "Records read and neither delivered, parked nor abandoned yet.");
    metric_counter(b, "records_repeated_total", intake->repeated,
                   "Records that the fetcher repeated; dropped before they were decided.");
    metric_counter(b, "records_settled_before_total", intake->settled_before,
                   "Records that an earlier owner had settled already.");
    metric_counter(b, "records_before_unknown_total", oddities.before_unknown,
                   "Records delivered without knowing the status before.");
    metric_counter(
        b, "records_snapshot_unsent_total", oddities.snapshot_unsent,
        "Rows of a snapshot that have the rule's value and were not sent; no earlier record of "
        "their orders was seen.");
    metric_counter(b, "outcomes_unacknowledged_total",
                   recorder_counts(o->recorder)->outcomes_unacknowledged,
                   "Outcome records that were not acknowledged in time.");
}

/* Of last statuses, which replace a before image that events do not have. */
static void add_memory(const struct overview *o, struct buf *b)
{
    struct status_cache_stats status_cache = intake_status_cache(o->intake);
    metric_counter(b, "memory_hits_total", status_cache.hits,
                   "Orders whose last status was remembered.");
    metric_counter(b, "memory_misses_total", status_cache.misses,
                   "Orders whose last status was not.");
    metric_counter(b, "memory_evictions_total", status_cache.evictions,
                   "Orders forgotten for others; rule.memory is how many are remembered.");
    metric_gauge(b, "memory_orders", (int64_t)status_cache.held,
                 "Orders whose last status is remembered.");
}

static void add_deliveries(const struct overview *o, struct buf *b)
{
    struct order_queue_counts order_queues = order_queue_counts(o->backlog->queues);
    const struct {
        const char *state;
        size_t count;
    } states[] = {{"waiting", order_queues.waiting},
                  {"ready", order_queues.ready},
                  {"busy", order_queues.in_flight},
                  {"resting", order_queues.backoff}};
    metric_head(b, "deliveries", "gauge",
                "Deliveries held: behind another of their order, ready, under way, until a retry.");
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        buf_addf(b, METRIC_PREFIX "deliveries{state=\"%s\"} %zu\n", states[i].state,
                 states[i].count);
    metric_gauge(b, "deliveries_bytes", (int64_t)o->backlog->bytes,
                 "Memory of the deliveries held.");
    metric_gauge(b, "deliveries_uncovered", (int64_t)o->partitions->uncovered,
                 "Deliveries dispatched and not covered by an acknowledged commit.");
    const struct delivery *oldest = TAILQ_FIRST(&o->backlog->deliveries);
    metric_head(b, "oldest_unsettled_seconds", "gauge",
                "Age of the oldest unsettled record; 0: none.");
    buf_addf(b, METRIC_PREFIX "oldest_unsettled_seconds %.3f\n",
             oldest != NULL ? (double)(o->now->mono_ms - oldest->held_ms) / 1000 : 0.0);
}

static void add_webhook(const struct overview *o, struct buf *b)
{
    const struct sender_state *sender = sender_state(o->sender);
    metric_counter(b, "webhook_attempts_total", sender->attempts, "Requests begun.");
    metric_head(b, "webhook_answers_total", "counter",
                "Requests that ended, by the class of their status; none: without one.");
    for (int i = 0; i < ANSWER_CLASSES; i++)
        buf_addf(b, METRIC_PREFIX "webhook_answers_total{class=\"%s\"} %" PRIu64 "\n",
                 answer_class_names[i], sender->answers[i]);
    metric_counter(b, "webhook_failures_total", sender->failures,
                   "Requests that ended without a 2xx.");
    metric_counter(b, "webhook_answers_incomplete_total",
                   endpoint_state(o->endpoint)->answers_incomplete,
                   "Answers that broke off behind their status, which counts all the same.");
    metric_counter(b, "webhook_unknown_results_total", sender->unknown_results,
                   "Requests that were sent and got no answer: the endpoint may have taken them.");
    metric_gauge(b, "webhook_requests", (int64_t)sender->in_flight, "Requests under way.");
    metric_head(b, "webhook_duration_seconds", "histogram",
                "Time of a request, connecting included.");
    metric_histogram(b, "webhook_duration_seconds", "", &sender->durations);
}

static void add_latency(const struct overview *o, struct buf *b)
{
    const struct sender_state *sender = sender_state(o->sender);
    char label[32];
    metric_head(b, "delivery_hop_seconds", "histogram",
                "Where the time of delivered orders went: kafka: from the shop's commit into the "
                "topic; read: until it was read; sent: until the attempt that was answered; "
                "answered: until its 2xx.");
    for (int i = 0; i < HOP_COUNT; i++) {
        snprintf(label, sizeof label, "hop=\"%s\"", latency_hop_names[i]);
        metric_histogram(b, "delivery_hop_seconds", label, &sender->latency.hop[i]);
    }
    metric_head(b, "delivery_latency_seconds", "histogram",
                "The sum of these: from the shop's commit to the receiver's 2xx.");
    metric_histogram(b, "delivery_latency_seconds", "", &sender->latency.whole);
    if (sender->newest_delivery_ms == 0)
        return;
    metric_head(b, "newest_delivery_timestamp_seconds", "gauge",
                "When an order was delivered last, Unix time; not there before the first.");
    buf_addf(b, METRIC_PREFIX "newest_delivery_timestamp_seconds %.3f\n",
             (double)sender->newest_delivery_ms / 1000);
}

static void add_pace(const struct overview *o, struct buf *b)
{
    const struct pace *pace = &endpoint_state(o->endpoint)->pace;
    int64_t held_ms = pace->hold_until_ms - o->now->mono_ms;
    metric_gauge(b, "webhook_concurrency", pace->at_a_time.limit,
                 "Requests that may be under way: what the endpoint was found to take.");
    metric_head(
        b, "webhook_rate", "gauge",
        "Requests a second that it was found to take, or webhook.rate allows; 0: no bound.");
    buf_addf(b, METRIC_PREFIX "webhook_rate %.3f\n", pace_per_second(pace));
    metric_counter(b, "webhook_slowed_total", pace->slowed,
                   "Times one of the two was lowered: 429, 503, time-outs, latency.");
    metric_head(b, "webhook_hold_seconds", "gauge",
                "How long the endpoint asks to wait from now on (Retry-After); 0: it does not.");
    buf_addf(b, METRIC_PREFIX "webhook_hold_seconds %.3f\n",
             held_ms > 0 ? (double)held_ms / 1000 : 0.0);
}

static void add_pause(const struct overview *o, struct buf *b)
{
    const struct pause_state *pause = pause_state(sender_pause(o->sender));
    metric_gauge(b, "control_known", pause->known,
                 "0: the control topic has not been read yet, so nothing is sent.");
    metric_gauge(b, "deliveries_paused", pause->paused, "1 while an operator has paused them.");
}

static void add_breaker(const struct overview *o, struct buf *b)
{
    const struct endpoint_state *endpoint = endpoint_state(o->endpoint);
    metric_gauge(b, "breaker_open", breaker_is_open(&endpoint->breaker),
                 "1 while deliveries wait for a probe to succeed.");
    metric_head(b, "breaker_since_seconds", "gauge", "How long the breaker has been as it is.");
    buf_addf(b, METRIC_PREFIX "breaker_since_seconds %.3f\n",
             (double)(o->now->mono_ms - endpoint->breaker.since_ms) / 1000);
    metric_counter(b, "breaker_opened_total", endpoint->opened, "Times the breaker opened.");
}

static void add_traces(const struct overview *o, struct buf *b)
{
    const struct exporter_counts *traces = exporter_counts(o->exporter);
    metric_counter(b, "trace_spans_exported_total", traces->exported,
                   "Spans that the collector at trace.url took.");
    metric_counter(b, "trace_spans_dropped_total", traces->dropped,
                   "Spans that it did not take, or that there was no room for.");
    metric_gauge(b, "trace_spans_queued", (int64_t)traces->queued,
                 "Spans on their way to the collector.");
}

static void add_reloads(const struct overview *o, struct buf *b)
{
    metric_counter(b, "reloads_total", reloader_counts(o->reloader)->reloads,
                   "Times the secrets were read again.");
    metric_counter(b, "reload_failures_total", reloader_counts(o->reloader)->failures,
                   "Times they could not be; the ones before stay in use.");
}

static void add_loop(const struct overview *o, struct buf *b)
{
    metric_head(b, "loop_longest_turn_seconds", "gauge",
                "Longest time between two waits of the event loop since the start.");
    buf_addf(b, METRIC_PREFIX "loop_longest_turn_seconds %.3f\n",
             (double)loop_longest_turn_ms(o->loop) / 1000);
}

static void add_commits(const struct overview *o, struct buf *b)
{
    metric_counter(b, "commits_total", committer_counts(o->committer)->commits,
                   "Partitions' commits acknowledged.");
    metric_counter(b, "commit_failures_total", committer_counts(o->committer)->failures,
                   "Partitions' commits that failed; they are made again.");
}

static int64_t position(const struct overview *o, const struct partition *partition)
{
    (void)o;
    return partition->window.next;
}

static int64_t committed(const struct overview *o, const struct partition *partition)
{
    (void)o;
    return partition->commit.committed;
}

static int64_t end(const struct overview *o, const struct partition *partition)
{
    return overview_end(o, partition);
}

static int64_t lag(const struct overview *o, const struct partition *partition)
{
    return overview_end(o, partition) - partition->commit.committed;
}

static int64_t open_count(const struct overview *o, const struct partition *partition)
{
    (void)o;
    return (int64_t)offset_window_open_count(&partition->window);
}

static int64_t suspects(const struct overview *o, const struct partition *partition)
{
    (void)o;
    return (int64_t)partition->doubt.count;
}

static int64_t is_stopped(const struct overview *o, const struct partition *partition)
{
    (void)o;
    return partition_is_stopped(partition);
}

static void
for_partitions(const struct overview *o, struct buf *b, const char *name, const char *help,
               int64_t (*value)(const struct overview *o, const struct partition *partition))
{
    metric_head(b, name, "gauge", help);
    for (size_t i = 0; i < o->partitions->count; i++) {
        const struct partition *partition = o->partitions->list[i];
        if (partition_is_ours(partition))
            buf_addf(b, METRIC_PREFIX "%s{topic=\"%s\",partition=\"%" PRId32 "\"} %" PRId64 "\n",
                     name, partition->is_retry ? "retries" : "orders", partition->number,
                     value(o, partition));
    }
}

void metrics_write(const struct overview *o, int64_t started_ms, struct buf *b)
{
    add_build(o, started_ms, b);
    add_records(o, b);
    add_memory(o, b);
    add_deliveries(o, b);
    add_webhook(o, b);
    add_latency(o, b);
    add_pace(o, b);
    add_pause(o, b);
    add_breaker(o, b);
    add_commits(o, b);
    add_reloads(o, b);
    add_traces(o, b);
    add_loop(o, b);
    for_partitions(o, b, "partition_position", "The next offset to read.", position);
    for_partitions(o, b, "partition_committed", "The offset that the group has acknowledged.",
                   committed);
    for_partitions(o, b, "partition_end", "The partition's end, as far as fetching has shown.",
                   end);
    for_partitions(o, b, "partition_lag", "Records between the committed offset and the end.", lag);
    for_partitions(o, b, "partition_open", "Offsets that are read and unsettled.", open_count);
    for_partitions(o, b, "partition_suspects",
                   "Records that cannot be read, held until another one like them is.", suspects);
    for_partitions(o, b, "partition_stopped", "1: it stands still until an operator looks.",
                   is_stopped);
    metrics_process(b);
}
