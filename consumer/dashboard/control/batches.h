/* batches: retry, replay, dismiss or restore of many orders: of those that are named, or of all
 * that a list shows with its filters. First a preview, which says how many and which of them
 * cannot, and why; then the same once more, with the number that it said. */
#ifndef DASHBOARD_CONTROL_BATCHES_H
#define DASHBOARD_CONTROL_BATCHES_H

struct call;

void call_batch_preview(struct call *call);
void call_batch(struct call *call);
void call_batches(struct call *call);
void call_batch_state(struct call *call);
void call_batch_cancel(struct call *call);

#endif
