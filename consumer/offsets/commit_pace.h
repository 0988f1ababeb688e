/* commit_pace: how long to wait between two commits.
 *
 * Each costs the group's coordinator a record, so they are spaced; but what is delivered and not
 * committed is bounded (webhook.uncommitted_max), and deliveries must not come to wait for the
 * spacing. Pure. */
#ifndef OFFSETS_COMMIT_PACE_H
#define OFFSETS_COMMIT_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct commit_pace {
    int64_t interval_ms;  /* commit.interval */
    size_t uncovered_max; /* webhook.uncommitted_max */
};

/* The least time (ms) from one commit to the next: the interval, a quarter of it once more than
 * half of what may be uncovered is (dispatched, and by no acknowledged commit), or five where
 * nothing was settled (`only_passed`): a crash would read those records again and send nothing. */
int64_t commit_pace_ms(const struct commit_pace *pace, size_t uncovered, bool only_passed);

/* When a commit that is due at due_ms (-1: none is) may be sent: not before the join watch lets it
 * (wait_ms as join_watch_wait_ms has it; -1: not before a wake-up), but heartbeats that follow each
 * other quickly keep it back for no longer than their answers are waited for. wanted_ms: since when
 * there is something to commit. All monotonic. */
int64_t commit_pace_at_ms(int64_t due_ms, int64_t wanted_ms, int64_t wait_ms, int64_t now_ms);

#endif
