/* row_cell: a value of the shop's table, as CSV has it, as a value of a column's Avro type. The
 * other way round than the payload: what Debezium would have written. Pure. */
#ifndef RECONCILE_ROW_CELL_H
#define RECONCILE_ROW_CELL_H

#include "base/error.h"
#include "base/slice.h"
#include "base/time_zone.h"
#include "cdc/avro_schema.h"

/* The JSON of the type, or of its first branch that is no null. */
const json_t *row_cell_type(const struct schema *schema, const json_t *type);

/* type: of `cell`, which is no union. A time without a zone is one of `zone`. False: the text is no
 * value of this type. */
bool row_cell_set(avro_value_t *cell, const json_t *type, struct slice text,
                  const struct time_zone *zone) must_check;

#endif
