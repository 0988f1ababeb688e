/* partition_lookup: the topics' numbers of partitions and the ends of these.
 *
 * librdkafka's requests block, so each look-up has a thread that ends with it. The two threads
 * share no data: the result is handed over when the thread has ended. */
#ifndef DASHBOARD_FEED_PARTITION_LOOKUP_H
#define DASHBOARD_FEED_PARTITION_LOOKUP_H

#include "base/error.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

enum { LOOKUP_TOPICS_MAX = 5, LOOKUP_PARTITIONS_MAX = 4096 };

struct lookup;

struct lookup_found {
    rd_kafka_resp_err_t code;              /* an error: no broker answered, the rest is empty */
    int32_t partitions[LOOKUP_TOPICS_MAX]; /* 0: the topic does not exist yet */
    int64_t *ends[LOOKUP_TOPICS_MAX];      /* when requested; -1: unknown */
};

/* rk outlives it; wake_fd (an eventfd) is written to when a look-up has ended. */
struct lookup *lookup_new(rd_kafka_t *rk, const char *const *topics, size_t count, int wake_fd,
                          struct error *err);
void lookup_free(struct lookup *lookup); /* accepts NULL; waits for a look-up to end */

/* Begins a look-up unless one is under way. Its result is valid until the next begins. */
void lookup_start(struct lookup *lookup, bool with_ends);

/* The result, once, when a look-up has ended; else NULL. */
const struct lookup_found *lookup_take(struct lookup *lookup);

#endif
