/* payload: validates a change and renders the exact bytes of the webhook's body.
 *
 * Pure: no I/O, no clock, no double ever touches a decimal. */
#ifndef ORDER_PAYLOAD_H
#define ORDER_PAYLOAD_H

#include "base/buf.h"
#include "base/time_zone.h"
#include "cdc/change.h"
#include "order/shape/json_text.h"
#include "order/shape/shape.h"

#include <stdbool.h>
#include <stdint.h>

#define PAYLOAD_BODY_MAX (1024 * 1024) /* bytes: the limit a caller gives the body's buf */

/* The closed list of reasons why a record can never be sent, each with the field it concerns. */
#define REJECT_REASONS(X)                                                                  \
    X(NONE, "")                                                                            \
    X(MISSING, "missing")         /* a required field is absent, null or blank */          \
    X(UNAVAILABLE, "unavailable") /* a TOAST value that the event does not carry */        \
    X(NEGATIVE, "negative")                                                                \
    X(NOT_A_NUMBER, "not_a_number")                                                        \
    X(NOT_WHOLE, "not_whole") /* a quantity that is not a whole number of at least 1 */    \
    X(BAD_TIME, "bad_time")   /* no time, no such day, or not in the years 1990 to 2099 */ \
    X(BAD_TEXT, "bad_text")   /* invalid UTF-8, or too long */

enum reject_reason {
#define X(id, name) REJECT_##id,
    REJECT_REASONS(X)
#undef X
};

struct rejection {
    enum reject_reason reason; /* REJECT_NONE: none */
    enum payload_field field;
    const char *column; /* in place of the field: one of payload.template's; NULL: none */
};

struct payload_options {
    const char *form_name;        /* "order_confirmation"; valid UTF-8, borrowed */
    enum payload_shape shape;     /* nested, flat; the others are written from nested */
    const struct time_zone *zone; /* of times without one; NULL: UTC. Borrowed */
    int32_t amount_decimals;      /* integer amounts are of this power of ten's part: 2: cents */
};

/* Appends the body of `change` to `body` (reset by the caller). Fields are checked in the payload's
 * order, so the first bad one names the rejection. record_ms is the Kafka record's timestamp, which
 * stands in where the event has no time of its own; -1: none. Returns true and a complete body, or
 * false and *ret_rejection; the body's contents are then undefined. */
bool payload_render(const struct change *change, int64_t record_ms,
                    const struct payload_options *options, struct buf *body,
                    struct rejection *ret_rejection);

/* One field as a person wants to see it, whatever becomes of the others. */
struct payload_shown {
    struct slice token;        /* its JSON in the body; of one that is rejected, the column's value
                                * as far as it can be written; without bytes: none */
    enum reject_reason reason; /* REJECT_NONE: it is fine */
};

/* Describes every field of `change`, into `b` (reset by the caller), which the tokens borrow. False
 * when it is full. */
bool payload_show(const struct change *change, int64_t record_ms,
                  const struct payload_options *options, struct buf *b,
                  struct payload_shown ret[FIELD_COUNT]);

/* "missing", as the reason begins. */
const char *reject_reason_name(enum reject_reason reason);

/* "missing:client_phone": the reason as journals and headers show it. Cut to size; returns text. */
const char *rejection_text(const struct rejection *rejection, char *text, size_t size);

#endif
