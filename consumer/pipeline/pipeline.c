#include "pipeline/pipeline.h"

#include "http/ops_server.h"
#include "kafka/advice.h"
#include "pipeline/join.h"
#include "pipeline/metrics.h"
#include "pipeline/parts.h"
#include "sys/log.h"
#include "sys/service_manager.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { IDLE_WAIT_MS = 1000, LOOK_UP_MS = 10000 };
enum { LEAVE_WAIT_MS = 20 }; /* the consumer's end does not wake the loop */

struct pipeline {
    struct pipeline_parts parts;
    struct ops *ops; /* NULL: no ops.listen */
    bool stopping;   /* leaves the group */
};

/* ---- signals ---- */

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
        reloader_ask(p->parts.reloader);
        return;
    }
    if (got > 0) {
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
    }
    loop_forget(p->parts.loop, fd);
    p->stopping = true;
}

/* ---- the ops port ---- */

static void serve_metrics(void *context, struct buf *b)
{
    const struct pipeline *p = context;
    metrics_write(&p->parts.overview, member_status_started_ms(p->parts.status), b);
}

/* An answer proves that the loop turns. */
static bool is_live(void *context, const char **ret_why)
{
    const struct pipeline *p = context;
    *ret_why = "ending after a failure\n";
    return p->parts.fatal.code == ERROR_NONE;
}

static bool is_ready(void *context, const char **ret_why)
{
    struct pipeline *p = context;
    *ret_why = p->stopping ? "stopping\n" : "not in the group yet\n";
    if (p->stopping || !consumer_joined(p->parts.consumer) || !is_live(p, ret_why))
        return false;
    *ret_why = pause_state(sender_pause(p->parts.sender))->known
                   ? intake_trouble(p->parts.intake)
                   : "the control topic is not read yet\n";
    return *ret_why == NULL;
}

/* ---- start ---- */

static bool open_ops(struct pipeline *p, struct error *err)
{
    const struct ops_source source = {p, serve_metrics, is_live, is_ready};
    if (p->parts.config->ops_listen == NULL)
        return true;
    p->ops = ops_new(p->parts.loop, p->parts.config->ops_listen, &source, err);
    return p->ops != NULL;
}

struct pipeline *pipeline_new(const struct config *config, struct error *err)
{
    struct pipeline *p = calloc(1, sizeof *p);
    if (p == NULL) {
        error_no_memory(err);
        return NULL;
    }
    if (parts_open(&p->parts, config, err) && open_ops(p, err))
        return p;
    pipeline_free(p);
    return NULL;
}

void pipeline_free(struct pipeline *p)
{
    if (p == NULL)
        return;
    ops_free(p->ops);
    parts_close(&p->parts);
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
    int64_t wait = earlier(IDLE_WAIT_MS, consumer_wake_ms(p->parts.consumer));
    until_ms = earlier(
        earlier(until_ms, committer_wait_until(p->parts.committer)),
        earlier(sender_wait_until(p->parts.sender), exporter_wait_until(p->parts.exporter)));
    if (until_ms >= 0)
        wait = earlier(wait, until_ms > p->parts.now.mono_ms ? until_ms - p->parts.now.mono_ms : 0);
    return earlier(earlier(earlier(wait, http_ms), earlier(registry_ms, publisher_ms)), ops_ms);
}

/* One turn: answers, new records, attempts, commits. Returns how long the loop may wait before the
 * next (ms). */
static int64_t turn(struct pipeline *p)
{
    p->parts.now = clock_now();
    consumer_turn(p->parts.consumer);
    reloader_turn(p->parts.reloader);
    http_turn(p->parts.http);
    publisher_turn(p->parts.publisher, p->parts.now.mono_ms);
    if (!p->stopping)
        intake_turn(p->parts.intake);
    if (p->parts.fatal.code == ERROR_NONE) /* nothing is begun that could not be settled */
        sender_turn(p->parts.sender);
    exporter_turn(p->parts.exporter, p->parts.now.mono_ms);
    int64_t http_ms = http_turn(p->parts.http);
    int64_t registry_ms =
        registry_turn(p->parts.registry, p->parts.now.mono_ms); /* after http's answers */
    int64_t publisher_ms = publisher_turn(p->parts.publisher, p->parts.now.mono_ms);
    (void)publisher_is_lost(p->parts.publisher, &p->parts.fatal); /* is_over sees it */
    committer_turn(p->parts.committer);
    committer_give_back(p->parts.committer);
    membership_turn(&p->parts.membership);
    member_status_turn(p->parts.status);
    int64_t until_ms = order_queue_wake(p->parts.backlog.queues, p->parts.now.mono_ms);
    bool more = !p->stopping && intake_may_read(p->parts.intake);
    return more ? 0 : wait_ms(p, until_ms, http_ms, registry_ms, publisher_ms);
}

/* True when there is nothing more to do; false to go on. */
static bool is_over(struct pipeline *p, const struct pipeline_options *options, int64_t deadline)
{
    if (p->stopping || p->parts.fatal.code != ERROR_NONE)
        return true;
    if (!options->until_end)
        return false;
    if (until_end_is_out_of_reach(&p->parts.until_end, &p->parts.fatal))
        return true;
    if (until_end_reached(&p->parts.until_end)) {
        member_status_log_totals(p->parts.status, "end reached");
        return true;
    }
    if (deadline >= 0 && p->parts.now.mono_ms >= deadline) {
        until_end_log_unsettled(&p->parts.until_end);
        error_set(&p->parts.fatal, ERROR_FAILED,
                  "not everything was settled within the time limit");
    }
    return p->parts.fatal.code != ERROR_NONE;
}

/* Hands everything back and leaves the group; bounded by drain.timeout. */
static void leave(struct pipeline *p)
{
    p->stopping = true;
    consumer_close(p->parts.consumer);
    int64_t deadline = clock_mono_ms() + config_drain_timeout(p->parts.config) +
                       p->parts.config->outcome_timeout + LOOK_UP_MS;
    for (;;) {
        int64_t wait = turn(p);
        if (consumer_closed(p->parts.consumer) || p->parts.now.mono_ms >= deadline)
            return;
        loop_wait(p->parts.loop, wait < LEAVE_WAIT_MS ? wait : LEAVE_WAIT_MS);
    }
}

static void log_started(struct pipeline *p)
{
    log_info("started", LOG_S("version", ELEMENTOR_SYNC_VERSION),
             LOG_S("librdkafka", consumer_library_version()),
             LOG_S("libcurl", curl_version_info(CURLVERSION_NOW)->version),
             LOG_S("topic", p->parts.config->kafka_topic),
             LOG_S("group", p->parts.config->kafka_group),
             LOG_S("webhook", webhook_name(p->parts.webhook)),
             LOG_I("concurrency", p->parts.config->webhook_concurrency));
}

/* Limits that cannot be noticed later are logged at the start. */
static void log_limits(const struct pipeline *p)
{
    const char *lacks = kafka_library_lacks(rd_kafka_version());
    if (*lacks != '\0')
        log_warn("librdkafka too old", LOG_S("version", consumer_library_version()),
                 LOG_S("reason", lacks));
    log_info("topic recreation limits", LOG_S("topic", p->parts.config->kafka_topic),
             LOG_S("reason", "a topic that is recreated is noticed only while members run and no "
                             "commit of the former one follows"),
             LOG_S("hint", "reset the group's offsets when you recreate the topic"));
}

static void run(struct pipeline *p, const struct pipeline_options *options,
                struct service_manager *manager)
{
    const struct join join = {.config = p->parts.config,
                              .options = options,
                              .consumer = p->parts.consumer,
                              .status = p->parts.status,
                              .until_end = &p->parts.until_end,
                              .pause = sender_pause(p->parts.sender),
                              .loop = p->parts.loop,
                              .ops = p->ops,
                              .wake_fd = p->parts.wake_fd,
                              .stopping = &p->stopping};
    loop_watch(p->parts.loop, options->stop_fd, LOOP_READ, stop_asked, p);
    log_started(p);
    log_limits(p);
    service_manager_tell_ready(manager);
    if (!join_group(&join, &p->parts.fatal))
        return;
    int64_t deadline = options->timeout_ms >= 0 ? clock_mono_ms() + options->timeout_ms : -1;
    for (;;) {
        int64_t wait = turn(p);
        if (is_over(p, options, deadline))
            break;
        loop_wait(p->parts.loop, wait);
    }
    service_manager_tell_stopping(manager);
    leave(p);
    exporter_finish(p->parts.exporter, p->parts.loop);
    member_status_publish_leaving(p->parts.status);
    member_status_log_totals(p->parts.status, "stopped");
}

bool pipeline_run(struct pipeline *p, const struct pipeline_options *options, struct error *err)
{
    struct service_manager *manager = service_manager_open(p->parts.loop);
    run(p, options, manager);
    service_manager_close(manager);
    return p->parts.fatal.code == ERROR_NONE ||
           error_set(err, p->parts.fatal.code, "%s", p->parts.fatal.text);
}
