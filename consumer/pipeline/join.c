/* join: everything before the first turn that asks brokers and waits for their answers. It
 * is done in a thread of its own, so that the loop answers on the ops port and hears a signal. */
#include "pipeline/pipeline_internal.h"

#include "sys/background.h"
#include "topics/settings/own_topics.h"
#include "topics/settings/start_guard.h"

#include <stdatomic.h>

enum { LOOK_UP_MS = 10000 };
enum { GUARD_READ_MS = 5000 }; /* for what was delivered in an earlier life of the group */
enum { SIGNAL_LOOK_MS = 200 };

/* The thread's until it has ended, but for `unwanted`. The loop's thread takes no turns meanwhile:
 * of the pipeline it uses the loop and the ops port alone. */
struct joining {
    struct pipeline *p;
    const struct pipeline_options *options;
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
    const struct start_guard_question question = {.at_end = j->options->start_at_end,
                                                  .timeout_ms = GUARD_READ_MS,
                                                  .reading_ms = GUARD_READ_MS,
                                                  .answered_ms = (int)timeout_ms,
                                                  .wanted = still_wanted,
                                                  .context = j};
    if (!start_guard_allows(j->p->config, &question, unknown, &j->err))
        return false;
    if (*unknown != '\0')
        log_warn("earlier outcomes unknown", LOG_S("reason", unknown),
                 LOG_S("hint", "let the program's user read deliveries.topic: only its records "
                               "show that kafka.start=latest is not a first start"));
    return true;
}

/* Until the topic is known to exist; false when told to stop meanwhile, or when it cannot be. */
static bool prepare(struct joining *j)
{
    struct pipeline *p = j->p;
    int64_t timeout_ms = j->options->until_end ? j->options->timeout_ms : -1;
    if (!consumer_start(p->consumer, timeout_ms, still_wanted, j, &j->err) ||
        !topics_prepare(p->config, p->consumer, &j->err) || !may_start(j, timeout_ms))
        return false;
    if (j->options->until_end &&
        !consumer_end_offsets(p->consumer, LOOK_UP_MS, &p->end_offsets, &p->end_count, &j->err))
        return false;
    say_joining(p);
    return true;
}

static void work(void *context)
{
    struct joining *j = context;
    j->ok = prepare(j);
}

bool join_group(struct pipeline *p, const struct pipeline_options *options)
{
    struct joining j = {.p = p, .options = options};
    struct background background = {.running = false};
    if (!background_start(&background, work, &j, p->wake_fd))
        return error_set(p->fatal, ERROR_NO_MEMORY, "no thread to ask the brokers");
    while (!background_take(&background)) {
        loop_wait(p->loop, SIGNAL_LOOK_MS);
        if (p->ops != NULL)
            ops_turn(p->ops);
        if (p->stopping)
            atomic_store(&j.unwanted, true);
    }
    if (j.err.code != ERROR_NONE)
        error_set(p->fatal, j.err.code, "%s", j.err.text);
    return j.ok && !p->stopping && consumer_subscribe(p->consumer, p->fatal);
}
