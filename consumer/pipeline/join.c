#include "pipeline/join.h"

#include "kafka/group/group_protocol.h"
#include "kafka/offsets.h"
#include "sys/background.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "topics/settings/own_topics.h"
#include "topics/settings/start_guard.h"

#include <stdatomic.h>

enum { GUARD_READ_MS = 5000 };  /* for outcomes of an earlier life of the group */
enum { CONTROL_END_MS = 2000 }; /* the group takes longer than that to answer, mostly */
enum { SIGNAL_LOOK_MS = 200, MEMBERS_MS = 1000 };
enum { UNANSWERED_LOG_MS = 60000 };

/* The thread's until it has ended, but for `unwanted`. The loop's thread takes no turns meanwhile:
 * it uses the loop and the ops port alone. */
struct joining {
    const struct join *join;
    atomic_bool unwanted;
    bool ok;
    struct error err;
};

static bool still_wanted(void *context)
{
    struct joining *j = context;
    return !atomic_load(&j->unwanted);
}

/* kafka.start=latest is for a first start, and nothing else. */
static bool may_start(struct joining *j, int64_t timeout_ms)
{
    char unknown[ERROR_TEXT_MAX];
    const struct start_guard_question question = {.at_end = j->join->options->start_at_end,
                                                  .timeout_ms = GUARD_READ_MS,
                                                  .reading_ms = GUARD_READ_MS,
                                                  .answered_ms = (int)timeout_ms,
                                                  .wanted = still_wanted,
                                                  .context = j};
    if (!start_guard_allows(j->join->config, &question, unknown, &j->err))
        return false;
    if (*unknown != '\0')
        log_warn("earlier outcomes unknown", LOG_S("reason", unknown),
                 LOG_S("hint", "let the program's user read deliveries.topic: only its records "
                               "show that kafka.start=latest is not a first start"));
    return true;
}

/* A cluster that loses a broker, or its controller, judges the request later: it is made again.
 * False when stopped meanwhile, or with j->err. */
static bool prepare_topics(struct joining *j, int64_t timeout_ms)
{
    const struct join *join = j->join;
    struct log_limited unanswered = {0};
    int64_t began_ms = clock_mono_ms();
    while (consumer_start(join->consumer, timeout_ms, still_wanted, j, &j->err)) {
        struct error why = {0};
        if (topics_prepare(join->config, join->consumer, &why)) {
            log_recovered(&unanswered, "own topics answered", (const struct log_field[]){{0}});
            return true;
        }
        int64_t now_ms = clock_mono_ms();
        bool is_late = timeout_ms >= 0 && now_ms - began_ms >= timeout_ms;
        if (why.code != ERROR_UNREACHABLE || is_late)
            return error_set(&j->err, why.code, "%s", why.text);
        const struct log_field fields[] = {
            LOG_S("error", why.text),
            LOG_S("hint", "they are asked for again until brokers answer"),
            {0}};
        log_limited(&unanswered, now_ms, UNANSWERED_LOG_MS, "own topics unanswered", fields);
        kafka_await_leaders(consumer_client(join->consumer), join->config->kafka_topic);
    }
    return false;
}

static void warn_of_other_members(const struct join *join)
{
    if (group_has_other_protocol(consumer_client(join->consumer), join->config, MEMBERS_MS))
        log_warn("group of two protocols", LOG_S("group", join->config->kafka_group),
                 LOG_S("reason", "the group has members of another group protocol than this "
                                 "member's (group.protocol), which it cannot name"),
                 LOG_S("hint", "unless each is a run of this topic, the orders of the partitions "
                               "that it gets are not sent: stop it, or give it another group"));
}

/* Waits until the topic is known to exist; false when stopped meanwhile, or with j->err. */
static bool prepare(struct joining *j)
{
    const struct join *join = j->join;
    const struct pipeline_options *options = join->options;
    int64_t timeout_ms = options->until_end ? options->timeout_ms : -1;
    if (!prepare_topics(j, timeout_ms) || !pause_begin(join->pause, CONTROL_END_MS, &j->err) ||
        !may_start(j, timeout_ms))
        return false;
    if (options->until_end && !until_end_find(join->until_end, &j->err))
        return false;
    warn_of_other_members(join);
    member_status_publish_joining(join->status);
    return true;
}

static void work(void *context)
{
    struct joining *j = context;
    j->ok = prepare(j);
}

bool join_group(const struct join *join, struct error *err)
{
    struct joining j = {.join = join};
    struct background background = {.running = false};
    if (!background_start(&background, work, &j, join->wake_fd))
        return error_set(err, ERROR_NO_MEMORY, "no thread to ask the brokers");
    while (!background_take(&background)) {
        loop_wait(join->loop, SIGNAL_LOOK_MS);
        if (join->ops != NULL)
            ops_turn(join->ops);
        if (*join->stopping)
            atomic_store(&j.unwanted, true);
    }
    if (j.err.code != ERROR_NONE)
        error_set(err, j.err.code, "%s", j.err.text);
    return j.ok && !*join->stopping && consumer_subscribe(join->consumer, err);
}
