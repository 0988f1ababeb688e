/* orders_watch: facts of the orders' topic that only Kafka knows: the group's lag, and the times of
 * the source's last change and last heartbeat.
 *
 * Members say the same of themselves; this is asked past them, so that it is known while none of
 * them runs, or one does not say the truth. Joins nothing and commits nothing. */
#ifndef DASHBOARD_FEED_ORDERS_WATCH_H
#define DASHBOARD_FEED_ORDERS_WATCH_H

#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>

struct orders_watch;

/* Times are those of the records, ms since 1970. */
enum { WATCH_NONE = -1, WATCH_UNKNOWN = -2 };

struct orders_seen {
    bool asked, answered;     /* a look has ended; Kafka answered in the last one */
    int64_t unread;           /* changes above the group's commits; UNKNOWN */
    int64_t oldest_unread_ms; /* of the first of them; NONE, UNKNOWN */
    int64_t newest_change_ms; /* NONE: the topic is empty; UNKNOWN */
    int64_t heartbeat_ms;     /* the last heartbeat; UNKNOWN: there is no topic of heartbeats */
    int64_t heartbeat_every_ms;
};

/* wake_fd (an eventfd) is written to when a look has ended. NULL with the reason. */
struct orders_watch *orders_watch_new(const struct config *config, int wake_fd, struct error *err);
void orders_watch_free(struct orders_watch *watch); /* accepts NULL; waits for a look to end */

/* Looks every two seconds, in a thread; ms until the next call is due. */
int64_t orders_watch_turn(struct orders_watch *watch, int64_t now_ms);

/* Of the last look that was answered; all UNKNOWN before the first. */
const struct orders_seen *orders_watch_seen(const struct orders_watch *watch);

/* The name of the source's topic of heartbeats: kafka.heartbeat_topic, else Debezium's for a topic
 * PREFIX.SCHEMA.TABLE; "" where there can be none. text needs 300 bytes. */
const char *orders_watch_heartbeats(const struct config *config, char *text, size_t size);

#endif
