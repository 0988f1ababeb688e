/* order_query: the filters that a list of orders is asked for with. */
#ifndef DASHBOARD_EXPORT_ORDER_QUERY_H
#define DASHBOARD_EXPORT_ORDER_QUERY_H

#include "dashboard/api/call.h"
#include "dashboard/view/view.h"

/* One of these words; refusal says which. *ret is its place, and untouched when the parameter is
 * missing. False: the call is answered. */
bool order_query_choice(const struct call *call, const char *name, const char *const words[],
                        int count, const char *refusal, int *ret);

/* state, reason, status, source, q, since_ms and until_ms; the texts are the request's. The other
 * fields are zero. False: the call is answered. */
bool order_query_read(const struct call *call, struct order_filter *ret);

#endif
