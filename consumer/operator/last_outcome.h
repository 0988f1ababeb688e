/* last_outcome: the latest outcome of one order, named on the command line, and those that follow
 * it. Blocking; for the commands. */
#ifndef OPERATOR_LAST_OUTCOME_H
#define OPERATOR_LAST_OUTCOME_H

#include "base/error.h"
#include "config/config.h"

#include <jansson.h>
#include <stdbool.h>

enum { OUTCOME_KEY_MAX = 1100 };

/* The key of its record: the order's id; of a record without one, its place:
 * topic-partition-offset. */
const char *outcome_key(const json_t *outcome, char ret[OUTCOME_KEY_MAX]);

struct last_outcome;

/* Looks for the order of this id, key or number: an id goes before a number, which may look like
 * one. NULL with FAILED: no outcome is known, or several orders have the number. The texts and
 * stop_fd (as of signals_go_on) are borrowed until the end. */
struct last_outcome *last_outcome_open(const struct config *config, const char *order, int stop_fd,
                                       struct error *err);
void last_outcome_close(struct last_outcome *last); /* accepts NULL */

/* The order's latest outcome; the caller may change it. Borrowed until last_outcome_next or the
 * end.
 */
json_t *last_outcome(struct last_outcome *last);

/* Waits for the order's next outcome, which last_outcome() returns from then on; false when none
 * came within timeout_ms. */
bool last_outcome_next(struct last_outcome *last, int timeout_ms);

/* *ret: the order is being tried again, or was requested again and has no outcome of that yet. */
bool last_outcome_waits(const struct last_outcome *last, bool *ret, struct error *err) must_check;

#endif
