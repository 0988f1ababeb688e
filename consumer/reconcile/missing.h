/* missing: the records of missing confirmations, as far as the orders' topic still has them.
 * Blocking; for the command. */
#ifndef RECONCILE_MISSING_H
#define RECONCILE_MISSING_H

#include "config/config.h"
#include "reconcile/comparison.h"

#include <librdkafka/rdkafka.h>

/* Judges each record by the rule, as `run` does, and keeps the places of those that confirm a
 * missing row (comparison_note_source). Begins an hour before the oldest missing confirmation.
 * *ret_count: missing rows that have one. FAILED when stop_fd becomes readable. */
bool missing_find(const struct config *config, struct comparison *comparison, int stop_fd,
                  int64_t *ret_count, struct error *err) must_check;

/* Told for each record after it was asked for; request: its id. */
typedef void missing_sent(void *context, const rd_kafka_message_t *m, const char *request);

/* Asks the group to send those records: each is then validated and sent as the stream's would be,
 * with the same webhook-id. *ret_count: how many were asked for, also on failure. */
bool missing_send(const struct config *config, struct comparison *comparison, int stop_fd,
                  missing_sent *sent, void *context, int64_t *ret_count,
                  struct error *err) must_check;

#endif
