/* commit_pace: the time between two commits.
 *
 * Each costs the group's coordinator a record, so they are spaced. But deliveries that are not
 * committed are bounded (webhook.uncommitted_max), and must not have to wait for the spacing. Pure.
 */
#ifndef OFFSETS_COMMIT_PACE_H
#define OFFSETS_COMMIT_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct commit_pace {
    int64_t interval_ms;  /* commit.interval */
    size_t uncovered_max; /* webhook.uncommitted_max */
};

/* The least time (ms) from one commit to the next: the interval; a quarter of it once more than
 * half of uncovered_max is uncovered (dispatched, and in no acknowledged commit); or five intervals
 * where records were only skipped (`only_passed`): a crash would read them again and send nothing.
 */
int64_t commit_pace_ms(const struct commit_pace *pace, size_t uncovered, bool only_passed);

/* The time within which a failed attempt is told in a commit, unless the group joins or its
 * coordinator is slow. */
int64_t commit_pace_told_ms(int64_t interval_ms);

/* When a commit that is due at due_ms (-1: none is) may be sent: not before the join watch lets it
 * (wait_ms as join_watch_wait_ms has it; -1: not before a wake-up), but heartbeats in quick
 * succession delay it by no more than the time-out of their answers. wanted_ms: since when there is
 * something to commit. All monotonic. */
int64_t commit_pace_at_ms(int64_t due_ms, int64_t wanted_ms, int64_t wait_ms, int64_t now_ms);

#endif
