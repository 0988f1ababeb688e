/* parked_record: the dead-letter topic: records as they were, with what is known about why.
 *
 * A record is parked before it settles; publisher.h describes how it gets there. Of one that was
 * too large for the topic only the headers are there. */
#ifndef TOPICS_PARKED_RECORD_H
#define TOPICS_PARKED_RECORD_H

#include "base/slice.h"
#include "kafka/producer/publisher.h"

/* Written: copied at the call. Read: borrowed from the message. Texts that are empty, and numbers
 * below 0, are not in the record. */
struct parked_record {
    struct slice group; /* that parked it; a former release named none */
    bool judged;        /* by the rule: it is to be delivered */
    const char *topic;  /* source coordinates */
    int32_t partition;
    int64_t offset, timestamp_ms;
    struct slice key, value;
    const rd_kafka_headers_t *headers; /* of the original; read: with those that parking added */
    struct slice reason;               /* of the closed list, "missing:client_phone" */
    struct slice detail;               /* one line for people; no personal data */
    struct slice class;  /* "validation", "undecodable", "refused", "exhausted", "endpoint",
                          * "unknown_result" */
    struct slice schema; /* as cdc/schema_ref writes it: "7" */
    struct slice order_id, order_number, response, webhook_id;
    struct slice source; /* "cdc", "retry", "redrive", "replay" */
    int64_t status, attempts, first_attempt_ms, last_attempt_ms;
};

/* Takes responsibility for the record: done(context, acknowledged) as in publisher.h, without a
 * deadline. Headers: kafka/own_headers.h. False only without memory. */
bool parked_record_write(struct publisher *publisher, const struct config *config,
                         const struct parked_record *record, publisher_done *done, void *context,
                         struct error *err) must_check;

/* False, with why, when the source's coordinates are missing or out of range. Any other number that
 * is out of range is -1. judged: a former release did not say; what could not be decoded was not.
 */
bool parked_record_read(const rd_kafka_message_t *m, struct parked_record *ret,
                        const char **ret_why) must_check;

/* This group parked it, from this topic: a parked topic may be shared. A former release
 * named no group. */
bool parked_record_is_ours(const struct config *config, const struct parked_record *record);

/* The order's id alone, also of a record that parked_record_read refuses. */
struct slice parked_record_order_id(const rd_kafka_message_t *m);

#endif
