/* sync: POST /functions/v1/sync-order-elementor: sends an order unless it has been delivered.
 *
 *   delivered ──▶ 200          parked ──▶ retry record ──▶ waits        never to be sent ──▶ 422
 *   under way, or not seen yet ──▶ waits for dashboard.wait ──▶ 202      older one ──▶ 409
 *
 * Every user who is signed in to the shop may call it: its answer has an order's state, no personal
 * data. */
#ifndef DASHBOARD_SYNC_SYNC_H
#define DASHBOARD_SYNC_SYNC_H

struct call;

void call_sync(struct call *call);
void call_sync_state(struct call *call);

#endif
