#include "pipeline/member_status.h"

#include "base/buf.h"
#include "base/printable.h"
#include "kafka/producer/publisher.h"
#include "order/payload.h"
#include "sys/log.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { EVERY_MS = 5000, SOON_MS = 250, WARM_MS = 5000 };
enum { HELD_MS = 3000 }; /* from when on the dashboard counts a partition as held */
enum { PROGRESS_EVERY_MS = 10000 };
enum { TEXT_MAX = 1024 * 1024 }; /* thousands of partitions */
enum { RATE_POINTS = 12 };       /* one every five seconds */

struct rate_point {
    int64_t at_ms;
    uint64_t consumed, delivered;
};

struct member_status {
    const struct overview *overview;
    struct publisher *publisher;
    const char *member;
    int64_t started_ms; /* wall clock */
    int64_t published_ms;
    uint64_t published_changes;
    struct rate_point rates[RATE_POINTS];
    size_t rate_count;
    int64_t next_progress_ms;
    uint64_t progress_logged;
    struct buf text;
};

struct member_status *member_status_new(const struct overview *overview,
                                        struct publisher *publisher, const char *member)
{
    struct member_status *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->overview = overview;
    s->publisher = publisher;
    s->member = member;
    s->started_ms = overview->now->wall_ms;
    buf_init(&s->text, TEXT_MAX);
    return s;
}

void member_status_free(struct member_status *s)
{
    if (s == NULL)
        return;
    buf_done(&s->text);
    free(s);
}

int64_t member_status_started_ms(const struct member_status *s)
{
    return s->started_ms;
}

void member_status_name(char name[MEMBER_NAME_MAX])
{
    char host[40] = "";
    uint32_t random;
    if (getrandom(&random, sizeof random, 0) < 0)
        random = (uint32_t)clock_wall_ms();
    gethostname(host, sizeof host - 1);
    for (char *c = host; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.')
            *c = '_';
    snprintf(name, MEMBER_NAME_MAX, "%s-%ld-%08x", host, (long)getpid(), (unsigned)random);
}

static const char *const state_names[] = {[PARTITION_NONE] = "none",
                                          [PARTITION_READING] = "reading",
                                          [PARTITION_BLOCKED] = "held",
                                          [PARTITION_STOPPED] = "stopped",
                                          [PARTITION_REVOKING] = "revoking"};

static int64_t wall_of(const struct member_status *s, int64_t mono_ms)
{
    return s->overview->now->wall_ms - (s->overview->now->mono_ms - mono_ms);
}

/* Since when the registry keeps the partition waiting, and why it is stopped, where either is so.
 */
static void add_standstill(struct member_status *s, const struct partition *partition)
{
    const struct doubt *doubt = &partition->doubt;
    if (doubt->blocked_ms != 0)
        buf_addf(&s->text, ",\"held_since_ms\":%" PRId64, wall_of(s, doubt->blocked_ms));
    if (!partition_is_stopped(partition))
        return;
    const char *reason = doubt->stopped ? doubt->fault.reason
                                        : "its next offset is not in the topic (see "
                                          "kafka.lost_offsets)";
    buf_add_text(&s->text, ",\"reason\":");
    printable_add_json(&s->text, reason, strlen(reason));
}

static void add_partition(struct member_status *s, const struct partition *partition, bool first)
{
    int64_t end = overview_end(s->overview, partition), next = partition->window.next;
    buf_addf(&s->text,
             "%s{\"partition\":%" PRId32 ",\"position\":%" PRId64 ",\"committed\":%" PRId64
             ",\"end\":%" PRId64 ",\"lag\":%" PRId64 ",\"gap\":%" PRId64
             ",\"open\":%zu,\"state\":\"%s\"",
             first ? "" : ",", partition->number, next, partition->commit.committed, end,
             end - partition->commit.committed, next - partition->commit.committed,
             offset_window_open_count(&partition->window),
             partition_is_stopped(partition) ? state_names[PARTITION_STOPPED]
             : partition->read.full || partition->commit.metadata_full
                 ? "full"
                 : state_names[partition->state]);
    add_standstill(s, partition);
    buf_add_char(&s->text, '}');
}

static void add_partitions(struct member_status *s, bool is_retry)
{
    bool first = true;
    for (size_t i = 0; i < s->overview->partitions->count; i++) {
        const struct partition *partition = s->overview->partitions->list[i];
        if (!partition_is_ours(partition) || partition->is_retry != is_retry)
            continue;
        add_partition(s, partition, first);
        first = false;
    }
}

static void add_breaker(struct member_status *s)
{
    const struct endpoint_state *endpoint = endpoint_state(s->overview->endpoint);
    const struct breaker *b = &endpoint->breaker;
    buf_addf(&s->text,
             ",\"breaker\":{\"state\":\"%s\",\"reason\":\"%s%s%s\",\"since_ms\":%" PRId64
             ",\"next_probe_ms\":",
             breaker_state_names[b->state], breaker_cause_texts[b->cause],
             b->cause != BREAKER_NONE ? "; the last answer: " : "",
             b->cause != BREAKER_NONE ? endpoint->last_failure : "", wall_of(s, b->since_ms));
    if (b->state == BREAKER_OPEN)
        buf_addf(&s->text, "%" PRId64 "}", wall_of(s, b->probe_at_ms));
    else
        buf_add_text(&s->text, "null}");
}

static void add_pause(struct member_status *s)
{
    const struct pause_state *pause = pause_state(sender_pause(s->overview->sender));
    buf_addf(&s->text, ",\"paused\":%s", !pause->known ? "null" : pause->paused ? "true" : "false");
}

static void add_pace(struct member_status *s)
{
    const struct pace *pace = &endpoint_state(s->overview->endpoint)->pace;
    buf_addf(&s->text, ",\"pace\":{\"concurrency\":%d,\"rate_per_s\":", pace->at_a_time.limit);
    if (pace_per_second(pace) > 0)
        buf_addf(&s->text, "%.2f", pace_per_second(pace));
    else
        buf_add_text(&s->text, "null");
    if (pace_is_held(pace, s->overview->now->mono_ms))
        buf_addf(&s->text, ",\"hold_until_ms\":%" PRId64 "}", wall_of(s, pace->hold_until_ms));
    else
        buf_add_text(&s->text, ",\"hold_until_ms\":null}");
}

static void add_registry(struct member_status *s)
{
    const struct registry_trouble *trouble = registry_trouble(s->overview->registry);
    if (trouble == NULL) {
        buf_add_text(&s->text, ",\"registry\":null");
        return;
    }
    buf_addf(&s->text,
             ",\"registry\":{\"since_ms\":%" PRId64 ",\"reason\":", wall_of(s, trouble->since_ms));
    printable_add_json(&s->text, trouble->reason, strlen(trouble->reason));
    buf_add_char(&s->text, '}');
}

static void add_totals(struct member_status *s)
{
    const struct totals t = overview_totals(s->overview);
    const struct intake_counts *intake = intake_counts(s->overview->intake);
    const struct sender_state *sender = sender_state(s->overview->sender);
    buf_addf(&s->text,
             ",\"totals\":{\"consumed\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"delivered\":%" PRIu64
             ",\"parked\":%" PRIu64 ",\"abandoned\":%" PRIu64 ",\"in_flight\":%zu"
             ",\"attempts\":%" PRIu64 ",\"failures\":%" PRIu64 ",\"repeated\":%" PRIu64
             ",\"settled_before\":%" PRIu64 "}",
             t.consumed, t.skipped_sum, t.delivered, t.parked, t.abandoned, t.in_flight,
             sender->attempts, sender->failures, intake->repeated, intake->settled_before);
}

/* Of the last minute: since the oldest of the totals kept. */
static void add_rates(struct member_status *s)
{
    const struct rate_point *oldest = &s->rates[s->rate_count % RATE_POINTS];
    if (s->rate_count < RATE_POINTS)
        oldest = &s->rates[0];
    double seconds = (double)(s->overview->now->mono_ms - oldest->at_ms) / 1000;
    double consumed =
        seconds > 0
            ? (double)(intake_counts(s->overview->intake)->consumed - oldest->consumed) / seconds
            : 0;
    double delivered =
        seconds > 0
            ? (double)(recorder_counts(s->overview->recorder)->delivered - oldest->delivered) /
                  seconds
            : 0;
    buf_addf(&s->text, ",\"rates\":{\"consumed_per_s\":%.2f,\"delivered_per_s\":%.2f}", consumed,
             delivered);
}

static bool write_state(struct member_status *s)
{
    struct order_queue_counts queues = order_queue_counts(s->overview->backlog->queues);
    buf_reset(&s->text);
    buf_addf(&s->text,
             "{\"version\":1,\"member\":\"%s\",\"program\":\"%s\",\"librdkafka\":\"%s\","
             "\"group\":",
             s->member, ELEMENTOR_SYNC_VERSION, consumer_library_version());
    bool ok = json_add_string(&s->text, s->overview->config->kafka_group,
                              strlen(s->overview->config->kafka_group));
    buf_add_text(&s->text, ",\"topic\":");
    ok &= json_add_string(&s->text, s->overview->config->kafka_topic,
                          strlen(s->overview->config->kafka_topic));
    buf_add_text(&s->text, ",\"endpoint\":");
    const char *endpoint = webhook_name(s->overview->webhook);
    ok &= json_add_string(&s->text, endpoint, strlen(endpoint));
    buf_addf(&s->text, ",\"started_ms\":%" PRId64 ",\"at_ms\":%" PRId64 ",\"partitions\":[",
             s->started_ms, s->overview->now->wall_ms);
    add_partitions(s, false);
    buf_add_text(&s->text, "],\"retry_partitions\":[");
    add_partitions(s, true);
    buf_addf(&s->text, "],\"in_flight\":%zu,\"retrying\":%zu,\"waiting\":%zu",
             sender_state(s->overview->sender)->in_flight, queues.backoff,
             queues.waiting + queues.ready);
    add_pause(s);
    add_registry(s);
    add_breaker(s);
    add_pace(s);
    add_totals(s);
    add_rates(s);
    const struct delivery *oldest = TAILQ_FIRST(&s->overview->backlog->deliveries);
    if (oldest != NULL)
        buf_addf(&s->text, ",\"oldest_unsettled_ms\":%" PRId64 "}", wall_of(s, oldest->held_ms));
    else
        buf_add_text(&s->text, ",\"oldest_unsettled_ms\":null}");
    return ok && buf_ok(&s->text);
}

static void note_rates(struct member_status *s)
{
    s->rates[s->rate_count++ % RATE_POINTS] =
        (struct rate_point){s->overview->now->mono_ms, intake_counts(s->overview->intake)->consumed,
                            recorder_counts(s->overview->recorder)->delivered};
}

/* value NULL: a tombstone, this member is gone. */
static void publish(struct member_status *s, const struct buf *value)
{
    struct error err = {0};
    const struct publication publication = {.topic = s->overview->config->members_topic,
                                            .partition = RD_KAFKA_PARTITION_UA,
                                            .key = s->member,
                                            .key_len = strlen(s->member),
                                            .value = value != NULL ? value->data : NULL,
                                            .value_len = value != NULL ? value->len : 0,
                                            .deadline_ms = -1};
    if (!publisher_put(s->publisher, &publication, NULL, NULL, &err))
        log_debug("status not published", LOG_S("error", err.text));
}

/* A shorter wait for the registry is that for a new schema, and no news. */
static uint64_t count_held(const struct overview *o)
{
    uint64_t count = 0;
    for (size_t i = 0; i < o->partitions->count; i++) {
        const struct partition *partition = o->partitions->list[i];
        count += partition_is_ours(partition) && partition->doubt.blocked_ms != 0 &&
                 o->now->mono_ms - partition->doubt.blocked_ms >= HELD_MS;
    }
    return count;
}

static uint64_t count_changes(const struct overview *o)
{
    return o->partitions->changes + endpoint_state(o->endpoint)->changes +
           pause_state(sender_pause(o->sender))->changes + reloader_counts(o->reloader)->reloads +
           (registry_trouble(o->registry) != NULL) + count_held(o);
}

/* Every five seconds, and soon after a change. */
static void publish_due(struct member_status *s)
{
    int64_t now_ms = s->overview->now->mono_ms;
    uint64_t changes = count_changes(s->overview);
    int64_t after_ms = changes != s->published_changes ? SOON_MS : EVERY_MS;
    if (now_ms < s->published_ms + after_ms)
        return;
    s->published_changes = changes;
    s->published_ms = now_ms;
    note_rates(s);
    if (write_state(s))
        publish(s, &s->text);
}

/* The first record of a producer takes long (a producer id, connections): it is written now, not
 * between a webhook's answer and its commit. */
void member_status_publish_joining(struct member_status *s)
{
    note_rates(s);
    publisher_know(s->publisher, s->overview->config->parked_topic, WARM_MS);
    publisher_know(s->publisher, s->overview->config->deliveries_topic, WARM_MS);
    if (write_state(s))
        publish(s, &s->text);
    publisher_flush(s->publisher, WARM_MS);
}

void member_status_publish_leaving(struct member_status *s)
{
    publish(s, NULL);
    publisher_flush(s->publisher, WARM_MS);
}

/* ---- the log ---- */

void member_status_log_totals(const struct member_status *s, const char *event)
{
    const struct totals t = overview_totals(s->overview);
    struct order_queue_counts queues = order_queue_counts(s->overview->backlog->queues);
    log_info(event, LOG_I("consumed", (int64_t)t.consumed),
             LOG_I("skipped", (int64_t)t.skipped_sum), LOG_I("delivered", (int64_t)t.delivered),
             LOG_I("parked", (int64_t)t.parked), LOG_I("in_flight", (int64_t)t.in_flight),
             LOG_I("retrying", (int64_t)queues.backoff),
             LOG_I("failures", (int64_t)sender_state(s->overview->sender)->failures));
}

/* Every ten seconds, and only when something was done. */
static void log_progress(struct member_status *s)
{
    uint64_t done =
        intake_counts(s->overview->intake)->consumed + sender_state(s->overview->sender)->attempts;
    if (s->overview->now->mono_ms < s->next_progress_ms || done == s->progress_logged)
        return;
    if (s->next_progress_ms != 0) {
        member_status_log_totals(s, "progress");
        s->progress_logged = done;
    }
    s->next_progress_ms = s->overview->now->mono_ms + PROGRESS_EVERY_MS;
}

void member_status_turn(struct member_status *s)
{
    log_progress(s);
    publish_due(s);
}
