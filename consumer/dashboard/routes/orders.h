/* orders: the list, one order, and its retry by an operator. */
#ifndef DASHBOARD_ROUTES_ORDERS_H
#define DASHBOARD_ROUTES_ORDERS_H

struct call;

void call_list(struct call *call);
void call_order(struct call *call);
void call_requests(struct call *call);
void call_retry(struct call *call);

#endif
