/* answered_again: a record that comes again although its transition was answered with 2xx: an
 * assignment was lost before the commit, and given back. It is settled without another request.
 * Replays and retries are sent: they are asked for. */
#include "pipeline/pipeline_internal.h"

#include <string.h>

enum { AT_LEAST = 65536 }; /* 2 × 2 × 16 bytes each */

struct answered *answered_new_for(const struct config *config)
{
    size_t most = (size_t)config->webhook_uncommitted_max; /* what a loss can take with it */
    return answered_new(most > AT_LEAST ? most : AT_LEAST);
}

static bool is_remembered(const struct delivery *d)
{
    return strcmp(d->source, "cdc") == 0 && d->id[0] != '\0';
}

static struct answered_record record_of(const struct delivery *d)
{
    return (struct answered_record){d->id, d->partition, d->offset, d->timestamp_ms};
}

void note_answered(struct pipeline *p, const struct delivery *d)
{
    const struct answered_record record = record_of(d);
    if (is_remembered(d))
        answered_note(p->answered, &record);
}

bool pass_answered(struct pipeline *p, struct delivery *d)
{
    const struct answered_record record = record_of(d);
    if (!is_remembered(d) || !answered_has(p->answered, &record))
        return false;
    log_debug("delivered before", LOG_S("id", d->id), LOG_I("partition", d->partition),
              LOG_I("offset", d->offset));
    p->totals.skipped[SKIP_ALREADY_DELIVERED]++;
    settle_unsent(p, d);
    return true;
}
