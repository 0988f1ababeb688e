/* offset_window: the settled offsets of one partition, and its watermark, which may be committed.
 *
 *            watermark                            next
 *   settled …    |  open  settled  open  settled …  |  not seen
 *   ─────────────┼──────────────────────────────────┼──────────▶ offset
 *
 * The watermark is the lowest open offset, or `next` when none is open: everything below it is
 * settled, so it is what a commit holds (the next offset to read). Only open offsets take memory: a
 * record that is not for us merely moves `next`. Gaps (compaction, transaction markers) count as
 * settled. Offsets are noted in increasing order; settled in any. Not thread-safe. */
#ifndef OFFSETS_OFFSET_WINDOW_H
#define OFFSETS_OFFSET_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct offset_window {
    int64_t next; /* the offset after the last one seen */
    struct offset_window_entry {
        int64_t offset;
        bool settled;
    } * ring; /* entries head … tail-1, oldest first; a settled one waits for those before it */
    uint64_t head, tail; /* sequence numbers; ring index = sequence number & (room - 1) */
    size_t room;         /* a power of two, or 0 */
    size_t open;         /* entries not settled */
    /* Offsets at or above `next` that an earlier owner settled (offsets/commit_metadata): passed
     * when they come. Owned; increasing, apart from each other; those before `known_at` lie behind.
     */
    struct offset_window_range {
        int64_t from, to; /* from ≤ offset < to */
    } * known;
    size_t known_at, known_count;
};

void offset_window_init(struct offset_window *w, int64_t position); /* allocates nothing */
void offset_window_done(struct offset_window *w);

/* True for an offset that has not been seen yet. A record below `next` is a repetition by the
 * fetcher and must be dropped, not delivered again. */
bool offset_window_is_new(const struct offset_window *w, int64_t offset);

/* True if an earlier owner settled this new offset already: then it is passed, not delivered. */
bool offset_window_is_known(struct offset_window *w, int64_t offset);

/* A new offset that is settled as it is seen. */
void offset_window_pass(struct offset_window *w, int64_t offset);

/* Makes room for one more open offset; false without memory. */
bool offset_window_reserve(struct offset_window *w);

/* A new offset that stays open, after offset_window_reserve; the sequence number names it for
 * offset_window_settle. */
uint64_t offset_window_open(struct offset_window *w, int64_t offset);

/* Settles an open offset; each sequence number exactly once. */
void offset_window_settle(struct offset_window *w, uint64_t sequence);

/* The offset that a sequence number names, before it is settled. */
int64_t offset_window_offset(const struct offset_window *w, uint64_t sequence);

/* The offset that may be committed. It never goes back. */
int64_t offset_window_watermark(const struct offset_window *w);

size_t offset_window_open_count(const struct offset_window *w);

#endif
