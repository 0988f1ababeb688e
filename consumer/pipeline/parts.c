#include "pipeline/parts.h"

#include "sys/wakeup.h"

/* ---- wake-ups ---- */

static void schema_changed(void *context)
{
    struct pipeline_parts *p = context;
    intake_schema_changed(p->intake);
}

static void woken(void *context, int fd, unsigned events)
{
    struct pipeline_parts *p = context;
    (void)events;
    wakeup_clear(fd);
    intake_wake(p->intake);
}

/* ---- life ---- */

/* Everything that talks to others. */
static bool open_edges(struct pipeline_parts *p, struct error *err)
{
    const struct consumer_events events = membership_events(&p->membership);
    return (p->loop = loop_new(err)) != NULL && (p->http = http_new(p->loop, err)) != NULL &&
           (p->registry = registry_new(p->http, p->config, schema_changed, p, err)) != NULL &&
           (p->webhook = webhook_new(p->http, p->config, err)) != NULL &&
           (p->exporter = exporter_new(p->http, p->config, p->member, err)) != NULL &&
           (p->publisher = publisher_new(p->config, p->wake_fd, err)) != NULL &&
           (p->consumer = consumer_new(p->config, &events, p->wake_fd, err)) != NULL;
}

/* The deliveries' way: to the endpoint, and to their end. */
static bool make_sending(struct pipeline_parts *p, struct error *err)
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
static bool make_reading(struct pipeline_parts *p)
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

static bool make_status(struct pipeline_parts *p)
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

static bool make_parts(struct pipeline_parts *p, struct error *err)
{
    p->endpoint = endpoint_new(p->config, &p->now, p->webhook, &p->backlog, err);
    if (p->endpoint == NULL)
        return false;
    return (backlog_init(&p->backlog, &p->config->hash_key) && make_sending(p, err) &&
            make_reading(p) && make_status(p)) ||
           error_no_memory(err);
}

bool parts_open(struct pipeline_parts *p, const struct config *config, struct error *err)
{
    p->config = config;
    p->now = clock_now();
    p->wake_fd = wakeup_new();
    member_status_name(p->member);
    if (!open_edges(p, err) || !make_parts(p, err))
        return false;
    loop_watch(p->loop, p->wake_fd, LOOP_READ, woken, p);
    return true;
}

static void end_partitions(struct pipeline_parts *p)
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
void parts_close(struct pipeline_parts *p)
{
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
}
