/* order_payload: the payload of an order's webhook, field by field, read from Kafka when it is
 * asked for and never kept.
 *
 * The record is fetched, its schema asked of the registry, and its row rendered by the pipeline's
 * own plan and transform, all on the dashboard's loop. Personal values leave only in answer to a
 * showing, which is audited. */
#ifndef DASHBOARD_ROUTES_ORDER_PAYLOAD_H
#define DASHBOARD_ROUTES_ORDER_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct api;
struct call;

struct payloads {
    struct registry *registry; /* these three are made when the first payload is asked for */
    struct decoders *decoders;
    struct transform *transform;
    LIST_HEAD(, payload_job) waiting; /* for a schema */
    bool changed;                     /* the registry may have answered */
};

void payload_done(struct payloads *payloads);

void call_payload(struct call *call);      /* personal values masked */
void call_payload_show(struct call *call); /* in full */

/* ms until the next call is due; -1: not before an event. Call it after http_turn. */
int64_t payload_turn(struct api *api);

#endif
