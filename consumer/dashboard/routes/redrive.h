/* redrive: parked orders sent again, one after the other, at a bounded rate.
 *
 * Each selected order is checked once more when its turn comes: it is left out if it was settled
 * meanwhile, or if another request for it is pending. If the process ends, the rest stays parked.
 */
#ifndef DASHBOARD_ROUTES_REDRIVE_H
#define DASHBOARD_ROUTES_REDRIVE_H

#include <jansson.h>
#include <stdint.h>

struct api;
struct call;

struct redrives {
    struct redrive *running; /* NULL: none */
    json_t *ended;           /* newest first */
};

void redrive_open(struct redrives *redrives);
void redrive_done(struct redrives *redrives);

void call_preview(struct call *call);
void call_redrive(struct call *call);
void call_redrives(struct call *call);
void call_redrive_state(struct call *call);
void call_redrive_cancel(struct call *call);

int64_t redrive_turn(struct api *api);

#endif
