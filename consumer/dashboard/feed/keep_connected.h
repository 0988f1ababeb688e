/* keep_connected: connections that are there before somebody clicks.
 *
 * A client connects to a partition's leader when it first has something for it, which takes half a
 * second, and brokers close what was idle for ten minutes. So the ends of the topics are asked for
 * now and then. */
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
                            int64_t now_ms); /* ms until it wants to be called again */

#endif
