/* outcome_reader: outcomes of orders, read from the deliveries topic. Blocking; for the
 * commands.
 */
#ifndef TOPICS_OUTCOME_READER_H
#define TOPICS_OUTCOME_READER_H

#include "base/error.h"
#include "config/config.h"

#include <jansson.h>

struct outcomes;

/* From the beginning of the topic. */
struct outcomes *outcomes_new(const struct config *config, struct error *err);
void outcomes_free(struct outcomes *outcomes); /* accepts NULL */

/* The next outcome record (schemas/outcome.schema.json), NULL when none came within 200 ms. The
 * caller owns it. Records that are none are passed by. */
json_t *outcomes_next(struct outcomes *outcomes);

/* The same within another time. */
json_t *outcomes_next_within(struct outcomes *outcomes, int timeout_ms);

/* Everything was read that was there at some moment since the start. */
bool outcomes_caught_up(const struct outcomes *outcomes);

#endif
