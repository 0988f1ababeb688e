/* replay_plan: the commit that makes a partition's deliveries of the past come again.
 *
 *        from            to             committed
 *   ──────┼───────────────┼─────────────────┼─────── settled above ──▶ offset
 *         │ sent again    │ counts as settled, as does what was settled above
 *
 * The new commit holds `from`; its metadata says the rest (offsets/commit_metadata). Nothing at or
 * above the old commit is touched: what was not sent yet is sent as ever, and is no replay. */
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

/* False, with FAILED, when what is settled above does not fit into a commit, or without memory. */
bool replay_plan(const struct replay_request *request, struct replay_commit *ret,
                 struct error *err) must_check;

/* How many offsets above the commit its metadata tells as settled; where its replay ends, -1:
 * none. */
int64_t replay_settled_above(int64_t committed, const char *metadata, int64_t *ret_replay_until);

#endif
