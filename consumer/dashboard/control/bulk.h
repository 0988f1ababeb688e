/* bulk: one thing that is done with many orders, one after the other, and what became of each.
 *
 * A retry goes at dashboard.redrive_rate, so that new orders keep their turn; a dismissal as fast
 * as it is read back. Each order is looked at once more when its turn comes (order_action):
 * whatever became of it meanwhile counts. If the process ends, the rest stays as it is.
 */
#ifndef DASHBOARD_CONTROL_BULK_H
#define DASHBOARD_CONTROL_BULK_H

#include "dashboard/api/call.h"
#include "dashboard/control/order_action.h"

#include <jansson.h>
#include <stdint.h>
#include <sys/queue.h>

struct api;
struct bulk;

enum { BULK_MAX = 10000 }; /* orders of one request that is no redrive */

struct bulks {
    TAILQ_HEAD(bulk_list, bulk) all; /* newest first; the last twenty are kept */
    size_t count;
    void (*tell)(struct api *api, const char *event, json_t *data); /* consumes data */
};

void bulk_open(struct bulks *bulks, void (*tell)(struct api *, const char *, json_t *));
void bulk_done(struct bulks *bulks);

/* reason: of a dismissal; "" else. selection is consumed: what was asked for, for people. NULL
 * without memory. It is in no list until it begins. */
struct bulk *bulk_new(const struct call *call, enum order_action action, const char *reason,
                      json_t *selection);
void bulk_free(struct bulk *bulk); /* accepts NULL */
void bulk_add(struct bulk *bulk, const char *key);

/* Answers the call: 202 when it has as many orders as were confirmed, and begins then, with an
 * audit line; else 409. Consumes it; NULL: there was no memory. */
void bulk_confirm(const struct call *call, struct bulk *bulk, int64_t confirmed);

/* As in schemas/openapi.yaml: a Bulk; the caller's. */
json_t *bulk_json(const struct bulk *bulk);
json_t *bulk_orders(const struct bulk *bulk); /* what became of each: [{key, answer}] */

/* redrives: those of the old path, else all others. */
json_t *bulk_list(const struct bulks *bulks, bool redrives);
/* Those that run, and the caller's own that ended since since_ms. */
json_t *bulk_own(const struct bulks *bulks, const struct caller *caller, int64_t since_ms);
struct bulk *bulk_find(const struct bulks *bulks, const char *id, bool redrives);
size_t bulk_running(const struct bulks *bulks, bool redrives);

/* The rest stays as it is. Nothing if it has ended. */
void bulk_cancel(struct bulk *bulk, const struct caller *caller);

int64_t bulk_turn(struct api *api);

#endif
