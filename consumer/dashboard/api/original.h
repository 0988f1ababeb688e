/* original: the record that an order's outcome came from, fetched from Kafka: from the parked
 * topic, which keeps it longest, or from the orders' own. */
#ifndef DASHBOARD_API_ORIGINAL_H
#define DASHBOARD_API_ORIGINAL_H

#include "dashboard/view/view.h"
#include "topics/retry_record.h"

struct api;

enum original_result { ORIGINAL_FOUND, ORIGINAL_GONE, ORIGINAL_UNAVAILABLE };

/* The record is borrowed during the call, NULL unless found; its source, request, order and forced
 * are the caller's to fill in. */
typedef void original_done(void *context, enum original_result result, struct retry_record *record);

/* done: once, later. False without memory. */
bool original_start(struct api *api, const struct order_facts *facts, original_done *done,
                    void *context) must_check;

#endif
