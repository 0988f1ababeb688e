/* comparison: confirmations of the shop's table beside their outcomes. A temporary SQLite
 * database: memory is bounded, whatever the number of rows.
 *
 *   add … add ─▶ outcome, request … ─▶ finish ─▶ count, each
 *
 * A confirmation is an order's id and its confirmed_at: an order that was confirmed twice may have
 * two rows. It is compared with the order's last outcome, and with the transitions before it that
 * the outcome has. */
#ifndef RECONCILE_COMPARISON_H
#define RECONCILE_COMPARISON_H

#include "base/error.h"
#include "base/slice.h"
#include "reconcile/row_values.h"
#include "topics/outcome_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_TIME INT64_MIN /* a confirmed_at that is not known */

enum row_state {
    ROW_NEVER_SEEN,          /* this confirmation has no outcome, and changes after it were read */
    ROW_PARKED,              /* it waits for an operator */
    ROW_UNDER_WAY,           /* it is being retried, or was asked for, or is still to be read */
    ROW_DELIVERED,           /* delivered */
    ROW_CONFIRMED_AGAIN,     /* a later confirmation of the order has an outcome */
    ROW_NO_LONGER_CONFIRMED, /* delivered, and the table does not have it as confirmed */
    ROW_NOT_COUNTED,         /* not confirmed and not delivered, or forgotten */
    ROW_STATE_COUNT
};

/* "never_seen", …; of all but ROW_NOT_COUNTED. */
extern const char *const row_state_names[ROW_STATE_COUNT];

struct order_row {
    struct slice id, number;         /* number without bytes: not in the table */
    int64_t confirmed_ms;            /* of confirmed_at, since the epoch; NO_TIME: null */
    bool confirmed;                  /* it has the rule's value */
    const struct row_values *values; /* NULL: not asked for */
};

struct comparison;

struct comparison *comparison_new(struct error *err);
void comparison_free(struct comparison *c); /* accepts NULL */

/* Copies the row. Not after the first outcome. */
bool comparison_add(struct comparison *c, const struct order_row *row,
                    struct error *err) must_check;

/* The record of this key in the deliveries topic, in the topic's order; outcome NULL: a tombstone,
 * the order has no outcome any more. */
bool comparison_outcome(struct comparison *c, struct slice key,
                        const struct outcome_record *outcome, struct error *err) must_check;

/* After the outcomes: a retry of this order waits in the retry topic. */
bool comparison_request(struct comparison *c, struct slice order, struct error *err) must_check;

/* Confirmations after read_until_ms may still be read: without an outcome they are under way. */
bool comparison_finish(struct comparison *c, int64_t read_until_ms, struct error *err) must_check;

/* Rows that came more than once, by id and confirmed_at: the last of them counts. */
int64_t comparison_repeated(const struct comparison *c);

int64_t comparison_count(const struct comparison *c, enum row_state state);
int64_t comparison_oldest_missing_ms(const struct comparison *c); /* NO_TIME: none, or not known */

/* Every row that is counted, or those of one state (-1: all), by confirmed_at. Texts are borrowed
 * for the call; visit returns false, with err set, to end it. */
typedef bool comparison_visit(void *context, const struct order_row *row, enum row_state state,
                              struct error *err);
bool comparison_each(struct comparison *c, int state, comparison_visit *visit, void *context,
                     struct error *err) must_check;

/* ---- records of missing confirmations ---- */

struct row_source {
    int32_t partition; /* of the orders' topic */
    int64_t offset;
};

/* The order's record at this place confirms it at this time: kept as the source of the missing row
 * it belongs to, if there is one; the last one wins. */
bool comparison_note_source(struct comparison *c, struct slice id, int64_t confirmed_ms,
                            const struct row_source *source, struct error *err) must_check;
int64_t comparison_sources(struct comparison *c, struct error *err); /* missing rows with one; -1 */
/* The missing rows without one, with their values. */
bool comparison_each_without_source(struct comparison *c, comparison_visit *visit, void *context,
                                    struct error *err) must_check;
/* The id of the missing row whose source the record at this place is, borrowed until the next call;
 * without bytes: of none. */
struct slice comparison_source_of(struct comparison *c, const struct row_source *source);

#endif
