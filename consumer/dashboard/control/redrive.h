/* redrive: what is parked, of a reason or a time, is sent again: a bulk. */
#ifndef DASHBOARD_CONTROL_REDRIVE_H
#define DASHBOARD_CONTROL_REDRIVE_H

struct call;

void call_preview(struct call *call);
void call_redrive(struct call *call);
void call_redrives(struct call *call);
void call_redrive_state(struct call *call);
void call_redrive_cancel(struct call *call);

#endif
