/* order_action: what an operator may do with an order, by what became of it. One rule, for a call
 * about one order and for one about many. Pure. */
#ifndef DASHBOARD_CONTROL_ORDER_ACTION_H
#define DASHBOARD_CONTROL_ORDER_ACTION_H

#include "dashboard/view/view.h"
#include "dashboard/web/reply.h"

/* enum, name, the source in the retry records of many ("": none is written) */
#define ORDER_ACTIONS(X)                                       \
    X(REDRIVE, "redrive", "redrive") /* only what is parked */ \
    X(RETRY, "retry", "redrive")                               \
    X(FORCE, "force", "redrive")  /* whatever became of it */  \
    X(REPLAY, "replay", "replay") /* what was delivered too */ \
    X(DISMISS, "dismiss", "")                                  \
    X(RESTORE, "restore", "")

enum order_action {
#define X(id, name, source) ACTION_##id,
    ORDER_ACTIONS(X)
#undef X
        ACTION_COUNT
};

const char *order_action_name(enum order_action action);
const char *order_action_source(enum order_action action);

enum order_fit {
    ORDER_FITS,
    ORDER_IS_SO,    /* nothing is left to do: it is under way, or done */
    ORDER_FITS_NOT, /* *ret_problem says why */
};

struct order_refusal {
    enum problem problem;
    const char *detail; /* static */
};

/* is_pending: a retry of it is under way. ret: of ORDER_FITS_NOT. */
enum order_fit order_action_fit(enum order_action action, enum order_state state, bool is_pending,
                                struct order_refusal *ret);

#endif
