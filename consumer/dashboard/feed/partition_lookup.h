/* partition_lookup: how many partitions the topics have and where these end.
 *
 * librdkafka tells only who waits for it, so each look has a thread that ends with it. The caller's
 * thread and that one never hold the same thing: what was found is handed over when it has ended.
 */
#ifndef DASHBOARD_FEED_PARTITION_LOOKUP_H
#define DASHBOARD_FEED_PARTITION_LOOKUP_H

#include "base/error.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

enum { LOOKUP_TOPICS_MAX = 4, LOOKUP_PARTITIONS_MAX = 4096 };

struct lookup;

struct lookup_found {
    rd_kafka_resp_err_t code;              /* else no broker answered, and nothing was found */
    int32_t partitions[LOOKUP_TOPICS_MAX]; /* 0: no such topic yet */
    int64_t *ends[LOOKUP_TOPICS_MAX];      /* when asked for; -1: not known */
};

/* Looks through rk, which outlives it, at count topics; wake_fd (an eventfd) is written to when a
 * look has ended. */
struct lookup *lookup_new(rd_kafka_t *rk, const char *const *topics, size_t count, int wake_fd,
                          struct error *err);
void lookup_free(struct lookup *lookup); /* accepts NULL; waits for a look to end */

/* Begins a look unless one is under way, whose results stand until the next begins. */
void lookup_start(struct lookup *lookup, bool with_ends);

/* Once for each look, when it has ended; else NULL. */
const struct lookup_found *lookup_take(struct lookup *lookup);

#endif
