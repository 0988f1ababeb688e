#include "pipeline/pipeline.h"

#include "http/ops_server.h"
#include "kafka/advice.h"
#include "pipeline/join.h"
#include "pipeline/member_status.h"
#include "pipeline/membership.h"
#include "pipeline/metrics.h"
#include "pipeline/until_end.h"
#include "sys/log.h"
#include "sys/service_manager.h"
#include "sys/wakeup.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { IDLE_WAIT_MS = 1000, LOOK_UP_MS = 10000 };
enum { LEAVE_WAIT_MS = 20 }; /* the consumer's end does not wake the loop */

struct pipeline {
    const struct config *config;
    struct now now; /* read once a turn */
    int wake_fd;
    bool stopping; /* leaves the group */
    struct error fatal;

    struct loop *loop;
    struct http *http;
    struct { /* beyond http */
        struct registry *registry;
        struct webhook *webhook;
        struct exporter *exporter; /* of spans */
    };
    struct publisher *publisher;
    struct consumer *consumer;
    struct ops *ops; /* NULL: no ops.listen */

    char member[MEMBER_NAME_MAX];
    struct partitions partitions;
    struct backlog backlog;
    struct endpoint *endpoint;
    struct tracing tracing;
    struct recorder *recorder;
    struct sender *sender;
    struct intake *intake;
    struct committer *committer;
    struct membership membership;
    struct until_end until_end;
    struct reloader *reloader;
    struct member_status *status;
    struct overview overview;
};

/* ---- wake-ups ---- */

static void schema_changed(void *context)
{
    struct pipeline *p = context;
    intake_schema_changed(p->intake);
}

static void woken(void *context, int fd, unsigned events)
{
    struct pipeline *p = context;
    (void)events;
    wakeup_clear(fd);
    intake_wake(p->intake);
}

/* SIGHUP requests a reload. Any other signal stops, and the signals are unblocked: a second one
 * then ends the process at once, for an operator who does not want to wait for the drain. */
static void stop_asked(void *context, int fd, unsigned events)
{
    struct pipeline *p = context;
    struct signalfd_siginfo signal_info;
    sigset_t set;
    (void)events;
    ssize_t got = read(fd, &signal_info, sizeof signal_info);
    if (got == sizeof signal_info && signal_info.ssi_signo == SIGHUP) {
        reloader_ask(p->reloader);
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

/* ---- the ops port ---- */

static void serve_metrics(void *context, struct buf *b)
{
    const struct pipeline *p = context;
    metrics_write(&p->overview, member_status_started_ms(p->status), b);
}

/* An answer proves that the loop turns. */
static bool is_live(void *context, const char **ret_why)
{
    const struct pipeline *p = context;
    *ret_why = "ending after a failure\n";
    return p->fatal.code == ERROR_NONE;
}

static bool is_ready(void *context, const char **ret_why)
{
    struct pipeline *p = context;
    *ret_why = p->stopping ? "stopping\n" : "not in the group yet\n";
    if (p->stopping || !consumer_joined(p->consumer) || !is_live(p, ret_why))
        return false;
    *ret_why = pause_state(sender_pause(p->sender))->known ? intake_trouble(p->intake)
                                                           : "the control topic is not read yet\n";
    return *ret_why == NULL;
}

/* ---- start ---- */

static bool open_ops(struct pipeline *p, struct error *err)
{
    const struct ops_source source = {p, serve_metrics, is_live, is_ready};
    if (p->config->ops_listen == NULL)
        return true;
    p->ops = ops_new(p->loop, p->config->ops_listen, &source, err);
    return p->ops != NULL;
}

/* Everything that talks to others. */
static bool open_edges(struct pipeline *p, struct error *err)
{
    const struct consumer_events events = membership_events(&p->membership);
    return (p->loop = loop_new(err)) != NULL && (p->http = http_new(p->loop, err)) != NULL &&
           (p->registry = registry_new(p->http, p->config, schema_changed, p, err)) != NULL &&
           (p->webhook = webhook_new(p->http, p->config, err)) != NULL &&
           (p->exporter = exporter_new(p->http, p->config, p->member, err)) != NULL &&
           (p->publisher = publisher_new(p->config, p->wake_fd, err)) != NULL &&
           (p->consumer = consumer_new(p->config, &events, p->wake_fd, err)) != NULL &&
           open_ops(p, err);
}

/* The deliveries' way: to the endpoint, and to their end. */
static bool make_sending(struct pipeline *p, struct error *err)
{
    const struct recorder_uses recorder = {.config = p->config,
                                           .now = &p->now,
                                           .member = p->member,
                                           .backlog = &p->backlog,
                                           .publisher = p->publisher,
                                           .webhook = p->webhook,
                                           .tracing = &p->tracing};
    struct sender_uses sender = {.config = p->config,
                                 .now = &p->now,
                                 .webhook = p->webhook,
                                 .partitions = &p->partitions,
                                 .backlog = &p->backlog,
                                 .endpoint = p->endpoint,
                                 .tracing = &p->tracing,
                                 .wake_fd = p->wake_fd};
    p->tracing = (struct tracing){
        .config = p->config, .now = &p->now, .webhook = p->webhook, .exporter = p->exporter};
    p->recorder = sender.recorder = recorder_new(&recorder);
    if (p->recorder == NULL)
        return false;
    p->sender = sender_new(&sender, err);
    return p->sender != NULL;
}

/* The records' way in, and what is acknowledged of them. */
static bool make_reading(struct pipeline *p)
{
    const struct intake_uses intake = {.config = p->config,
                                       .now = &p->now,
                                       .consumer = p->consumer,
                                       .registry = p->registry,
                                       .partitions = &p->partitions,
                                       .backlog = &p->backlog,
                                       .sending = sender_state(p->sender),
                                       .endpoint = endpoint_state(p->endpoint),
                                       .pause = sender_pause(p->sender)};
    const struct committer_uses committer = {.config = p->config,
                                             .now = &p->now,
                                             .consumer = p->consumer,
                                             .partitions = &p->partitions,
                                             .endpoint = endpoint_state(p->endpoint)};
    const struct reloader_uses reloader = {.config = p->config,
                                           .now = &p->now,
                                           .registry = p->registry,
                                           .webhook = p->webhook,
                                           .endpoint = p->endpoint,
                                           .exporter = p->exporter};
    p->intake = intake_new(&intake);
    p->committer = committer_new(&committer);
    p->reloader = reloader_new(&reloader);
    return p->intake != NULL && p->committer != NULL && p->reloader != NULL;
}

static bool make_status(struct pipeline *p)
{
    p->membership = (struct membership){.config = p->config,
                                        .now = &p->now,
                                        .fatal = &p->fatal,
                                        .consumer = p->consumer,
                                        .partitions = &p->partitions,
                                        .intake = p->intake,
                                        .endpoint = p->endpoint,
                                        .sender = p->sender,
                                        .recorder = p->recorder,
                                        .committer = p->committer};
    p->until_end = (struct until_end){
        .consumer = p->consumer, .committer = p->committer, .partitions = &p->partitions};
    p->overview = (struct overview){.config = p->config,
                                    .now = &p->now,
                                    .loop = p->loop,
                                    .webhook = p->webhook,
                                    .registry = p->registry,
                                    .consumer = p->consumer,
                                    .partitions = &p->partitions,
                                    .backlog = &p->backlog,
                                    .endpoint = p->endpoint,
                                    .recorder = p->recorder,
                                    .sender = p->sender,
                                    .exporter = p->exporter,
                                    .intake = p->intake,
                                    .committer = p->committer,
                                    .reloader = p->reloader};
    p->status = member_status_new(&p->overview, p->publisher, p->member);
    return p->status != NULL;
}

static bool make_parts(struct pipeline *p, struct error *err)
{
    p->endpoint = endpoint_new(p->config, &p->now, p->webhook, &p->backlog, err);
    if (p->endpoint == NULL)
        return false;
    return (backlog_init(&p->backlog, &p->config->hash_key) && make_sending(p, err) &&
            make_reading(p) && make_status(p)) ||
           error_no_memory(err);
}

struct pipeline *pipeline_new(const struct config *config, struct error *err)
{
    struct pipeline *p = calloc(1, sizeof *p);
    if (p == NULL) {
        error_no_memory(err);
        return NULL;
    }
    p->config = config;
    p->now = clock_now();
    p->wake_fd = wakeup_new();
    member_status_name(p->member);
    if (!open_edges(p, err) || !make_parts(p, err)) {
        pipeline_free(p);
        return NULL;
    }
    loop_watch(p->loop, p->wake_fd, LOOP_READ, woken, p);
    return p;
}

static void end_partitions(struct pipeline *p)
{
    for (size_t i = 0; i < p->partitions.count; i++) {
        struct partition *partition = p->partitions.list[i];
        if (partition == NULL)
            continue;
        intake_drop(p->intake, partition);
        sender_drop(p->sender, partition);
        offset_window_done(&partition->window);
    }
}

/* Requests and records under way end first, from the far side inwards; then what they refer to. */
void pipeline_free(struct pipeline *p)
{
    if (p == NULL)
        return;
    ops_free(p->ops);
    publisher_free(p->publisher);
    end_partitions(p);
    consumer_free(p->consumer);
    webhook_free(p->webhook);
    exporter_free(p->exporter);
    registry_free(p->registry);
    http_free(p->http);
    sender_free(p->sender);
    backlog_done(&p->backlog);
    intake_free(p->intake);
    loop_free(p->loop);
    partitions_done(&p->partitions);
    until_end_done(&p->until_end);
    member_status_free(p->status);
    committer_free(p->committer);
    recorder_free(p->recorder);
    endpoint_free(p->endpoint);
    reloader_free(p->reloader);
    wakeup_free(p->wake_fd);
    free(p);
}

int pipeline_ops_port(const struct pipeline *p)
{
    return p->ops != NULL ? ops_port(p->ops) : -1;
}

/* ---- turns ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* The loop's longest wait: until the next deadline of its parts. */
static int64_t wait_ms(struct pipeline *p, int64_t until_ms, int64_t http_ms, int64_t registry_ms,
                       int64_t publisher_ms)
{
    int64_t ops_ms = p->ops != NULL ? ops_turn(p->ops) : -1;
    int64_t wait = earlier(IDLE_WAIT_MS, consumer_wake_ms(p->consumer));
    until_ms = earlier(earlier(until_ms, committer_wait_until(p->committer)),
                       earlier(sender_wait_until(p->sender), exporter_wait_until(p->exporter)));
    if (until_ms >= 0)
        wait = earlier(wait, until_ms > p->now.mono_ms ? until_ms - p->now.mono_ms : 0);
    return earlier(earlier(earlier(wait, http_ms), earlier(registry_ms, publisher_ms)), ops_ms);
}

/* One turn: answers, new records, attempts, commits. Returns how long the loop may wait before the
 * next (ms). */
static int64_t turn(struct pipeline *p)
{
    p->now = clock_now();
    consumer_turn(p->consumer);
    reloader_turn(p->reloader);
    http_turn(p->http);
    publisher_turn(p->publisher, p->now.mono_ms);
    if (!p->stopping)
        intake_turn(p->intake);
    if (p->fatal.code == ERROR_NONE) /* nothing is begun that could not be settled */
        sender_turn(p->sender);
    exporter_turn(p->exporter, p->now.mono_ms);
    int64_t http_ms = http_turn(p->http);
    int64_t registry_ms = registry_turn(p->registry, p->now.mono_ms); /* after http's answers */
    int64_t publisher_ms = publisher_turn(p->publisher, p->now.mono_ms);
    (void)publisher_is_lost(p->publisher, &p->fatal); /* is_over sees it */
    committer_turn(p->committer);
    committer_give_back(p->committer);
    membership_turn(&p->membership);
    member_status_turn(p->status);
    int64_t until_ms = order_queue_wake(p->backlog.queues, p->now.mono_ms);
    bool more = !p->stopping && intake_may_read(p->intake);
    return more ? 0 : wait_ms(p, until_ms, http_ms, registry_ms, publisher_ms);
}

/* True when there is nothing more to do; false to go on. */
static bool is_over(struct pipeline *p, const struct pipeline_options *options, int64_t deadline)
{
    if (p->stopping || p->fatal.code != ERROR_NONE)
        return true;
    if (!options->until_end)
        return false;
    if (until_end_is_out_of_reach(&p->until_end, &p->fatal))
        return true;
    if (until_end_reached(&p->until_end)) {
        member_status_log_totals(p->status, "end reached");
        return true;
    }
    if (deadline >= 0 && p->now.mono_ms >= deadline) {
        until_end_log_unsettled(&p->until_end);
        error_set(&p->fatal, ERROR_FAILED, "not everything was settled within the time limit");
    }
    return p->fatal.code != ERROR_NONE;
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
        if (consumer_closed(p->consumer) || p->now.mono_ms >= deadline)
            return;
        loop_wait(p->loop, wait < LEAVE_WAIT_MS ? wait : LEAVE_WAIT_MS);
    }
}

static void log_started(struct pipeline *p)
{
    log_info("started", LOG_S("version", ELEMENTOR_SYNC_VERSION),
             LOG_S("librdkafka", consumer_library_version()),
             LOG_S("libcurl", curl_version_info(CURLVERSION_NOW)->version),
             LOG_S("topic", p->config->kafka_topic), LOG_S("group", p->config->kafka_group),
             LOG_S("webhook", webhook_name(p->webhook)),
             LOG_I("concurrency", p->config->webhook_concurrency));
}

/* Limits that cannot be noticed later are logged at the start. */
static void log_limits(const struct pipeline *p)
{
    const char *lacks = kafka_library_lacks(rd_kafka_version());
    if (*lacks != '\0')
        log_warn("librdkafka too old", LOG_S("version", consumer_library_version()),
                 LOG_S("reason", lacks));
    log_info("topic recreation limits", LOG_S("topic", p->config->kafka_topic),
             LOG_S("reason", "a topic that is recreated is noticed only while members run and no "
                             "commit of the former one follows"),
             LOG_S("hint", "reset the group's offsets when you recreate the topic"));
}

static void run(struct pipeline *p, const struct pipeline_options *options,
                struct service_manager *manager)
{
    const struct join join = {.config = p->config,
                              .options = options,
                              .consumer = p->consumer,
                              .status = p->status,
                              .until_end = &p->until_end,
                              .pause = sender_pause(p->sender),
                              .loop = p->loop,
                              .ops = p->ops,
                              .wake_fd = p->wake_fd,
                              .stopping = &p->stopping};
    loop_watch(p->loop, options->stop_fd, LOOP_READ, stop_asked, p);
    log_started(p);
    log_limits(p);
    service_manager_tell_ready(manager);
    if (!join_group(&join, &p->fatal))
        return;
    int64_t deadline = options->timeout_ms >= 0 ? clock_mono_ms() + options->timeout_ms : -1;
    for (;;) {
        int64_t wait = turn(p);
        if (is_over(p, options, deadline))
            break;
        loop_wait(p->loop, wait);
    }
    service_manager_tell_stopping(manager);
    leave(p);
    exporter_finish(p->exporter, p->loop);
    member_status_publish_leaving(p->status);
    member_status_log_totals(p->status, "stopped");
}

bool pipeline_run(struct pipeline *p, const struct pipeline_options *options, struct error *err)
{
    struct service_manager *manager = service_manager_open(p->loop);
    run(p, options, manager);
    service_manager_close(manager);
    return p->fatal.code == ERROR_NONE || error_set(err, p->fatal.code, "%s", p->fatal.text);
}
