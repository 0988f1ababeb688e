/* keep_connected: keeps connections to the topics' leaders open, so that a click need not wait.
 *
 * A client connects to a partition's leader with its first request, which takes half a second, and
 * brokers close connections that were idle for ten minutes. So the topics' ends are requested every
 * few minutes. */
#ifndef DASHBOARD_FEED_KEEP_CONNECTED_H
#define DASHBOARD_FEED_KEEP_CONNECTED_H

#include "base/error.h"

#include <librdkafka/rdkafka.h>
#include <stdint.h>

struct keep_connected;

/* rk, the topics' names and wake_fd (an eventfd) outlive it. */
struct keep_connected *keep_connected_new(rd_kafka_t *rk, const char *const *topics, size_t count,
                                          int wake_fd, struct error *err);
void keep_connected_free(
    struct keep_connected *keep_connected); /* accepts NULL; before its client */

int64_t keep_connected_turn(struct keep_connected *keep_connected,
                            int64_t now_ms); /* ms until the next call is due */

#endif
