/* start_offsets: the beginning of each partition: its commit, or where kafka.start sets it. Looked
 * up in a thread of its own.
 *
 * A group that begins at the topic's end writes into every commit how many partitions the topic had
 * then. A partition without a commit is as old as that, and begins at its end as well (its member
 * started a moment later), or was added since, and begins at its beginning. */
#ifndef KAFKA_CONSUMER_START_OFFSETS_H
#define KAFKA_CONSUMER_START_OFFSETS_H

#include "kafka/consumer/assignment.h"
#include "sys/background.h"

/* The opaque of a start that was chosen, and is no commit yet. */
#define START_UNCOMMITTED ((void *)1)

struct start_offsets {
    const struct config *config; /* these three never change */
    const struct consumer_events *events;
    rd_kafka_t *rk;
    int wake_fd;
    struct background background;
    uint64_t rebalances; /* there were when it began: an older answer is thrown away */
    int32_t known_born;  /* as `born`, for the loop */
    bool follows;        /* looks how far the topic has grown, and nothing else */
    rd_kafka_topic_partition_list_t *list; /* from here on the thread's while it runs */
    int64_t *seen;                         /* by partition of the topic */
    size_t seen_count;
    int32_t partitions, retry_partitions;
    int32_t born; /* partitions of the topic when the group began at its end; 0: it did not, or this
                   * member does not know */
    bool ok, made_again;
    bool unanswered; /* a commit may be under way still */
    struct error err;
};

/* Finds, in the background, the offset (and metadata) that each of the list begins with; takes the
 * list. NULL: how many partitions there are, and have a retry partition. False: no thread. */
bool start_offsets_begin(struct start_offsets *s, const struct assignment *a, uint64_t rebalances,
                         rd_kafka_topic_partition_list_t *list);

/* True once: the answer is there, until start_offsets_clear. */
bool start_offsets_take(struct start_offsets *s);
void start_offsets_clear(struct start_offsets *s);

/* The topic was made again: nothing in it is older than the group. While nothing is looked for. */
void start_offsets_made_again(struct start_offsets *s);

void start_offsets_done(struct start_offsets *s);

/* The metadata of a commit; malloced. NULL without memory: then the commit goes without. */
char *start_offsets_metadata(int32_t born, bool is_retry, int64_t offset, const char *text);

#endif
