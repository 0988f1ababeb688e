/* webhook_id: one webhook-id per business transition, the same over duplicates, retries and
 * replays.
 *
 * Derived from (order, source LSN) where the event shows its before image; else from (order,
 * confirmed_at); else from (order, LSN); else from topic, partition and offset. */
#ifndef ORDER_WEBHOOK_ID_H
#define ORDER_WEBHOOK_ID_H

#include "cdc/change.h"
#include "order/rule.h"

#include <stdint.h>

#define WEBHOOK_ID_MAX 40 /* "msg_" + 32 hex digits + NUL, and some room */

/* Writes "msg_" and 32 hex digits (the first half of a SHA-256) into text. */
void webhook_id_of(const struct change *change, const struct order_id *id, const char *topic,
                   int32_t partition, int64_t offset, char text[WEBHOOK_ID_MAX]);

#endif
