/* column_type: the columns of the rows that a writer's schema describes, and their types. Pure. */
#ifndef ORDER_COLUMN_TYPE_H
#define ORDER_COLUMN_TYPE_H

#include "cdc/avro_schema.h"

#include <stdbool.h>
#include <stddef.h>

enum { COLUMN_NAME_MAX = 128, COLUMN_TYPE_TEXT = 160, COLUMN_BRANCHES_MAX = 4 };

/* The kind of a column's values for the payload, as column_kind, before there is a value. */
enum column_sort { SORT_NONE, SORT_TEXT, SORT_INT, SORT_REAL, SORT_DECIMAL, SORT_OTHER };

/* One branch of a column's union, or its only type. */
struct column_branch {
    enum column_sort sort;
    uint8_t ticks; /* of SORT_INT, as in struct column */
    bool is_uuid, is_enum, is_boolean, is_day;
};

struct column_type {
    char column[COLUMN_NAME_MAX]; /* as the table calls it, cut to size */
    struct column_branch branches[COLUMN_BRANCHES_MAX];
    size_t branch_count; /* 0: nothing but null, or no such column */
    bool nullable;
    bool null_is_default;        /* a null may have been replaced by the default, unseen */
    char name[COLUMN_TYPE_TEXT]; /* "bytes (Decimal, scale 2), or null" */
};

/* The record that the whole schema is, or the one in its union; NULL: there is none. */
const json_t *column_top(const struct schema *schema);

/* The record that describes a row: the envelope's `after`, or the schema itself, or the record in
 * the union that either of them is. NULL: there is none. */
const json_t *column_row(const struct schema *schema, bool *ret_is_envelope);

/* The column of this name; branch_count 0 and name "" when the row has none. */
struct column_type column_type_of(const struct schema *schema, const json_t *row,
                                  const char *column);

/* The index-th column; false: there are no more. */
bool column_type_at(const struct schema *schema, const json_t *row, size_t index,
                    struct column_type *ret);

#endif
