#include "pipeline/sending/next_delivery.h"

#include <stdio.h>

void next_end_unsent(struct backlog *backlog, struct recorder *recorder)
{
    for (struct delivery *d; (d = order_queue_take_rejected(backlog->queues)) != NULL;) {
        partition_begin_work(partition_of(d));
        if (d->overtaken) {
            d->skip = SKIP_OVERTAKEN;
            snprintf(d->reason, sizeof d->reason, "%s", skip_reason_names[SKIP_OVERTAKEN]);
        }
        if (d->skip != SKIP_NONE)
            recorder_skip(recorder, d);
        else
            recorder_park(recorder, d, (struct slice){0}, false);
    }
}

/* True when the order does not need this retry any more: a later transition of it was delivered
 * meanwhile, or this one, without a request to repeat it; *ret_why then has the cause. */
static bool retry_is_superseded(const struct recorder *recorder, const struct delivery *d,
                                const char **ret_why)
{
    if (!d->manual || d->dispatched || !d->has_order_id)
        return false;
    switch (recorder_standing(recorder, d)) {
    case HISTORY_OVERTAKEN: *ret_why = "superseded"; return true;
    case HISTORY_DELIVERED: *ret_why = "already_delivered"; return !d->forced;
    default: return false;
    }
}

/* The next that may be sent. A manual retry that was overtaken since its request ends here, in its
 * order's turn. */
static struct delivery *take(struct backlog *backlog, struct recorder *recorder,
                             struct delivery *(*from)(struct backlog *backlog))
{
    struct delivery *d;
    const char *why;
    while ((d = from(backlog)) != NULL && retry_is_superseded(recorder, d, &why)) {
        d->skip = SKIP_SUPERSEDED;
        snprintf(d->reason, sizeof d->reason, "%s", why);
        partition_begin_work(partition_of(d));
        recorder_skip(recorder, d);
    }
    return d;
}

static struct delivery *from_first_attempts(struct backlog *backlog)
{
    return order_queue_take_first_attempt(backlog->queues);
}

static struct delivery *from_again(struct backlog *backlog)
{
    return order_queue_take(backlog->queues, false);
}

static struct delivery *from_any(struct backlog *backlog)
{
    return order_queue_take(backlog->queues, true);
}

static struct delivery *from_sole_probe(struct backlog *backlog)
{
    struct delivery *d = backlog->sole_probe;
    return d != NULL && order_queue_take_this(backlog->queues, d) ? d : NULL;
}

struct delivery *next_delivery(struct backlog *backlog, struct recorder *recorder, bool may_begin)
{
    return take(backlog, recorder, may_begin ? from_any : from_again);
}

struct delivery *next_probe(struct backlog *backlog, struct recorder *recorder)
{
    if (backlog->sole_probe != NULL)
        return take(backlog, recorder, from_sole_probe);
    struct delivery *d = take(backlog, recorder, from_first_attempts);
    if (d == NULL)
        d = take(backlog, recorder, from_again);
    if (d == NULL && order_queue_wake_first(backlog->queues))
        d = take(backlog, recorder, from_again);
    return d;
}
