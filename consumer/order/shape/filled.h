/* filled: the body of payload.shape=template: the file's JSON with values in the places of its
 * placeholders. Pure: no double ever touches a decimal. */
#ifndef ORDER_SHAPE_FILLED_H
#define ORDER_SHAPE_FILLED_H

#include "base/time_zone.h"
#include "config/load/template_load.h"
#include "order/shape/shape.h"

struct filled_values {
    const struct shape_values *fields;
    const struct column *columns; /* in the order of the template's */
    const char *form_name;        /* valid UTF-8 */
    const char *event_id;         /* the same */
    int64_t event_ms;             /* since the epoch; -1: not known, null */
    const struct time_zone *zone; /* of columns without one; NULL: UTC */
};

enum filled_fault {
    FILLED_FINE,
    FILLED_BAD_TEXT, /* invalid UTF-8, or all together too long */
    FILLED_NO_VALUE, /* a number that JSON has not, or an array or the like */
    FILLED_BAD_TIME,
    FILLED_UNAVAILABLE
};

/* Appends the body. *ret_column: the column at fault; NULL: none. */
enum filled_fault filled_write(const struct payload_template *template,
                               const struct filled_values *values, struct buf *b,
                               const char **ret_column);

#endif
