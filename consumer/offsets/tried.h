/* tried: the orders of a partition that were sent, failed, and are still to be sent.
 *
 * Their attempts go into the partition's commits (offsets/commit_metadata), so that a restart or
 * another member goes on counting. Of many the oldest are known: a commit holds no more, and these
 * have the most attempts to lose. Every call takes a bounded time. Not thread-safe. */
#ifndef OFFSETS_TRIED_H
#define OFFSETS_TRIED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRIED_MAX = 256 /* a commit's 4096 characters hold about 200 */ };

#define TRIED_ELSEWHERE UINT64_MAX

struct tried {
    int64_t offset; /* in the partition; increasing */
    /* as struct retry_history has them */
    int attempts, counted, endpoint_faults, unknown, timeouts;
    int64_t first_ms;      /* wall clock at the first attempt's start */
    int64_t age_ms;        /* what retry.give_up has counted up to the last attempt's end */
    bool others_since;     /* another order was delivered since the last attempt's end */
    uint64_t others_until; /* deliveries of this process up to then; TRIED_ELSEWHERE: the attempt
                              was another process's */
};

struct tried_list {
    struct tried *list; /* owned; NULL before the first */
    size_t count;
    uint64_t others_until; /* the least of those without others_since, or less */
    bool unread;           /* the commit told more than could be read */
};

void tried_done(struct tried_list *l);

/* Adds an order, or replaces its earlier state. Without memory, or when TRIED_MAX older ones are
 * known, it is not noted. */
void tried_note(struct tried_list *l, const struct tried *order);

/* The order at an offset, NULL when there is none. Borrowed until the next call that adds or
 * removes one. */
const struct tried *tried_find(const struct tried_list *l, int64_t offset);

/* Removes the order at an offset once it is settled. */
void tried_forget(struct tried_list *l, int64_t offset);

/* Removes all orders below an offset, which are settled. */
void tried_forget_below(struct tried_list *l, int64_t offset);

/* Sets others_since where the deliveries of this process up to now say so; false: none
 * was set by this call. */
bool tried_mark_others(struct tried_list *l, uint64_t deliveries);

#endif
