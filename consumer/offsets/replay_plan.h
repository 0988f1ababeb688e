/* replay_plan: the commit by which a partition's past deliveries are sent again.
 *
 *        from            to             committed
 *   ──────┼───────────────┼─────────────────┼─────── settled above ──▶ offset
 *         │ sent again    │ counts as settled, as does what was settled above
 *
 * The new commit holds `from`; its metadata holds the rest (offsets/commit_metadata). Nothing at or
 * above the old commit changes: records that were not sent yet are sent as usual, not as a replay.
 */
#ifndef OFFSETS_REPLAY_PLAN_H
#define OFFSETS_REPLAY_PLAN_H

#include "base/error.h"
#include "offsets/commit_metadata.h"

struct replay_request {
    int64_t low;          /* the partition's first offset that still exists */
    int64_t committed;    /* -1: nothing */
    const char *metadata; /* of that commit; "" for none */
    int64_t from;
    int64_t to; /* -1: up to the old commit */
};

struct replay_commit {
    int64_t from, to; /* from ≤ offset < to is read again; from == to: the commit stays as it is */
    char metadata[COMMIT_METADATA_MAX + 1];
};

/* False, with FAILED, when the settled offsets above do not fit into a commit, or without memory.
 */
bool replay_plan(const struct replay_request *request, struct replay_commit *ret,
                 struct error *err) must_check;

/* The number of offsets above the commit that its metadata lists as settled; *ret_replay_until:
 * where its replay ends, -1: it has none. */
int64_t replay_settled_above(int64_t committed, const char *metadata, int64_t *ret_replay_until);

#endif
