/* reader: reads a topic from somewhere without a group: nothing joins, nothing is committed. */
#ifndef KAFKA_READER_H
#define KAFKA_READER_H

#include "config/config.h"

#include <librdkafka/rdkafka.h>

struct reader;

/* from: as kafka/start_position.h has it. until_end: only what is there now. FAILED when the topic
 * does not exist, UNREACHABLE when no broker answers within 10 s, CONFIG when `from` is none of
 * these. */
struct reader *reader_new(const struct config *config, const char *from, bool until_end,
                          struct error *err);
/* The same of another topic; its name is borrowed. */
struct reader *reader_of_topic(const struct config *config, const char *topic, const char *from,
                               bool until_end, struct error *err);

/* Partition p of kafka.topic from starts[p] up to ends[p], for `count` partitions. */
struct reader *reader_between(const struct config *config, const int64_t *starts,
                              const int64_t *ends, size_t count, struct error *err);
/* The same of another topic; its name is borrowed. */
struct reader *reader_between_of(const struct config *config, const char *topic,
                                 const int64_t *starts, const int64_t *ends, size_t count,
                                 struct error *err);
void reader_free(struct reader *reader); /* accepts NULL */

/* The next message, NULL when none came within timeout_ms. The caller destroys it. */
rd_kafka_message_t *reader_next(struct reader *reader, int timeout_ms);

/* Every partition has been read up to the end it had at the start. */
bool reader_at_end(const struct reader *reader);

#endif
