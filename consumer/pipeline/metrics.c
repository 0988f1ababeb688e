#include "pipeline/metrics.h"

#include "sys/metrics_text.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>

/* Every metric of a member: identifier, name, type, help. */
#define METRICS(X)                                                                                \
    X(BUILD_INFO, "build_info", "gauge", "Versions that run; always 1.")                          \
    X(START_TIME_SECONDS, "start_time_seconds", "gauge", "When this member started, Unix time.")  \
    X(RECORDS_CONSUMED_TOTAL, "records_consumed_total", "counter", "Records read and decided.")   \
    X(RECORDS_SKIPPED_TOTAL, "records_skipped_total", "counter",                                  \
      "Records that are not for us, by reason.")                                                  \
    X(RECORDS_DELIVERED_TOTAL, "records_delivered_total", "counter",                              \
      "Records answered with a 2xx.")                                                             \
    X(RECORDS_PARKED_TOTAL, "records_parked_total", "counter",                                    \
      "Records that can never be sent, acknowledged by the parked topic.")                        \
    X(RECORDS_PARKED_BY_REASON_TOTAL, "records_parked_by_reason_total", "counter",                \
      "The same, by their reasons.")                                                              \
    X(RECORDS_ABANDONED_TOTAL, "records_abandoned_total", "counter",                              \
      "Records left to the next owner of their partition.")                                       \
    X(RECORDS_IN_FLIGHT, "records_in_flight", "gauge",                                            \
      "Records read and neither delivered, parked nor abandoned yet.")                            \
    X(RECORDS_REPEATED_TOTAL, "records_repeated_total", "counter",                                \
      "Records that the fetcher repeated; dropped before they were decided.")                     \
    X(RECORDS_SETTLED_BEFORE_TOTAL, "records_settled_before_total", "counter",                    \
      "Records that an earlier owner had settled already.")                                       \
    X(RECORDS_BEFORE_UNKNOWN_TOTAL, "records_before_unknown_total", "counter",                    \
      "Records delivered without knowing the status before.")                                     \
    X(RECORDS_SNAPSHOT_UNSENT_TOTAL, "records_snapshot_unsent_total", "counter",                  \
      "Rows of a snapshot that have the rule's value and were not sent; no earlier record of "    \
      "their orders was seen.")                                                                   \
    X(OUTCOMES_UNACKNOWLEDGED_TOTAL, "outcomes_unacknowledged_total", "counter",                  \
      "Outcome records that were not acknowledged in time.")                                      \
    X(MEMORY_HITS_TOTAL, "memory_hits_total", "counter",                                          \
      "Orders whose last status was remembered.")                                                 \
    X(MEMORY_MISSES_TOTAL, "memory_misses_total", "counter", "Orders whose last status was not.") \
    X(MEMORY_EVICTIONS_TOTAL, "memory_evictions_total", "counter",                                \
      "Orders forgotten for others; rule.memory is how many are remembered.")                     \
    X(MEMORY_ORDERS, "memory_orders", "gauge", "Orders whose last status is remembered.")         \
    X(DELIVERIES, "deliveries", "gauge",                                                          \
      "Deliveries held: behind another of their order, ready, under way, until a retry.")         \
    X(DELIVERIES_BYTES, "deliveries_bytes", "gauge", "Memory of the deliveries held.")            \
    X(DELIVERIES_UNCOVERED, "deliveries_uncovered", "gauge",                                      \
      "Deliveries dispatched and not covered by an acknowledged commit.")                         \
    X(OLDEST_UNSETTLED_SECONDS, "oldest_unsettled_seconds", "gauge",                              \
      "Age of the oldest unsettled record; 0: none.")                                             \
    X(WEBHOOK_ATTEMPTS_TOTAL, "webhook_attempts_total", "counter", "Requests begun.")             \
    X(WEBHOOK_ANSWERS_TOTAL, "webhook_answers_total", "counter",                                  \
      "Requests that ended, by the class of their status; none: without one.")                    \
    X(WEBHOOK_FAILURES_TOTAL, "webhook_failures_total", "counter",                                \
      "Requests that ended without a 2xx.")                                                       \
    X(WEBHOOK_ANSWERS_INCOMPLETE_TOTAL, "webhook_answers_incomplete_total", "counter",            \
      "Answers that broke off behind their status, which counts all the same.")                   \
    X(WEBHOOK_UNKNOWN_RESULTS_TOTAL, "webhook_unknown_results_total", "counter",                  \
      "Requests that were sent and got no answer: the endpoint may have taken them.")             \
    X(WEBHOOK_REQUESTS, "webhook_requests", "gauge", "Requests under way.")                       \
    X(WEBHOOK_DURATION_SECONDS, "webhook_duration_seconds", "histogram",                          \
      "Time of a request, connecting included.")                                                  \
    X(DELIVERY_HOP_SECONDS, "delivery_hop_seconds", "histogram",                                  \
      "Where the time of delivered orders went: kafka: from the shop's commit into the topic; "   \
      "read: until it was read; sent: until the attempt that was answered; answered: until its "  \
      "2xx.")                                                                                     \
    X(DELIVERY_LATENCY_SECONDS, "delivery_latency_seconds", "histogram",                          \
      "The sum of these: from the shop's commit to the receiver's 2xx.")                          \
    X(NEWEST_DELIVERY_TIMESTAMP_SECONDS, "newest_delivery_timestamp_seconds", "gauge",            \
      "When an order was delivered last, Unix time; not there before the first.")                 \
    X(WEBHOOK_CONCURRENCY, "webhook_concurrency", "gauge",                                        \
      "Requests that may be under way: what the endpoint was found to take.")                     \
    X(WEBHOOK_RATE, "webhook_rate", "gauge",                                                      \
      "Requests a second that it was found to take, or webhook.rate allows; 0: no bound.")        \
    X(WEBHOOK_SLOWED_TOTAL, "webhook_slowed_total", "counter",                                    \
      "Times one of the two was lowered: 429, 503, time-outs, latency.")                          \
    X(WEBHOOK_HOLD_SECONDS, "webhook_hold_seconds", "gauge",                                      \
      "How long the endpoint asks to wait from now on (Retry-After); 0: it does not.")            \
    X(CONTROL_KNOWN, "control_known", "gauge",                                                    \
      "0: the control topic has not been read yet, so nothing is sent.")                          \
    X(DELIVERIES_PAUSED, "deliveries_paused", "gauge", "1 while an operator has paused them.")    \
    X(BREAKER_OPEN, "breaker_open", "gauge", "1 while deliveries wait for a probe to succeed.")   \
    X(BREAKER_SINCE_SECONDS, "breaker_since_seconds", "gauge",                                    \
      "How long the breaker has been as it is.")                                                  \
    X(BREAKER_OPENED_TOTAL, "breaker_opened_total", "counter", "Times the breaker opened.")       \
    X(RELOADS_TOTAL, "reloads_total", "counter", "Times the secrets were read again.")            \
    X(RELOAD_FAILURES_TOTAL, "reload_failures_total", "counter",                                  \
      "Times they could not be; the ones before stay in use.")                                    \
    X(LOOP_LONGEST_TURN_SECONDS, "loop_longest_turn_seconds", "gauge",                            \
      "Longest time between two waits of the event loop since the start.")                        \
    X(TRACE_SPANS_EXPORTED_TOTAL, "trace_spans_exported_total", "counter",                        \
      "Spans that the collector at trace.url took.")                                              \
    X(TRACE_SPANS_DROPPED_TOTAL, "trace_spans_dropped_total", "counter",                          \
      "Spans that it did not take, or that there was no room for.")                               \
    X(TRACE_SPANS_QUEUED, "trace_spans_queued", "gauge", "Spans on their way to the collector.")  \
    X(COMMITS_TOTAL, "commits_total", "counter", "Partitions' commits acknowledged.")             \
    X(COMMIT_FAILURES_TOTAL, "commit_failures_total", "counter",                                  \
      "Partitions' commits that failed; they are made again.")                                    \
    X(PARTITION_POSITION, "partition_position", "gauge", "The next offset to read.")              \
    X(PARTITION_COMMITTED, "partition_committed", "gauge",                                        \
      "The offset that the group has acknowledged.")                                              \
    X(PARTITION_END, "partition_end", "gauge",                                                    \
      "The partition's end, as far as fetching has shown.")                                       \
    X(PARTITION_LAG, "partition_lag", "gauge",                                                    \
      "Records between the committed offset and the end.")                                        \
    X(PARTITION_OPEN, "partition_open", "gauge", "Offsets that are read and unsettled.")          \
    X(PARTITION_SUSPECTS, "partition_suspects", "gauge",                                          \
      "Records that cannot be read, held until another one like them is.")                        \
    X(PARTITION_STOPPED, "partition_stopped", "gauge",                                            \
      "1: it stands still until an operator looks.")

enum {
#define X(id, name, type, help) METRIC_##id,
    METRICS(X)
#undef X
};

static const struct metric metrics[] = {
#define X(id, name, type, help) [METRIC_##id] = {name, type, help},
    METRICS(X)
#undef X
};

static void add_build(const struct overview *o, int64_t started_ms, struct buf *b)
{
    metric_head(b, &metrics[METRIC_BUILD_INFO]);
    buf_addf(b, METRIC_PREFIX "%s{", metrics[METRIC_BUILD_INFO].name);
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
    metric_real(b, &metrics[METRIC_START_TIME_SECONDS], (double)started_ms / 1000);
}

/* Beside records_parked_total: a series that appears with its first record has no increase then. */
static void add_park_reasons(const struct overview *o, struct buf *b)
{
    const struct park_reasons *reasons = &recorder_counts(o->recorder)->park_reasons;
    metric_head(b, &metrics[METRIC_RECORDS_PARKED_BY_REASON_TOTAL]);
    for (size_t i = 0; i < reasons->count; i++)
        metric_of(b, &metrics[METRIC_RECORDS_PARKED_BY_REASON_TOTAL], "reason",
                  reasons->list[i].text, reasons->list[i].count);
}

static void add_records(const struct overview *o, struct buf *b)
{
    const struct totals t = overview_totals(o);
    const struct intake_counts *intake = intake_counts(o->intake);
    const struct intake_oddities oddities = intake_oddities(o->intake);
    metric_count(b, &metrics[METRIC_RECORDS_CONSUMED_TOTAL], t.consumed);
    metric_head(b, &metrics[METRIC_RECORDS_SKIPPED_TOTAL]);
    for (int i = SKIP_NONE + 1; i < SKIP_REASON_COUNT; i++)
        metric_of(b, &metrics[METRIC_RECORDS_SKIPPED_TOTAL], "reason", skip_reason_names[i],
                  t.skipped[i]);
    metric_count(b, &metrics[METRIC_RECORDS_DELIVERED_TOTAL], t.delivered);
    metric_count(b, &metrics[METRIC_RECORDS_PARKED_TOTAL], t.parked);
    add_park_reasons(o, b);
    metric_count(b, &metrics[METRIC_RECORDS_ABANDONED_TOTAL], t.abandoned);
    metric_number(b, &metrics[METRIC_RECORDS_IN_FLIGHT], (int64_t)t.in_flight);
    metric_count(b, &metrics[METRIC_RECORDS_REPEATED_TOTAL], intake->repeated);
    metric_count(b, &metrics[METRIC_RECORDS_SETTLED_BEFORE_TOTAL], intake->settled_before);
    metric_count(b, &metrics[METRIC_RECORDS_BEFORE_UNKNOWN_TOTAL], oddities.before_unknown);
    metric_count(b, &metrics[METRIC_RECORDS_SNAPSHOT_UNSENT_TOTAL], oddities.snapshot_unsent);
    metric_count(b, &metrics[METRIC_OUTCOMES_UNACKNOWLEDGED_TOTAL],
                 recorder_counts(o->recorder)->outcomes_unacknowledged);
}

/* Of last statuses, which replace a before image that events do not have. */
static void add_memory(const struct overview *o, struct buf *b)
{
    struct status_cache_stats status_cache = intake_status_cache(o->intake);
    metric_count(b, &metrics[METRIC_MEMORY_HITS_TOTAL], status_cache.hits);
    metric_count(b, &metrics[METRIC_MEMORY_MISSES_TOTAL], status_cache.misses);
    metric_count(b, &metrics[METRIC_MEMORY_EVICTIONS_TOTAL], status_cache.evictions);
    metric_number(b, &metrics[METRIC_MEMORY_ORDERS], (int64_t)status_cache.held);
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
    metric_head(b, &metrics[METRIC_DELIVERIES]);
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        metric_of(b, &metrics[METRIC_DELIVERIES], "state", states[i].state, states[i].count);
    metric_number(b, &metrics[METRIC_DELIVERIES_BYTES], (int64_t)o->backlog->bytes);
    metric_number(b, &metrics[METRIC_DELIVERIES_UNCOVERED], (int64_t)o->partitions->uncovered);
    const struct delivery *oldest = TAILQ_FIRST(&o->backlog->deliveries);
    metric_real(b, &metrics[METRIC_OLDEST_UNSETTLED_SECONDS],
                oldest != NULL ? (double)(o->now->mono_ms - oldest->held_ms) / 1000 : 0.0);
}

static void add_webhook(const struct overview *o, struct buf *b)
{
    const struct sender_state *sender = sender_state(o->sender);
    metric_count(b, &metrics[METRIC_WEBHOOK_ATTEMPTS_TOTAL], sender->attempts);
    metric_head(b, &metrics[METRIC_WEBHOOK_ANSWERS_TOTAL]);
    for (int i = 0; i < ANSWER_CLASSES; i++)
        metric_of(b, &metrics[METRIC_WEBHOOK_ANSWERS_TOTAL], "class", answer_class_names[i],
                  sender->answers[i]);
    metric_count(b, &metrics[METRIC_WEBHOOK_FAILURES_TOTAL], sender->failures);
    metric_count(b, &metrics[METRIC_WEBHOOK_ANSWERS_INCOMPLETE_TOTAL],
                 endpoint_state(o->endpoint)->answers_incomplete);
    metric_count(b, &metrics[METRIC_WEBHOOK_UNKNOWN_RESULTS_TOTAL], sender->unknown_results);
    metric_number(b, &metrics[METRIC_WEBHOOK_REQUESTS], (int64_t)sender->in_flight);
    metric_head(b, &metrics[METRIC_WEBHOOK_DURATION_SECONDS]);
    metric_histogram(b, &metrics[METRIC_WEBHOOK_DURATION_SECONDS], "", &sender->durations);
}

static void add_latency(const struct overview *o, struct buf *b)
{
    const struct sender_state *sender = sender_state(o->sender);
    char label[32];
    metric_head(b, &metrics[METRIC_DELIVERY_HOP_SECONDS]);
    for (int i = 0; i < HOP_COUNT; i++) {
        snprintf(label, sizeof label, "hop=\"%s\"", latency_hop_names[i]);
        metric_histogram(b, &metrics[METRIC_DELIVERY_HOP_SECONDS], label, &sender->latency.hop[i]);
    }
    metric_head(b, &metrics[METRIC_DELIVERY_LATENCY_SECONDS]);
    metric_histogram(b, &metrics[METRIC_DELIVERY_LATENCY_SECONDS], "", &sender->latency.whole);
    if (sender->newest_delivery_ms == 0)
        return;
    metric_real(b, &metrics[METRIC_NEWEST_DELIVERY_TIMESTAMP_SECONDS],
                (double)sender->newest_delivery_ms / 1000);
}

static void add_pace(const struct overview *o, struct buf *b)
{
    const struct pace *pace = &endpoint_state(o->endpoint)->pace;
    int64_t held_ms = pace->hold_until_ms - o->now->mono_ms;
    metric_number(b, &metrics[METRIC_WEBHOOK_CONCURRENCY], pace->at_a_time.limit);
    metric_real(b, &metrics[METRIC_WEBHOOK_RATE], pace_per_second(pace));
    metric_count(b, &metrics[METRIC_WEBHOOK_SLOWED_TOTAL], pace->slowed);
    metric_real(b, &metrics[METRIC_WEBHOOK_HOLD_SECONDS],
                held_ms > 0 ? (double)held_ms / 1000 : 0.0);
}

static void add_pause(const struct overview *o, struct buf *b)
{
    const struct pause_state *pause = pause_state(sender_pause(o->sender));
    metric_number(b, &metrics[METRIC_CONTROL_KNOWN], pause->known);
    metric_number(b, &metrics[METRIC_DELIVERIES_PAUSED], pause->paused);
}

static void add_breaker(const struct overview *o, struct buf *b)
{
    const struct endpoint_state *endpoint = endpoint_state(o->endpoint);
    metric_number(b, &metrics[METRIC_BREAKER_OPEN], breaker_is_open(&endpoint->breaker));
    metric_real(b, &metrics[METRIC_BREAKER_SINCE_SECONDS],
                (double)(o->now->mono_ms - endpoint->breaker.since_ms) / 1000);
    metric_count(b, &metrics[METRIC_BREAKER_OPENED_TOTAL], endpoint->opened);
}

static void add_traces(const struct overview *o, struct buf *b)
{
    const struct exporter_counts *traces = exporter_counts(o->exporter);
    metric_count(b, &metrics[METRIC_TRACE_SPANS_EXPORTED_TOTAL], traces->exported);
    metric_count(b, &metrics[METRIC_TRACE_SPANS_DROPPED_TOTAL], traces->dropped);
    metric_number(b, &metrics[METRIC_TRACE_SPANS_QUEUED], (int64_t)traces->queued);
}

static void add_reloads(const struct overview *o, struct buf *b)
{
    metric_count(b, &metrics[METRIC_RELOADS_TOTAL], reloader_counts(o->reloader)->reloads);
    metric_count(b, &metrics[METRIC_RELOAD_FAILURES_TOTAL], reloader_counts(o->reloader)->failures);
}

static void add_loop(const struct overview *o, struct buf *b)
{
    metric_real(b, &metrics[METRIC_LOOP_LONGEST_TURN_SECONDS],
                (double)loop_longest_turn_ms(o->loop) / 1000);
}

static void add_commits(const struct overview *o, struct buf *b)
{
    metric_count(b, &metrics[METRIC_COMMITS_TOTAL], committer_counts(o->committer)->commits);
    metric_count(b, &metrics[METRIC_COMMIT_FAILURES_TOTAL],
                 committer_counts(o->committer)->failures);
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

static void for_partitions(const struct overview *o, struct buf *b, const struct metric *metric,
                           int64_t (*value)(const struct overview *o,
                                            const struct partition *partition))
{
    metric_head(b, metric);
    for (size_t i = 0; i < o->partitions->count; i++) {
        const struct partition *partition = o->partitions->list[i];
        if (partition_is_ours(partition))
            buf_addf(b, METRIC_PREFIX "%s{topic=\"%s\",partition=\"%" PRId32 "\"} %" PRId64 "\n",
                     metric->name, partition->is_retry ? "retries" : "orders", partition->number,
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
    for_partitions(o, b, &metrics[METRIC_PARTITION_POSITION], position);
    for_partitions(o, b, &metrics[METRIC_PARTITION_COMMITTED], committed);
    for_partitions(o, b, &metrics[METRIC_PARTITION_END], end);
    for_partitions(o, b, &metrics[METRIC_PARTITION_LAG], lag);
    for_partitions(o, b, &metrics[METRIC_PARTITION_OPEN], open_count);
    for_partitions(o, b, &metrics[METRIC_PARTITION_SUSPECTS], suspects);
    for_partitions(o, b, &metrics[METRIC_PARTITION_STOPPED], is_stopped);
    metrics_process(b);
}
