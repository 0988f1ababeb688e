/* outcome_record: an order's outcome, as the deliveries topic has it
 * (schemas/outcome.schema.json). */
#ifndef TOPICS_OUTCOME_RECORD_H
#define TOPICS_OUTCOME_RECORD_H

#include "base/buf.h"
#include "base/slice.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* In the order in which they are written. Times: by the wall clock. */
#define OUTCOME_FIELDS(TEXT, NUMBER)                         \
    TEXT(state) /* "delivered", "retrying", "parked", … */ \
    TEXT(reason)                                             \
    TEXT(order_id)                                           \
    TEXT(order_number)                                       \
    TEXT(confirmed_at)                                       \
    TEXT(webhook_id)                                         \
    TEXT(source)  /* "cdc", "retry", "redrive", "replay" */  \
    TEXT(request) /* of a manual retry */                    \
    TEXT(topic)                                              \
    NUMBER(partition)                                        \
    NUMBER(offset)                                           \
    NUMBER(timestamp_ms)                                     \
    NUMBER(lsn)                                              \
    NUMBER(attempts)                                         \
    NUMBER(status)                                           \
    NUMBER(first_attempt_ms)                                 \
    NUMBER(last_attempt_ms)                                  \
    NUMBER(settled_ms)                                       \
    NUMBER(next_attempt_ms)                                  \
    TEXT(member)

/* Texts are borrowed. A text without bytes, and a number below 0, is null in the record (of the
 * reason: ""), and is read as one without bytes, and -1. */
struct outcome_record {
#define TEXT(name) struct slice name;
#define NUMBER(name) int64_t name;
    OUTCOME_FIELDS(TEXT, NUMBER)
#undef TEXT
#undef NUMBER
    struct slice owner;    /* owner_mark; without bytes: not in the record */
    struct slice response; /* of the last answer the beginning, redacted; without bytes: not in the
                            * record. Only written */
    struct slice
        response_json;     /* only read: the same as it stands there, with quotes and escapes */
    struct slice tries;    /* the attempts, a JSON array; without bytes: not in the record */
    struct slice previous; /* a JSON array; without bytes: an empty one */
    /* The next two are only read. */
    struct slice dismissed; /* of outcome_dismiss, a JSON object; without bytes: never */
    bool is_dismissed;      /* it stands */
};

/* Appends the record as JSON; false when a text is not valid UTF-8 or the buffer is full. */
bool outcome_record_write(const struct outcome_record *record, struct buf *b);

/* Reads a record as outcome_record_write leaves it, without transitions before and with escapes in
 * the response alone;
 * the texts borrow its bytes. False, ret untouched: it is another one, though it may be a good one;
 * outcome_read finds out. A tenth of a JSON parser's time, which is half of what it takes to build
 * the dashboard's view. */
bool outcome_record_read(struct slice bytes, struct outcome_record *ret);

/* Any record that the schema allows. */
struct outcome {
    struct outcome_record record;
    json_t *parsed; /* what its texts borrow, unless they borrow the record's bytes */
    char *previous, *response_json, *tries, *dismissed;
};

/* False: it is no JSON object. To be ended with outcome_done either way. */
bool outcome_read(struct slice bytes, struct outcome *ret);
void outcome_done(struct outcome *outcome);

/* ---- a dismissal: an operator's word that a parked order will never be sent ----
 *
 *   "dismissed":{"at_ms":…,"by":"amina@host","reason":"…"}
 *   "dismissed":{"at_ms":…,"by":"amina@host","reason":"…","undone_ms":…,"undone_by":"…"}
 *
 * A member of the outcome record, which stays "parked" otherwise: so each dashboard and a rebuilt
 * view agree, compaction keeps it, and the order's next outcome ends it. Former releases pass it
 * by: to them the order is parked. */

/* True: the outcome is parked and dismissed, and that was not taken back. */
bool outcome_is_dismissed(const json_t *outcome);

/* Writes it into an outcome, and takes the one that stands back. by, reason: UTF-8. False without
 * memory. */
bool outcome_dismiss(json_t *outcome, const char *by, const char *reason, int64_t at_ms);
bool outcome_restore(json_t *outcome, const char *by, int64_t at_ms);

/* A member of a parsed record as text, borrowed from it; no bytes when it is null or no text. */
struct slice outcome_slice(const json_t *record, const char *name);

#endif
