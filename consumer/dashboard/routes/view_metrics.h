/* view_metrics: the view's counts as Prometheus' text. */
#ifndef DASHBOARD_ROUTES_VIEW_METRICS_H
#define DASHBOARD_ROUTES_VIEW_METRICS_H

struct call;

/* GET /metrics. The members' own ports have the metrics of delivering; these are of the orders. */
void call_metrics(struct call *call);

#endif
