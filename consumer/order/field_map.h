/* field_map: the mapping of each payload field by a writer's schema, in words: its column, the
 * column's Avro type, the result, and whether an order can be sent at all. Pure. */
#ifndef ORDER_FIELD_MAP_H
#define ORDER_FIELD_MAP_H

#include "cdc/plan.h"

enum { FIELD_MAP_TEXT = 420, FIELD_MAP_COLUMNS = 2048 };

enum field_fate {
    FIELD_FINE,
    FIELD_DOUBTFUL, /* something is sent, perhaps not what is meant */
    FIELD_HOPELESS  /* every order is parked */
};

struct field_source {
    enum field_fate fate;
    char type[FIELD_MAP_TEXT];    /* "string", "bytes (Decimal, scale 2), or null"; "": no column */
    char becomes[FIELD_MAP_TEXT]; /* "number with exactly its digits" */
};

struct field_map {
    char schema[FIELD_MAP_TEXT]; /* the schema's full name, cut to size */
    enum plan_shape shape;
    struct field_source field[FIELD_COUNT];
    struct field_source rule;                    /* as rule.column reads it */
    struct field_source owner;                   /* of auth.owner_column; zero unless it is set */
    struct field_source extra[CHANGE_EXTRA_MAX]; /* of plan_options.extra_columns */
    bool has_absent;                             /* a column that is asked for is not there */
    char columns[FIELD_MAP_COLUMNS]; /* all of them: "id string (Uuid), status string" */
    struct error refused;            /* as plan_compile's; code ERROR_NONE: records can be read */
};

/* Maps all fields at once, with payload.amount_decimals: a row that plan_compile refuses with
 * CONFIG is mapped all the same, with the refusal in `refused`. Fails with UNDECODABLE where there
 * is no row to map.
 */
bool field_map_of(const char *schema, size_t len, const struct plan_options *options,
                  int64_t amount_decimals, struct field_map *ret_map, struct error *err) must_check;

#endif
