/* next_delivery: the delivery whose attempt begins next. Deliveries that are not to be sent end
 * here, in their order's turn: rejected records, and retries that another delivery has overtaken.
 *
 * Has no state: the queues are the backlog's. Not thread-safe. */
#ifndef PIPELINE_SENDING_NEXT_DELIVERY_H
#define PIPELINE_SENDING_NEXT_DELIVERY_H

#include "pipeline/sending/recorder.h"
#include "pipeline/tracking/backlog.h"

/* Parks rejected records, or skips them, where it is their order's turn. */
void next_end_unsent(struct backlog *backlog, struct recorder *recorder);

/* Takes the next one off its queue; NULL: none is ready. may_begin: a first attempt is allowed. */
struct delivery *next_delivery(struct backlog *backlog, struct recorder *recorder, bool may_begin);

/* The same for a probe of an endpoint whose breaker is open. If nothing is due, the delivery that
 * is due first is taken. An order that was never sent goes before those that were: if these fail by
 * themselves, only another order can show that the endpoint works. A probe may always begin, or
 * such orders could use up webhook.uncommitted_max and shut all others out; it adds one order to
 * it. */
struct delivery *next_probe(struct backlog *backlog, struct recorder *recorder);

#endif
