/* pausing: an operator's word to the group, through the control topic: deliveries wait, or go on.
 */
#ifndef DASHBOARD_CONTROL_PAUSING_H
#define DASHBOARD_CONTROL_PAUSING_H

#include <jansson.h>

struct api;
struct call;

/* POST /api/v1/pause and /api/v1/resume: answered once the brokers have acknowledged the word. */
void call_pause(struct call *call);
void call_resume(struct call *call);

/* The pause as JSON: who began it, when and why; null: deliveries are not paused. */
json_t *pause_json(const struct api *api);

#endif
