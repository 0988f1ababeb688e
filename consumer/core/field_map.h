/* field_map: what a writer's schema makes of each payload field, in words: which column feeds it,
 * the column's Avro type, what it becomes, and whether an order can be sent at all. Pure. */
#ifndef CORE_FIELD_MAP_H
#define CORE_FIELD_MAP_H

#include "core/plan.h"

enum { FIELD_MAP_TEXT = 160 };

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
};

/* Fails as plan_compile does: what cannot be compiled cannot be read either. */
bool field_map_of(const char *schema, size_t len, const struct plan_options *options,
                  struct field_map *ret_map, struct error *err) must_check;

#endif
