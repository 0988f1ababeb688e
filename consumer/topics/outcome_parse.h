/* outcome_parse: the usual record of the deliveries topic, read fast. */
#ifndef TOPICS_OUTCOME_PARSE_H
#define TOPICS_OUTCOME_PARSE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* In the order in which outcome_record_write writes them. */
#define OUTCOME_FIELDS(TEXT, NUMBER) \
    TEXT(state)                      \
    TEXT(reason)                     \
    TEXT(order_id)                   \
    TEXT(order_number)               \
    TEXT(confirmed_at)               \
    TEXT(webhook_id)                 \
    TEXT(source)                     \
    TEXT(request)                    \
    TEXT(topic)                      \
    NUMBER(partition)                \
    NUMBER(offset)                   \
    NUMBER(timestamp_ms)             \
    NUMBER(lsn)                      \
    NUMBER(attempts)                 \
    NUMBER(status)                   \
    NUMBER(first_attempt_ms)         \
    NUMBER(last_attempt_ms)          \
    NUMBER(settled_ms)               \
    NUMBER(next_attempt_ms)          \
    TEXT(member)

/* A null is a text without bytes, a number of -1. */
struct outcome_fields {
#define TEXT(name) struct slice name;
#define NUMBER(name) int64_t name;
    OUTCOME_FIELDS(TEXT, NUMBER)
#undef TEXT
#undef NUMBER
    struct slice owner;    /* owner_mark; without bytes when it is not known */
    struct slice previous; /* a JSON array; without bytes when it is empty */
};

/* Reads a record as outcome_record_write leaves it, without escapes and without transitions before;
 * the texts borrow its bytes. False, ret untouched: it is another one, though it may be a good one;
 * a JSON parser tells. A tenth of such a parser's time, which is half of what it takes to build the
 * dashboard's view. */
bool outcome_read(struct slice record, struct outcome_fields *ret);

#endif
