/* orders: the list, one order, and its retry by an operator. */
#ifndef DASHBOARD_ROUTES_ORDERS_H
#define DASHBOARD_ROUTES_ORDERS_H

#include "dashboard/view/view.h"

struct call;

/* What is known of the order of the path. False: nothing, and the call is answered. */
bool orders_facts(struct call *call, struct order_facts *ret);

void call_list(struct call *call);
void call_order(struct call *call);
void call_retry(struct call *call);

#endif
