/* parked_record: the dead-letter topic: records as they were, with what is known about why.
 *
 * A record is parked before it settles; publisher.h says how it gets there. */
#ifndef TOPICS_PARKED_RECORD_H
#define TOPICS_PARKED_RECORD_H

#include "base/slice.h"
#include "kafka/producer/publisher.h"

/* What is parked; everything is copied at the call. Texts that are empty or NULL, and numbers below
 * 0, are left out. */
struct parked_record {
    const char *group; /* that parks it */
    bool judged;       /* by the rule: it is to be delivered */
    const char *topic; /* source coordinates */
    int32_t partition;
    int64_t offset, timestamp_ms;
    struct slice key, value;
    const rd_kafka_headers_t *headers; /* NULL: none */
    const char *reason;                /* of the closed list, "missing:client_phone" */
    const char *detail;                /* one line for people; no personal data */
    const char *class; /* "validation", "undecodable", "refused", "exhausted", "endpoint",
                        * "unknown_result" */
    int64_t schema_id;
    struct slice order_id, order_number, response;
    const char *webhook_id;
    const char *source; /* "cdc", "retry", "redrive", "replay" */
    int64_t status, attempts, first_attempt_ms, last_attempt_ms;
};

/* Takes responsibility for the record: done(context, acknowledged) as in publisher.h, without a
 * deadline. Headers: schemas of consumer/README.md, "Topics". False only without memory. */
bool parking_put(struct publisher *publisher, const struct config *config,
                 const struct parked_record *record, publisher_done *done, void *context,
                 struct error *err) must_check;

#endif
