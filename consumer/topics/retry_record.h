/* retry_record: asks the group to send an order again: a record of the retry topic.
 *
 * It carries the original record (key, bytes, headers) and the place where that one lay:
 *
 *   elementor-sync.group                           the group that is to send it: no other does
 *   elementor-sync.topic .partition .offset .timestamp   of the source record
 *   elementor-sync.judged                          "yes": the rule has said that it is to be sent;
 *                                                  "no": it goes through the rule first
 *   elementor-sync.forced                          "yes": although it was delivered
 *   elementor-sync.source                          "retry", "redrive" or "replay"
 *   elementor-sync.request                         its outcome names this request
 *   elementor-sync.by                              who asked for it
 *   elementor-sync.order                           the key of its outcome record
 *
 * It goes to the partition with the source partition's number: the owner of the one owns the other,
 * so an order's deliveries stay in one hand. */
#ifndef TOPICS_RETRY_RECORD_H
#define TOPICS_RETRY_RECORD_H

#include "base/slice.h"
#include "kafka/producer/publisher.h"
#include "topics/parked_record.h"

enum { RETRY_REQUEST_MAX = 33 };

/* The names of those that ask and are no operator at a dashboard: customers are not named, since
 * the topic keeps it, and a command leaves an audit line with its user and host. */
#define RETRY_BY_CUSTOMER "a customer"
#define RETRY_BY_COMMAND "a command"

/* Texts are borrowed: written, from the caller; read, from the message. */
struct retry_record {
    const char *topic; /* coordinates of the source record */
    int32_t partition;
    int64_t offset, timestamp_ms;      /* timestamp -1: unknown */
    const char *source;                /* "retry", "redrive" or "replay" */
    const char *request;               /* NULL: none is named */
    const char *by;                    /* RETRY_BY_…, or an operator's subject; NULL: not known */
    struct slice order;                /* the key of its outcome record */
    bool judged;                       /* by the rule; false: not, or not known */
    bool forced;                       /* to be sent although it was delivered */
    struct slice key, value;           /* of the original record */
    const rd_kafka_headers_t *headers; /* its headers; NULL: none. Those of ours are not written */
};

/* A new request's id: 32 random hex digits. */
bool retry_request_new(char ret[RETRY_REQUEST_MAX], struct error *err) must_check;

/* Asks for what was parked to be sent again. source, request and forced are the caller's to fill
 * in. The value is empty when the record was too large to be parked whole: it has to be fetched
 * from its source. */
struct retry_record retry_record_of_parked(const struct parked_record *parked);

/* The same for an original record; order and judged too are the caller's to fill in. */
struct retry_record retry_record_of_original(const rd_kafka_message_t *m);

/* False: the topic was created again, and has another record at the original's offset.
 * timestamp_ms: the original's; -1: unknown. */
bool retry_record_is_original(const rd_kafka_message_t *m, int64_t timestamp_ms);

/* Writes it; done(context, acknowledged) as in publisher.h: once, later, not from within.
 * deadline_ms: monotonic, -1: none; all of one publisher's deadlines must be equally far off. False
 * only without memory. */
bool retry_record_write(struct publisher *publisher, const struct config *config,
                        const struct retry_record *record, int64_t deadline_ms,
                        publisher_done *done, void *context, struct error *err) must_check;

/* False when it cannot be read; *ret_why then has the cause. */
bool retry_record_read(const rd_kafka_message_t *m, struct retry_record *ret,
                       const char **ret_why) must_check;

/* The record was written for this topic and group; *ret_why: the cause when it was not. It need not
 * be readable. */
bool retry_record_is_ours(const struct config *config, const rd_kafka_message_t *m,
                          const char **ret_why) must_check;

/* The original record's headers, detached from the message, and *ret_size: about the bytes of
 * memory that they take; NULL and 0: none. The caller's. */
void *retry_headers(rd_kafka_message_t *m, size_t *ret_size);

#endif
