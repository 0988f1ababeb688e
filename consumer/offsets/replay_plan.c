#include "offsets/replay_plan.h"

#include "base/slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The note that kafka/consumer/consumer keeps in every commit of a group that began at its topic's
 * end; "" when there is none. */
static const char *note_of(const char *metadata)
{
    const char *note = strstr(metadata, ".n");
    return has_prefix(metadata, "1.") && note != NULL ? note : "";
}

/* The settled ranges of the new window: from `to` to the old commit, then those of the old commit's
 * metadata. NULL without memory. */
static struct offset_window_range *ranges_of(const struct offset_window *old, int64_t to,
                                             int64_t committed, size_t *ret_count)
{
    size_t count = 0;
    struct offset_window_range *ranges = malloc((old->known_count + 1) * sizeof *ranges);
    if (ranges == NULL)
        return NULL;
    if (to < committed)
        ranges[count++] = (struct offset_window_range){to, committed};
    for (size_t i = 0; i < old->known_count; i++)
        ranges[count++] = old->known[i];
    *ret_count = count;
    return ranges;
}

static bool add_note(const char *note, int64_t from, char metadata[COMMIT_METADATA_MAX + 1])
{
    size_t len = strlen(metadata);
    if (*note != '\0' && len == 0)
        len = (size_t)snprintf(metadata, COMMIT_METADATA_MAX + 1, "1.%lld.", (long long)from);
    if (len + strlen(note) > COMMIT_METADATA_MAX)
        return false;
    snprintf(metadata + len, COMMIT_METADATA_MAX + 1 - len, "%s", note);
    return true;
}

bool replay_plan(const struct replay_request *r, struct replay_commit *ret, struct error *err)
{
    struct offset_window old, new;
    struct tried_list tried = {0}; /* above the old commit, so untouched by a replay */
    int64_t until;
    int64_t from = greater(r->from, r->low);
    int64_t to = r->to < 0 ? r->committed : lesser(r->to, r->committed);
    *ret = (struct replay_commit){.from = from, .to = from};
    if (r->committed < 0 || from >= to)
        return true;
    offset_window_init(&old, r->committed);
    offset_window_init(&new, from);
    (void)commit_metadata_read(&old, r->metadata, &tried,
                               &until); /* another program's: nothing is settled above */
    new.known = ranges_of(&old, to, r->committed, &new.known_count);
    bool fits = new.known !=
                    NULL &&commit_metadata_write(&new, greater(to, until), &tried, ret->metadata) &&
                add_note(note_of(r->metadata), from, ret->metadata);
    tried_done(&tried);
    offset_window_done(&old);
    offset_window_done(&new);
    if (!fits)
        return error_set(err, ERROR_FAILED,
                         "what is settled above the commit does not fit beside a replay: let the "
                         "group work it off first");
    ret->to = to;
    return true;
}

int64_t replay_settled_above(int64_t committed, const char *metadata, int64_t *ret_replay_until)
{
    struct offset_window w;
    int64_t settled = 0;
    *ret_replay_until = -1;
    if (committed < 0)
        return 0;
    offset_window_init(&w, committed);
    if (commit_metadata_read(&w, metadata, NULL, ret_replay_until))
        for (size_t i = 0; i < w.known_count; i++)
            settled += w.known[i].to - w.known[i].from;
    offset_window_done(&w);
    return settled;
}
