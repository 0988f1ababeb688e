/* row_sender: missing confirmations of which Kafka has no record, sent from the shop's own rows.
 *
 *   row ─▶ event (row_record) ─▶ retry topic ─▶ the group validates and sends it as any other
 *
 * Types and key come from the newest records of the orders' topic. Blocking; for the command. */
#ifndef RECONCILE_ROW_SENDER_H
#define RECONCILE_ROW_SENDER_H

#include "config/config.h"
#include "reconcile/comparison.h"

struct row_sender;

/* FAILED where the topic has no record to learn from, or when stop_fd becomes readable. */
struct row_sender *row_sender_new(const struct config *config, int stop_fd, struct error *err);
void row_sender_free(struct row_sender *sender); /* accepts NULL */

/* Counts the missing rows without a record in Kafka that can be sent. ret_why: the first reason why
 * one cannot, for people; "": none. */
bool row_sender_count(struct row_sender *sender, struct comparison *comparison, int64_t *ret_count,
                      struct error *ret_why, struct error *err) must_check;

/* Told for each after it was asked for; request: its id. */
typedef void row_sent(void *context, const struct order_row *row, const char *request);

/* Asks the group to send them. *ret_count: how many were asked for, also on failure. */
bool row_sender_send(struct row_sender *sender, struct comparison *comparison, row_sent *sent,
                     void *context, int64_t *ret_count, struct error *err) must_check;

#endif
