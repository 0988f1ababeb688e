/* resender: original records into the retry topic, one after the other. Blocking; for the commands.
 */
#ifndef OPERATOR_RESENDER_H
#define OPERATOR_RESENDER_H

#include "topics/retry_record.h"

struct resender;

struct resender *resender_new(const struct config *config, struct error *err);
void resender_free(struct resender *resender); /* accepts NULL */

struct resend_ask {
    const char *source;  /* "retry", "redrive" */
    const char *request; /* its outcome is waited for */
    bool judged;         /* not of resender_parked: as in retry_record.h */
    bool forced;
};

/* The bytes of a parked record; of one that was too large to be parked whole, its source's. The
 * record has a mark if it was judged. Returns when the brokers have acknowledged it. UNREACHABLE
 * when they do not within 10 s; FAILED when the bytes are nowhere any more. */
bool resender_parked(struct resender *resender, const rd_kafka_message_t *parked,
                     const struct resend_ask *ask, struct error *err) must_check;

/* The record at these coordinates of kafka.topic, if it is of this time (-1: unknown). order is the
 * key of its outcome record. */
bool resender_source(struct resender *resender, int32_t partition, int64_t offset,
                     int64_t timestamp_ms, struct slice order, const struct resend_ask *ask,
                     struct error *err) must_check;

/* This original record, which the caller has. order is the key of its outcome record. */
bool resender_original(struct resender *resender, const rd_kafka_message_t *m, struct slice order,
                       const struct resend_ask *ask, struct error *err) must_check;

/* A record that lies nowhere else. Its source, request and forced are those of ask. */
bool resender_record(struct resender *resender, const struct retry_record *record,
                     const struct resend_ask *ask, struct error *err) must_check;

/* A record without headers into another of the program's own topics, its partition by its key. No
 * value: a tombstone. As above. */
bool resender_publish(struct resender *resender, const char *topic, struct slice key,
                      struct slice value, struct error *err) must_check;

/* The producer itself; valid until resender_free. */
rd_kafka_t *resender_client(struct resender *resender);

#endif
