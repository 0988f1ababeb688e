/* plan: a writer's schema compiled into a flat program that skips or captures.
 *
 *   Avro JSON ──avro-c──▶ schema objects ──plan_compile──▶ instructions ──plan_run──▶ struct change
 *
 * Invariants, whatever the bytes are:
 *   - no byte outside [body, body + len) is read, nothing is allocated, nothing recurses;
 *   - between two consumed bytes at most PLAN_STEPS_PER_BYTE instructions run, so n bytes cost
 * O(n);
 * - captured values borrow the body, or the plan (enum symbols).
 * Encoding: Avro 1.11 specification, "Binary Encoding". A plan is immutable once compiled. */
#ifndef CDC_PLAN_H
#define CDC_PLAN_H

#include "base/error.h"
#include "cdc/change.h"

#include <stddef.h>
#include <stdint.h>

#define PLAN_DEPTH_MAX 64 /* records, arrays and maps within each other in one datum */
#define PLAN_STEPS_PER_BYTE (4 * PLAN_DEPTH_MAX)

struct plan;

/* The columns to look for, by name. All texts are copied. */
struct plan_options {
    const char *columns[FIELD_COUNT]; /* the column that feeds each payload field */
    const char *const *extra_columns; /* feed change.extra; in the rows, or the schema is refused */
    size_t extra_count;               /* at most CHANGE_EXTRA_MAX */
    const char *owner_column;         /* feeds change.owner; NULL: none is wanted */
    const char *rule_column;          /* feeds change.status and change.before_status */
    const char *rule_value;           /* what plan_run's gate lets through */
    const char *prefix;               /* of the fields that unwrapping adds: "__" */
    bool op_assumed;                  /* unwrapped records without __op are welcome */
    bool table_is_told; /* rule.table: a schema that would be refused with CONFIG may be another
                           table's */
};

/* Compiles an Avro schema (JSON, len bytes). NULL with
 *   UNDECODABLE: no valid Avro schema, or one whose records can be no row (not a record, …);
 *   CONFIG: a row without the rule's column, the order id's or an extra one, or with one of a type
 * that can never be what it should, or unwrapped without __op: reading on would skip every order,
 * so the partition stops for the operator. */
struct plan *plan_compile(const char *schema, size_t len, const struct plan_options *options,
                          struct error *err);
void plan_free(struct plan *plan); /* accepts NULL */

/* With table_is_told: why plan_compile would have refused it; its plan finds the record's table all
 * the same. NULL: not refused. Lives as long as the plan. */
const char *plan_refusal(const struct plan *plan);

enum plan_shape {
    PLAN_ENVELOPE,  /* Debezium's before/after/source/op */
    PLAN_UNWRAPPED, /* the row itself (ExtractNewRecordState) */
    PLAN_FOREIGN    /* a heartbeat, transaction, message or DDL record that strayed in: skip it */
};
enum plan_shape plan_shape(const struct plan *plan);

/* True when owner_column was asked for and the rows have no such column: no customer sees them. */
bool plan_lacks_owner(const struct plan *plan);

enum plan_result {
    PLAN_DONE,     /* everything read; no byte is left over */
    PLAN_STOPPED,  /* gate: the status does not trigger; change.stopped_early */
    PLAN_MALFORMED /* *ret_why says why; change holds nothing of use */
};

/* Reads one body. gate: stop as soon as status and order id are known and the status is not the
 * rule's value. ret_steps (may be NULL): instructions run. */
enum plan_result plan_run(const struct plan *plan, const uint8_t *body, size_t len, bool gate,
                          struct change *ret_change, const char **ret_why, uint64_t *ret_steps);

#endif
