/* outcome_record: what the deliveries topic says of an order (schemas/outcome.schema.json). */
#ifndef TOPICS_OUTCOME_RECORD_H
#define TOPICS_OUTCOME_RECORD_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Texts borrowed; empty or NULL ones become null, and so do times of -1 and a status of 0. */
struct outcome_record {
    const char *state;  /* "delivered", "retrying", "parked" */
    const char *reason; /* "": none */
    struct slice order_id, order_number, confirmed_at;
    const char *webhook_id;
    const char *source;  /* "cdc", "retry", "redrive", "replay" */
    const char *request; /* of a manual retry */
    const char *topic;
    int32_t partition;
    int64_t offset, timestamp_ms, lsn;
    int attempts, status;
    int64_t first_attempt_ms, last_attempt_ms, settled_ms, next_attempt_ms; /* wall clock */
    const char *member;
    const char *owner;    /* owner_mark; "" or NULL: left out */
    const char *previous; /* a JSON array, or "" */
};

/* Appends the record as JSON; false when a text is no valid UTF-8 or the buffer is full. */
bool outcome_record_write(const struct outcome_record *record, struct buf *b);

#endif
