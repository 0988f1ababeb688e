/* row_record: a row of the shop's table as the change event that Kafka does not have.
 *
 *   id, total_amount = "1250.50", … ─▶ {before: null, after: {…}, source: {table, ts_ms}, op: "u"}
 *
 * Avro by a writer's schema of the orders' topic, so that the same plan and validation read it as
 * any event. It has no place in the database's log, and no row before: its webhook-id is made of
 * order and confirmed_at. Columns that nothing is made of are null, or empty. */
#ifndef RECONCILE_ROW_RECORD_H
#define RECONCILE_ROW_RECORD_H

#include "base/buf.h"
#include "base/error.h"
#include "reconcile/row_values.h"

struct row_record;

/* schema: as the registry has it. The config must outlive it. CONFIG where it describes no row. */
struct row_record *row_record_new(const struct config *config, const char *schema,
                                  struct error *err);
void row_record_free(struct row_record *record); /* accepts NULL */

/* Columns of the schema that the payload is made of, and the table does not have, as "a, b"; "":
 * none. */
const char *row_record_lacks(const struct row_record *record, const struct row_values *values,
                             char *ret_names, size_t size);

/* Appends the event's Avro, without the wire format's header. confirmed_ms: when it happened.
 * CONFIG, naming the column, where a value does not fit its type. */
bool row_record_write(struct row_record *record, const struct row_values *values,
                      int64_t confirmed_ms, struct buf *b, struct error *err) must_check;

#endif
