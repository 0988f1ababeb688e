/* join_watch: when a member of a group must not commit, because it joins, or is about to.
 *
 *   heartbeat sent ─▶ answered ─▶ (SETTLE_MS) ─▶ nothing came of it
 *                                    │    ▲
 *                     JoinGroup sent ◀┘    └─ SyncGroup answered
 *
 * A member that asks to join waits until the others have. Until it is answered brokers look at
 * nothing else that comes on this connection, a commit included; and then the commit's generation
 * is over. librdkafka 1.6 to 2.9 takes that answer for the loss of all that is assigned (#4059): a
 * busy member would lose its partitions in nearly every rebalance, and have delivered for nothing
 * what no commit covers. So a commit is sent only when this watch allows it.
 *
 * librdkafka's interceptors report to it, on librdkafka's threads. They do not show an answer's
 * content, so some time is left for librdkafka to act on it: enough, but on a machine that gives
 * its threads none for so long. */
#ifndef KAFKA_CONSUMER_JOIN_WATCH_H
#define KAFKA_CONSUMER_JOIN_WATCH_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdint.h>

struct join_watch {
    atomic_llong joining_since_ms;  /* 0: it does not join; monotonic */
    atomic_llong asked_until_ms;    /* a heartbeat may have begun it; monotonic */
    atomic_llong expected_until_ms; /* what we did begins it */
    atomic_int wake_fd;             /* an eventfd: written to when there is less to wait; -1 */
};

/* To be called before the client is made of conf; the watch outlives it. */
void join_watch_add(rd_kafka_conf_t *conf, struct join_watch *watch, int wake_fd);

/* Partitions were given back: librdkafka will ask to join. */
void join_watch_expect(struct join_watch *watch);

/* Since when (monotonic ms) the member waits for the others of the group; 0: it does not. */
int64_t join_watch_since_ms(const struct join_watch *watch);

/* For a client that outlives its owner: wakes it no more. */
void join_watch_end(struct join_watch *watch);

/* 0: a commit may be sent; else how long to wait for that (ms), or -1: until woken. */
int64_t join_watch_wait_ms(const struct join_watch *watch, int64_t now_ms);

#endif
