/* shape: the forms in which a payload leaves, written from its nested JSON; pure.
 *
 *   nested               {"form_name":…,"fields":{…}}           order/payload writes these two
 *   flat                 {"form_name":…,…}
 *   elementor            Label=value&…&form_id=…&form_name=…     as Elementor Pro's Webhook action
 *   elementor-advanced   form[id]=…&fields[ID][value]=…&meta[…]  the same, with Advanced Data
 *   template             a file's JSON with values in it         order/shape/filled */
#ifndef ORDER_SHAPE_SHAPE_H
#define ORDER_SHAPE_SHAPE_H

#include "base/buf.h"
#include "base/slice.h"
#include "config/config.h"

#include <stdbool.h>

/* "Content-Type: application/json": the header of such a body. */
const char *shape_content_type(enum payload_shape shape);

/* The fields of a nested body as they stand in it: numbers, and strings with quotes and escapes. */
struct shape_values {
    struct slice token[FIELD_COUNT];
};

/* False: it is no nested body of order/payload. The tokens borrow it. */
bool shape_values_read(struct slice nested, struct shape_values *ret);

/* Texts borrowed. */
struct form_options {
    const char *form_id, *form_name;
    const char *labels[FIELD_COUNT];
};

/* Texts borrowed from the config. */
struct form_options form_options_of(const struct config *config);

/* Append the body; false when it does not fit. Encoded as PHP's http_build_query does it, so that
 * the bytes are those that WordPress sends. */
bool form_write(const struct form_options *options, const struct shape_values *values,
                struct buf *b);
bool form_write_advanced(const struct form_options *options, const struct shape_values *values,
                         struct buf *b);

#endif
