/* replay_scan: counts the orders that a replay would send, before it is done. */
#ifndef OPERATOR_REPLAY_SCAN_H
#define OPERATOR_REPLAY_SCAN_H

#include "config/config.h"

#include <stddef.h>
#include <stdint.h>

struct replay_tally {
    int64_t records, deliveries, rejects;
};

/* Reads partition p from starts[p] up to ends[p] and counts run's verdicts, showing progress. False
 * with FAILED when the operator stops it. */
bool replay_scan(const struct config *config, const int64_t *starts, const int64_t *ends,
                 size_t count, int stop_fd, struct replay_tally *ret, struct error *err) must_check;

/* The time that so many deliveries take, in ms: at `answer_ms` a request, `concurrency` at a
 * time. */
int64_t replay_estimate_ms(int64_t deliveries, int64_t concurrency, int64_t answer_ms);

#endif
