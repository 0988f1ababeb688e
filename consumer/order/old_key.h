/* old_key: finds the order's id in the key that a record had before.
 *
 * Debezium writes the old key into the header __debezium.oldkey, in the form of the worker's
 * header.converter: {"id":"…"} (Connect's SimpleHeaderConverter, the default), or the same within
 * {"schema":…,"payload":…} (JsonConverter). Other forms are not read. Pure. */
#ifndef ORDER_OLD_KEY_H
#define ORDER_OLD_KEY_H

#include "base/slice.h"
#include "order/rule.h"

enum old_key {
    OLD_KEY_SAME,    /* the order has the id that it had, as far as the event shows */
    OLD_KEY_CHANGED, /* it had another one */
    OLD_KEY_UNTOLD   /* another form, or the id's column is not part of the key */
};

/* column: the name of the order id's column. */
enum old_key old_key_compare(struct slice header, const char *column, const struct order_id *id,
                             const struct column *id_column);

#endif
