/* record_fetch: fetches single records by their coordinates, one after the other. */
#ifndef DASHBOARD_FEED_RECORD_FETCH_H
#define DASHBOARD_FEED_RECORD_FETCH_H

#include "config/config.h"
#include "sys/loop.h"

#include <librdkafka/rdkafka.h>

struct fetch;

enum fetch_result {
    FETCH_FOUND,
    FETCH_GONE,       /* deleted by retention or compaction, or its topic was created again */
    FETCH_UNAVAILABLE /* no broker answered in time */
};

/* The message is borrowed during the call; NULL unless found. */
typedef void fetch_done(void *context, enum fetch_result result, const rd_kafka_message_t *message);

struct fetch *fetch_new(const struct config *config, struct loop *loop, struct error *err);
void fetch_free(struct fetch *fetch); /* ends its jobs as UNAVAILABLE; accepts NULL */

/* topic is copied. done is called once, from fetch_turn or fetch_free. False without memory. */
bool fetch_start(struct fetch *fetch, const char *topic, int32_t partition, int64_t offset,
                 fetch_done *done, void *context) __attribute__((warn_unused_result));

/* ms until the next call is due. */
int64_t fetch_turn(struct fetch *fetch, int64_t now_ms);

#endif
