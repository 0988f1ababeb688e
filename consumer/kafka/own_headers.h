/* own_headers: the headers of the program's own records: their names, and one way to write and to
 * read them. topics/ lists which record has which.
 *
 * headers may be NULL where they are read: a message without any. */
#ifndef KAFKA_OWN_HEADERS_H
#define KAFKA_OWN_HEADERS_H

#include "base/slice.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#define OWN_HEADER_PREFIX "elementor-sync."

/* The constant, and what stands behind the prefix. */
#define OWN_HEADERS(X)                    \
    X(OWN_ATTEMPTS, "attempts")           \
    X(OWN_BY, "by")                       \
    X(OWN_CLASS, "class")                 \
    X(OWN_DETAIL, "detail")               \
    X(OWN_DROPPED_VALUE, "dropped-value") \
    X(OWN_FIRST_ATTEMPT, "first-attempt") \
    X(OWN_FORCED, "forced")               \
    X(OWN_GROUP, "group")                 \
    X(OWN_JUDGED, "judged")               \
    X(OWN_LAST_ATTEMPT, "last-attempt")   \
    X(OWN_OFFSET, "offset")               \
    X(OWN_ORDER, "order")                 \
    X(OWN_ORDER_ID, "order-id")           \
    X(OWN_ORDER_NUMBER, "order-number")   \
    X(OWN_PARK_REASON, "park-reason")     \
    X(OWN_PARK_UNTIL, "park-until")       \
    X(OWN_PARTITION, "partition")         \
    X(OWN_REASON, "reason")               \
    X(OWN_REQUEST, "request")             \
    X(OWN_RESPONSE, "response")           \
    X(OWN_SCHEMA_ID, "schema-id")         \
    X(OWN_SOURCE, "source")               \
    X(OWN_STATUS, "status")               \
    X(OWN_TIMESTAMP, "timestamp")         \
    X(OWN_TOPIC, "topic")                 \
    X(OWN_WEBHOOK_ID, "webhook-id")

enum own_header {
#define CONSTANT(constant, name) constant,
    OWN_HEADERS(CONSTANT)
#undef CONSTANT
        OWN_HEADER_COUNT
};

/* A header of this name is one of the program's own, of any release. */
bool own_header_is(const char *name);

/* Which one it is; OWN_HEADER_COUNT: none of them. */
enum own_header own_header_of(const char *name);

/* ---- writing ---- */

/* Left out when it is empty, or NULL. */
void own_header_add(rd_kafka_headers_t *headers, enum own_header header, struct slice value);

/* Left out when it is below 0. */
void own_header_add_number(rd_kafka_headers_t *headers, enum own_header header, int64_t number);

/* A copy of all that are not the program's own; the caller's. */
rd_kafka_headers_t *own_headers_without(const rd_kafka_headers_t *headers);

/* ---- reading: what is returned borrows the headers, with a NUL behind it ---- */

bool own_header_there(const rd_kafka_headers_t *headers, enum own_header header);

/* As it is: without bytes when it is missing. */
struct slice own_header_bytes(const rd_kafka_headers_t *headers, enum own_header header);

/* NULL: missing, empty, not UTF-8, or with a NUL in it. */
const char *own_header_text(const rd_kafka_headers_t *headers, enum own_header header);

/* 1 to 19 digits and nothing else, from 0 to max; false: anything else, *ret untouched. */
bool own_header_number(const rd_kafka_headers_t *headers, enum own_header header, int64_t max,
                       int64_t *ret);

#endif
