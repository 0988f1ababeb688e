/* dismissing: an operator's word about a parked order: that it will never be sent, or that this is
 * taken back. It is written into the deliveries topic, and has been said once it is read back. */
#ifndef DASHBOARD_CONTROL_DISMISSING_H
#define DASHBOARD_CONTROL_DISMISSING_H

#include "dashboard/view/view.h"

#include <stddef.h>
#include <sys/queue.h>

struct api;
struct call;
struct caller;

LIST_HEAD(dismissals, dismissal);

enum dismissal_result {
    DISMISSAL_STANDS,
    DISMISSAL_OVERTAKEN, /* something else became of the order meanwhile: that counts */
    DISMISSAL_UNREAD,    /* written, and not read back in time */
    DISMISSAL_UNWRITTEN
};

typedef void dismissal_done(void *context, enum dismissal_result result);

struct dismissal_word {
    const struct caller *caller;
    bool dismisses;     /* else it takes a dismissal back */
    const char *reason; /* "" where it takes one back */
};

/* The order fits (order_action); facts: as the caller has seen it. done: once, later. All but key
 * and context are borrowed for the call. False without memory. */
bool dismissal_start(struct api *api, const char *key, const struct order_facts *facts,
                     const struct dismissal_word *word, dismissal_done *done, void *context);

void dismissals_changed(struct api *api, const char *key, size_t key_len);
int64_t dismissals_turn(struct api *api);
void dismissals_end(struct api *api); /* those that wait to be read back are DISMISSAL_UNREAD */

void call_dismiss(struct call *call);
void call_restore(struct call *call);

#endif
