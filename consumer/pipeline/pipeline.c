/* pipeline: start, turns, end. */
#include "pipeline/pipeline_internal.h"

#include "config/load/watch.h"
#include "kafka/advice.h"
#include "sys/clock.h"
#include "sys/wakeup.h"

#include <ctype.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { HISTORY_ORDERS = 8192 };
enum { PROGRESS_EVERY_MS = 10000, IDLE_WAIT_MS = 1000, LOOK_UP_MS = 10000 };
enum { LEAVE_WAIT_MS = 20 };     /* that the consumer is closed wakes nobody up */
enum { TEXT_MAX = 1024 * 1024 }; /* as large as brokers take: a huge id, thousands of partitions */

/* A schema has come (or will not): whoever waited for one looks again. */
static void schema_changed(void *context)
{
    struct pipeline *p = context;
    for (size_t i = 0; i < p->partition_count; i++)
        if (p->partitions[i] != NULL && p->partitions[i]->state == PARTITION_HELD) {
            p->partitions[i]->state = PARTITION_READING;
            p->partitions[i]->maybe_more = true;
        }
}

static void woken(void *context, int fd, unsigned events)
{
    struct pipeline *p = context;
    uint64_t count;
    (void)events;
    if (read(fd, &count, sizeof count) < 0)
        return;
    for (size_t i = 0; i < p->partition_count; i++)
        if (p->partitions[i] != NULL)
            p->partitions[i]->maybe_more = true;
}

static void tell_metrics(void *context, struct buf *b)
{
    write_metrics(context, b);
}

/* That it answers at all says that the loop turns. */
static bool tell_live(void *context, const char **ret_why)
{
    const struct pipeline *p = context;
    *ret_why = "ending after a failure\n";
    return p->fatal == NULL || p->fatal->code == ERROR_NONE;
}

static bool tell_ready(void *context, const char **ret_why)
{
    struct pipeline *p = context;
    *ret_why = p->stopping ? "stopping\n" : "not in the group yet\n";
    if (p->stopping || !consumer_joined(p->consumer) || !tell_live(p, ret_why))
        return false;
    *ret_why = reading_trouble(p);
    return *ret_why == NULL;
}

static bool open_ops(struct pipeline *p, struct error *err)
{
    const struct ops_source source = {p, tell_metrics, tell_live, tell_ready};
    if (p->config->ops_listen == NULL)
        return true;
    p->ops = ops_new(p->loop, p->config->ops_listen, &source, err);
    return p->ops != NULL;
}

static bool open_edges(struct pipeline *p, struct error *err)
{
    const struct consumer_events events = group_events(p);
    return (p->loop = loop_new(err)) != NULL && (p->http = http_new(p->loop, err)) != NULL &&
           (p->registry = registry_new(p->http, p->config, schema_changed, p, err)) != NULL &&
           (p->webhook = webhook_new(p->http, p->config, err)) != NULL &&
           (p->publisher = publisher_new(p->config, p->wake_fd, err)) != NULL &&
           (p->consumer = consumer_new(p->config, &events, p->wake_fd, err)) != NULL &&
           open_ops(p, err);
}

static bool set_rules(struct pipeline *p, const struct config *c, struct error *err)
{
    const struct {
        const char *list;
        enum response_class class;
    } changes[] = {{c->outcome_delivered, RESPONSE_DELIVERED},
                   {c->outcome_transient, RESPONSE_TRANSIENT},
                   {c->outcome_refused, RESPONSE_REFUSED},
                   {c->outcome_endpoint, RESPONSE_ENDPOINT}};
    response_rules_default(&p->response_rules);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (changes[i].list != NULL &&
            !response_rules_change(&p->response_rules, changes[i].list, changes[i].class, err))
            return false;
    p->retry_options = (struct retry_options){.base_ms = c->retry_base,
                                              .cap_ms = c->retry_cap,
                                              .attempts = (int)c->retry_attempts,
                                              .endpoint_attempts = (int)c->retry_endpoint_attempts,
                                              .unknown_attempts = (int)c->retry_unknown_attempts,
                                              .give_up_ms = c->retry_give_up};
    p->breaker_options =
        (struct breaker_options){.failures_in_row = (int)c->breaker_failures_in_row,
                                 .failures_min = (int)c->breaker_failures_min,
                                 .failures_window_s = (int)(c->breaker_failures_window / 1000),
                                 .refusals_min = (int)c->breaker_refusals_min,
                                 .refusals_window_s = (int)(c->breaker_refusals_window / 1000),
                                 .probe_first_ms = c->breaker_probe_first,
                                 .probe_cap_ms = c->breaker_probe_cap};
    breaker_init(&p->breaker, p->now_ms);
    return true;
}

/* "host-4711-1a2b3c4d": unique among the members there ever were, near enough. */
static void name_member(struct pipeline *p)
{
    char host[40] = "";
    gethostname(host, sizeof host - 1);
    for (char *c = host; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.')
            *c = '_';
    snprintf(p->member, sizeof p->member, "%s-%ld-%08x", host, (long)getpid(),
             (unsigned)(p->random >> 32));
}

struct pipeline *pipeline_new(const struct config *config, struct error *err)
{
    struct pipeline *p = calloc(1, sizeof *p);
    if (p == NULL) {
        error_set(err, ERROR_NO_MEMORY, "no memory to start");
        return NULL;
    }
    p->config = config;
    p->commit_wanted_ms = -1;
    p->now_ms = clock_mono_ms();
    p->wake_fd = wakeup_new();
    if (getrandom(&p->random, sizeof p->random, 0) < 0)
        p->random = (uint64_t)clock_wall_ms();
    p->wall_ms = p->started_wall_ms = clock_wall_ms();
    buf_init(&p->text, TEXT_MAX);
    buf_init(&p->previous, TEXT_MAX);
    name_member(p);
    if (!set_rules(p, config, err) || !open_edges(p, err)) {
        pipeline_free(p);
        return NULL;
    }
    p->transform = transform_new(config);
    p->order_queues = order_queues_new(&config->hash_key);
    p->history = history_new(HISTORY_ORDERS, &config->hash_key);
    p->answered = answered_new_for(config);
    p->decoders = decoders_new(config, p->registry);
    p->reload = reload_new(config);
    if (p->transform == NULL || p->order_queues == NULL || p->decoders == NULL ||
        p->reload == NULL || p->history == NULL || p->answered == NULL) {
        error_set(err, ERROR_NO_MEMORY, "no memory to start");
        pipeline_free(p);
        return NULL;
    }
    loop_watch(p->loop, p->wake_fd, LOOP_READ, woken, p);
    return p;
}

static void free_partitions(struct pipeline *p)
{
    for (size_t i = 0; i < p->partition_count; i++) {
        struct partition *partition = p->partitions[i];
        if (partition == NULL)
            continue;
        drop_batch(partition);
        if (p->order_queues != NULL)
            drop_deliveries(p, partition);
        offset_window_done(&partition->window);
    }
}

/* What is under way ends first, from the far side inwards; then what it refers to. */
void pipeline_free(struct pipeline *p)
{
    if (p == NULL)
        return;
    ops_free(p->ops);
    publisher_free(p->publisher);
    free_partitions(p);
    consumer_free(p->consumer);
    webhook_free(p->webhook);
    registry_free(p->registry);
    http_free(p->http);
    drop_under_way(p);
    order_queues_free(p->order_queues);
    decoders_free(p->decoders);
    transform_free(p->transform);
    loop_free(p->loop);
    for (size_t i = 0; i < p->partition_count; i++)
        free(p->partitions[i]);
    free(p->partitions);
    free(p->end_offsets);
    buf_done(&p->text);
    buf_done(&p->previous);
    history_free(p->history);
    answered_free(p->answered);
    reload_free(p->reload);
    config_free(p->adopted);
    wakeup_free(p->wake_fd);
    free(p);
}

int pipeline_ops_port(const struct pipeline *p)
{
    return p->ops != NULL ? ops_port(p->ops) : -1;
}

static uint64_t skipped_total(const struct totals *t)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < SKIP_REASON_COUNT; i++)
        sum += t->skipped[i];
    return sum;
}

static void say_totals(struct pipeline *p, const char *event)
{
    const struct totals *t = &p->totals;
    struct order_queue_counts order_queues = order_queue_counts(p->order_queues);
    log_info(
        event, LOG_I("consumed", (int64_t)t->consumed), LOG_I("skipped", (int64_t)skipped_total(t)),
        LOG_I("delivered", (int64_t)t->delivered), LOG_I("parked", (int64_t)t->parked),
        LOG_I("in_flight", (int64_t)order_queues.in_flight),
        LOG_I("retrying", (int64_t)order_queues.backoff), LOG_I("failures", (int64_t)t->failures));
}

/* Every ten seconds, and only when something was done. */
static void say_progress(struct pipeline *p)
{
    uint64_t done = p->totals.consumed + p->totals.attempts;
    if (p->now_ms < p->next_progress_ms || done == p->progress_shown)
        return;
    if (p->next_progress_ms != 0) {
        say_totals(p, "progress");
        p->progress_shown = done;
    }
    p->next_progress_ms = p->now_ms + PROGRESS_EVERY_MS;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* How long the loop may wait: until the next thing that has a time. */
static int64_t wait_ms(struct pipeline *p, int64_t until_ms, int64_t http_ms, int64_t registry_ms,
                       int64_t publisher_ms)
{
    int64_t ops_ms = p->ops != NULL ? ops_turn(p->ops) : -1;
    int64_t wait = earlier(IDLE_WAIT_MS, consumer_wake_ms(p->consumer));
    until_ms = earlier(earlier(until_ms, commit_wait_until(p)), send_wait_until(p));
    if (until_ms >= 0)
        wait = earlier(wait, until_ms > p->now_ms ? until_ms - p->now_ms : 0);
    return earlier(earlier(earlier(wait, http_ms), earlier(registry_ms, publisher_ms)), ops_ms);
}

/* One turn: what came back, what is new, what goes out, what may be committed. Returns how long the
 * loop may wait before the next (ms). */
static int64_t turn(struct pipeline *p)
{
    p->now_ms = clock_mono_ms();
    p->wall_ms = clock_wall_ms();
    consumer_turn(p->consumer);
    reload_due(p);
    http_turn(p->http);
    publisher_turn(p->publisher, p->now_ms);
    if (!p->stopping)
        read_partitions(p);
    if (p->fatal->code == ERROR_NONE) /* nothing is begun that could not be settled */
        send_ready(p);
    int64_t http_ms = http_turn(p->http);
    int64_t registry_ms = registry_turn(p->registry, p->now_ms); /* what http told it counts */
    int64_t publisher_ms = publisher_turn(p->publisher, p->now_ms);
    (void)publisher_is_lost(p->publisher, p->fatal); /* is_over sees it */
    commit_due(p);
    give_back_drained(p);
    restart_emptied(p);
    say_progress(p);
    say_state(p);
    int64_t until_ms = order_queue_wake(p->order_queues, p->now_ms);
    bool more = !p->stopping && may_read(p);
    return more ? 0 : wait_ms(p, until_ms, http_ms, registry_ms, publisher_ms);
}

/* SIGHUP asks for a reload. Any other is taken off the descriptor and the signals are let through
 * again: a second one then ends the process at once, for an operator who does not want to wait for
 * the drain. */
static void stop_asked(void *context, int fd, unsigned events)
{
    struct pipeline *p = context;
    struct signalfd_siginfo signal_info;
    sigset_t set;
    (void)events;
    ssize_t got = read(fd, &signal_info, sizeof signal_info);
    if (got == sizeof signal_info && signal_info.ssi_signo == SIGHUP) {
        p->reload_asked = true;
        return;
    }
    if (got > 0) {
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
    }
    loop_forget(p->loop, fd);
    p->stopping = true;
}

/* Hands everything back and leaves the group; bounded by drain.timeout. */
static void leave(struct pipeline *p)
{
    p->stopping = true;
    consumer_close(p->consumer);
    int64_t deadline =
        clock_mono_ms() + config_drain_timeout(p->config) + p->config->outcome_timeout + LOOK_UP_MS;
    for (;;) {
        int64_t wait = turn(p);
        if (consumer_closed(p->consumer) || p->now_ms >= deadline)
            return;
        loop_wait(p->loop, wait < LEAVE_WAIT_MS ? wait : LEAVE_WAIT_MS);
    }
}

static void say_unsettled(struct pipeline *p)
{
    for (size_t i = 0; i < p->end_count; i++) {
        const struct partition *partition = i < p->partition_count ? p->partitions[i] : NULL;
        int64_t watermark = partition != NULL && partition->state != PARTITION_NONE
                                ? offset_window_watermark(&partition->window)
                                : -1;
        if (watermark < p->end_offsets[i])
            log_error("not settled", LOG_S("of", i % 2 == 0 ? "orders" : "retries"),
                      LOG_I("partition", (int64_t)i / 2), LOG_I("from", watermark),
                      LOG_I("end", p->end_offsets[i]));
    }
}

static const struct partition *any_stopped(const struct pipeline *p)
{
    for (size_t i = 0; i < p->partition_count; i++)
        if (p->partitions[i] != NULL && partition_is_stopped(p->partitions[i]))
            return p->partitions[i];
    return NULL;
}

/* True when there is nothing more to do; false to go on. */
static bool is_over(struct pipeline *p, const struct pipeline_options *options, int64_t deadline)
{
    if (p->stopping || p->fatal->code != ERROR_NONE)
        return true;
    if (!options->until_end)
        return false;
    if (any_stopped(p))
        return !error_set(p->fatal, ERROR_FAILED,
                          "partition %" PRId32 " is stopped, so the end cannot be reached; the log "
                          "says why",
                          any_stopped(p)->number);
    if (everything_settled(p)) {
        say_totals(p, "everything up to the end is settled and committed");
        return true;
    }
    if (deadline >= 0 && p->now_ms >= deadline) {
        say_unsettled(p);
        error_set(p->fatal, ERROR_FAILED, "not everything was settled within the time limit");
    }
    return p->fatal->code != ERROR_NONE;
}

static void say_started(struct pipeline *p)
{
    log_info("started", LOG_S("version", ELEMENTOR_SYNC_VERSION),
             LOG_S("librdkafka", consumer_library_version()),
             LOG_S("libcurl", curl_version_info(CURLVERSION_NOW)->version),
             LOG_S("topic", p->config->kafka_topic), LOG_S("group", p->config->kafka_group),
             LOG_S("webhook", webhook_name(p->webhook)),
             LOG_I("concurrency", p->config->webhook_concurrency));
}

/* What cannot be noticed has to be known before it happens. */
static void say_limits(const struct pipeline *p)
{
    const char *lacks = kafka_library_lacks(rd_kafka_version());
    if (*lacks != '\0')
        log_warn("this librdkafka lacks something", LOG_S("version", consumer_library_version()),
                 LOG_S("what", lacks));
    log_info(
        "a topic that is made anew is noticed only while members run and no commit of the former "
        "one follows: reset the group's offsets when you make one anew",
        LOG_S("topic", p->config->kafka_topic));
}

bool pipeline_run(struct pipeline *p, const struct pipeline_options *options, struct error *err)
{
    p->fatal = err;
    loop_watch(p->loop, options->stop_fd, LOOP_READ, stop_asked, p);
    say_started(p);
    say_limits(p);
    if (!join_group(p, options))
        return err->code == ERROR_NONE;
    int64_t deadline = options->timeout_ms >= 0 ? clock_mono_ms() + options->timeout_ms : -1;
    for (;;) {
        int64_t wait = turn(p);
        if (is_over(p, options, deadline))
            break;
        loop_wait(p->loop, wait);
    }
    leave(p);
    say_leaving(p);
    say_totals(p, "stopped");
    return err->code == ERROR_NONE;
}
