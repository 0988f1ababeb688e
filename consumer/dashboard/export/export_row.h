/* export_row: an order as a line of a file: of CSV (RFC 4180) or NDJSON, with the same columns.
 *
 * The columns are those that the list shows: no personal value is among them. */
#ifndef DASHBOARD_EXPORT_EXPORT_ROW_H
#define DASHBOARD_EXPORT_EXPORT_ROW_H

#include "base/buf.h"

#include <jansson.h>

/* The columns' names, as CSV's first line. */
void export_add_head(struct buf *b);

/* order: as in schemas/openapi.yaml. A cell that a spreadsheet would take for a formula gets an
 * apostrophe before it. */
void export_add_csv(struct buf *b, const json_t *order);
void export_add_json(struct buf *b, const json_t *order);

#endif
