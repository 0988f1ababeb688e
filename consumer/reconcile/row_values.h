/* row_values: the columns of the shop's table that judge, name and fill an order, and what a row
 * has in them. Pure. */
#ifndef RECONCILE_ROW_VALUES_H
#define RECONCILE_ROW_VALUES_H

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"
#include "config/config.h"

/* By enum payload_field, then the rule's column, the owner's, and those of a template. */
enum {
    ROW_RULE_COLUMN = FIELD_COUNT,
    ROW_OWNER_COLUMN,
    ROW_EXTRA_COLUMN,
    ROW_COLUMNS_MAX = ROW_EXTRA_COLUMN + CHANGE_EXTRA_MAX
};

struct row_columns {
    const char *name[ROW_COLUMNS_MAX]; /* as the table calls it; NULL: none is wanted */
    size_t count;
};

/* Names are borrowed from the config. */
struct row_columns row_columns_of(const struct config *config);

struct row_value {
    enum row_value_kind { ROW_VALUE_ABSENT, ROW_VALUE_NULL, ROW_VALUE_TEXT } kind;
    struct slice text;
};

struct row_values {
    struct row_value value[ROW_COLUMNS_MAX];
};

/* Appends the first `count` as bytes; row_values_unpack reads them, and borrows them. False: they
 * are not of row_values_pack. */
void row_values_pack(const struct row_values *values, size_t count, struct buf *b);
bool row_values_unpack(struct slice bytes, struct row_values *ret) must_check;

#endif
