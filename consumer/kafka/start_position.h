/* start_position: a place in a topic to begin or end at, as a person writes it. */
#ifndef KAFKA_START_POSITION_H
#define KAFKA_START_POSITION_H

#include "base/error.h"

#include <stdint.h>

struct position {
    enum position_kind { POSITION_BEGINNING, POSITION_OFFSET, POSITION_TIME } kind;
    int64_t value; /* an offset, or ms since the epoch */
};

/* "beginning", an offset, an RFC 3339 time ("2026-11-22T09:00:00Z", or with an offset from UTC), or
 * a time ago ("-1h"). CONFIG, naming the argument, when text is none of these. */
bool position_parse(const char *argument, const char *text, struct position *ret,
                    struct error *err) must_check;

/* The same of a time alone, in ms since the epoch. */
bool position_parse_time(const char *argument, const char *text, int64_t *ret_ms,
                         struct error *err) must_check;

#endif
