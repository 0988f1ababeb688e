/* replay_command: resets the group's commits, so that a stretch of the past is sent again. */
#include "cli/audit.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "kafka/group/group_admin.h"
#include "kafka/start_position.h"
#include "offsets/replay_plan.h"
#include "operator/replay_scan.h"
#include "sys/signals.h"
#include "terminal/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 200 }; /* a receiver's assumed answer time, for the estimate */

struct replay_arguments {
    const char *from, *to, *partition;
    bool dry_run, yes;
};

static const struct argument arguments[] = {
    {"--from", ARGUMENT_TEXT, offsetof(struct replay_arguments, from), "WHERE",
     "beginning, an offset, or a time (2026-11-22T09:00:00Z, -1h)"},
    {"--to", ARGUMENT_TEXT, offsetof(struct replay_arguments, to), "WHERE",
     "send nothing from here on again (default: up to the commit)"},
    {"--partition", ARGUMENT_TEXT, offsetof(struct replay_arguments, partition), "N",
     "only this one"},
    {"--dry-run", ARGUMENT_FLAG, offsetof(struct replay_arguments, dry_run), "",
     "only show what would be sent"},
    {"--yes", ARGUMENT_FLAG, offsetof(struct replay_arguments, yes), "", "do not ask"},
};

struct replay {
    const struct config *config;
    const struct replay_arguments *own;
    struct position from, to;
    int64_t partition; /* -1: all */
    int stop_fd;
    struct group *group;
    struct group_topic topic;
    int64_t *starts, *ends; /* by partition; the stretches to read again */
    struct replay_commit *commits;
    size_t touched;
    struct replay_tally tally;
};

static bool read_partition(const char *text, int64_t *ret, struct error *err)
{
    char *end;
    *ret = -1;
    if (text == NULL)
        return true;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return (errno == 0 && end != text && *end == '\0' && *ret >= 0) ||
           error_set(err, ERROR_CONFIG, "--partition: \"%s\" is not a partition's number", text);
}

static bool read_options(struct replay *r, struct error *err)
{
    if (r->own->from == NULL)
        return error_set(err, ERROR_CONFIG, "--from is missing: where to begin");
    return position_parse("--from", r->own->from, &r->from, err) &&
           (r->own->to == NULL || position_parse("--to", r->own->to, &r->to, err)) &&
           read_partition(r->own->partition, &r->partition, err);
}

/* An offset is another moment in each partition. */
static bool fits_topic(struct replay *r, struct error *err)
{
    bool offsets =
        r->from.kind == POSITION_OFFSET || (r->own->to != NULL && r->to.kind == POSITION_OFFSET);
    if (r->topic.count == 0)
        return error_set(err, ERROR_FAILED, "topic \"%s\" does not exist on this cluster",
                         r->config->kafka_topic);
    if (r->partition >= (int64_t)r->topic.count)
        return error_set(err, ERROR_CONFIG, "--partition: the topic has %zu, from 0 on",
                         r->topic.count);
    return !offsets || r->partition >= 0 || r->topic.count == 1 ||
           error_set(err, ERROR_CONFIG, "an offset needs --partition: each has its own");
}

/* A position's offset in each partition. */
static bool locate(struct replay *r, const struct position *position, int64_t *ret,
                   struct error *err)
{
    if (position->kind == POSITION_TIME)
        return group_offsets_at(r->group, &r->topic, position->value, ret, err);
    for (size_t i = 0; i < r->topic.count; i++)
        ret[i] = position->value;
    return true;
}

static bool plan_partition(struct replay *r, size_t i, struct error *err)
{
    const struct group_partition *p = &r->topic.partitions[i];
    bool gone = p->committed > p->high; /* the topic was made again */
    const struct replay_request request = {.low = p->low,
                                           .committed = gone ? p->high : p->committed,
                                           .metadata = gone ? "" : p->metadata,
                                           .from = r->starts[i],
                                           .to = r->own->to != NULL ? r->ends[i] : -1};
    bool wanted = r->partition < 0 || r->partition == (int64_t)i;
    if (wanted && !replay_plan(&request, &r->commits[i], err))
        return false;
    r->starts[i] = r->commits[i].from;
    r->ends[i] = r->commits[i].to;
    r->touched += r->starts[i] < r->ends[i];
    return true;
}

static bool plan_all(struct replay *r, struct error *err)
{
    size_t count = r->topic.count;
    r->starts = calloc(count, sizeof *r->starts);
    r->ends = calloc(count, sizeof *r->ends);
    r->commits = calloc(count, sizeof *r->commits);
    if (r->starts == NULL || r->ends == NULL || r->commits == NULL) {
        error_no_memory(err);
        return false;
    }
    bool ok = locate(r, &r->from, r->starts, err) &&
              (r->own->to == NULL || locate(r, &r->to, r->ends, err));
    for (size_t i = 0; ok && i < count; i++)
        ok = plan_partition(r, i, err);
    return ok;
}

static void show_ranges(const struct replay *r)
{
    printf("%9s  %12s  %12s  %12s\n", "partition", "from", "to", "commit now");
    for (size_t i = 0; i < r->topic.count; i++)
        if (r->starts[i] < r->ends[i])
            printf("%9zu  %12" PRId64 "  %12" PRId64 "  %12" PRId64 "\n", i, r->starts[i],
                   r->ends[i], r->topic.partitions[i].committed);
    fflush(stdout);
}

static void show_tally(const struct replay *r)
{
    const struct replay_tally *t = &r->tally;
    int64_t ms = replay_estimate_ms(t->deliveries, r->config->webhook_concurrency, ANSWER_MS);
    printf("%" PRId64 " records, %" PRId64 " deliveries would be sent again, with the webhook-id "
           "they had\n",
           t->records, t->deliveries);
    if (t->rejects > 0)
        printf("%" PRId64 " records that cannot be sent would be parked again\n", t->rejects);
    printf("about %" PRId64 " s, if one member is answered within %d ms each time\n",
           (ms + 999) / 1000, ANSWER_MS);
    fflush(stdout);
}

/* The group may have committed while the operator was asked. */
static bool is_unchanged(struct replay *r, struct error *err)
{
    struct group_topic now = {0};
    bool ok = group_is_idle(r->group, r->stop_fd, err) &&
              group_look(r->group, r->config->kafka_topic, &now, err);
    bool same = ok && now.count == r->topic.count;
    for (size_t i = 0; same && i < now.count; i++)
        same = now.partitions[i].committed == r->topic.partitions[i].committed &&
               strcmp(now.partitions[i].metadata, r->topic.partitions[i].metadata) == 0;
    group_topic_done(&now);
    return same || error_set(err, ERROR_FAILED,
                             "nothing was done: the group has committed meanwhile; try again");
}

static void write_audit(const struct replay *r)
{
    for (size_t i = 0; i < r->topic.count; i++)
        if (r->starts[i] < r->ends[i])
            command_audit("replay", (const struct log_field[]){
                                        LOG_S("group", r->config->kafka_group),
                                        LOG_S("topic", r->config->kafka_topic),
                                        LOG_I("partition", (int64_t)i),
                                        LOG_I("from", r->starts[i]),
                                        LOG_I("to", r->ends[i]),
                                        LOG_I("committed", r->topic.partitions[i].committed),
                                        {0}});
}

static bool reset(struct replay *r, struct error *err)
{
    size_t count = 0;
    struct group_commit *commits = calloc(r->topic.count, sizeof *commits);
    if (commits == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < r->topic.count; i++)
        if (r->starts[i] < r->ends[i])
            commits[count++] =
                (struct group_commit){(int32_t)i, r->commits[i].from, r->commits[i].metadata};
    progress_step("resetting the group", -1);
    bool ok =
        is_unchanged(r, err) && group_commit(r->group, r->config->kafka_topic, commits, count, err);
    free(commits);
    progress_end();
    if (ok)
        write_audit(r);
    if (ok)
        puts("done; the group sends them again when its members start");
    return ok;
}

static bool replay(struct replay *r, struct error *err)
{
    progress_step("asking the cluster where the group stands", -1);
    if (!read_options(r, err) || (r->group = group_new(r->config, err)) == NULL ||
        (!r->own->dry_run && !group_is_idle(r->group, r->stop_fd, err)) ||
        !group_look(r->group, r->config->kafka_topic, &r->topic, err) || !fits_topic(r, err) ||
        !plan_all(r, err))
        return false;
    progress_end();
    if (r->touched == 0) {
        puts("nothing to send again: there is nothing below the group's commits there");
        return true;
    }
    show_ranges(r);
    if (!replay_scan(r->config, r->starts, r->ends, r->topic.count, r->stop_fd, &r->tally, err))
        return false;
    show_tally(r);
    return r->own->dry_run ||
           (command_confirm("Reset the group?", r->own->yes, r->stop_fd, err) && reset(r, err));
}

static bool run(struct config *config, const void *given, struct error *err)
{
    struct replay r = {.config = config, .own = given, .stop_fd = signals_of_command()};
    bool ok = replay(&r, err);
    signals_close(r.stop_fd);
    free(r.starts);
    free(r.ends);
    free(r.commits);
    group_topic_done(&r.topic);
    group_free(r.group);
    return ok;
}

static const char *const examples[] = {
    "replay --from 2026-11-22T09:00:00Z --to 2026-11-22T10:00:00Z --dry-run", NULL};

const struct command command_replay = {
    .name = "replay",
    .summary = "reset the group, so that a stretch of the past is sent again",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct replay_arguments),
    .needs = CONFIG_NEED_KAFKA | CONFIG_NEED_REGISTRY,
    .examples = examples,
    .run = run};
