/* dismissing: an operator's word that a parked order will never be sent, and the way back: a record
 * of the deliveries topic (topics/outcome_record.h). */
#ifndef DASHBOARD_CONTROL_DISMISSING_H
#define DASHBOARD_CONTROL_DISMISSING_H

struct call;

/* POST /api/v1/orders/:/dismiss and …/restore: answered once the view has read the word back, or
 * ten seconds after the brokers have acknowledged it. */
void call_dismiss(struct call *call);
void call_restore(struct call *call);

#endif
