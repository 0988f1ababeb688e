#include "dashboard/control/order_action.h"

static const struct {
    const char *name, *source;
} actions[] = {
#define X(id, name, source) {name, source},
    ORDER_ACTIONS(X)
#undef X
};

const char *order_action_name(enum order_action action)
{
    return actions[action].name;
}

const char *order_action_source(enum order_action action)
{
    return actions[action].source;
}

static enum order_fit refused(struct order_refusal *ret, enum problem problem, const char *detail)
{
    *ret = (struct order_refusal){problem, detail};
    return ORDER_FITS_NOT;
}

static enum order_fit resend_fit(enum order_action action, enum order_state state, bool is_pending,
                                 struct order_refusal *ret)
{
    if (is_pending)
        return ORDER_IS_SO;
    if (state == ORDER_RETRYING)
        return refused(ret, PROBLEM_UNDER_WAY, "it is being tried again already");
    if (action == ACTION_FORCE)
        return ORDER_FITS;
    if (state == ORDER_OVERTAKEN)
        return refused(ret, PROBLEM_OVERTAKEN, "force sends it all the same");
    if (state == ORDER_DELIVERED && action != ACTION_REPLAY)
        return refused(ret, PROBLEM_DELIVERED, "force sends it once more");
    return ORDER_FITS;
}

static enum order_fit word_fit(enum order_state state, bool is_pending, enum order_state from,
                               enum order_state to, struct order_refusal *ret)
{
    if (state == to)
        return ORDER_IS_SO;
    if (state != from)
        return refused(ret, PROBLEM_NOT_PARKED, "only a parked order is dismissed");
    if (is_pending)
        return refused(ret, PROBLEM_UNDER_WAY, "it was asked for again: wait for its outcome");
    return ORDER_FITS;
}

enum order_fit order_action_fit(enum order_action action, enum order_state state, bool is_pending,
                                struct order_refusal *ret)
{
    switch (action) {
    case ACTION_DISMISS: return word_fit(state, is_pending, ORDER_PARKED, ORDER_DISMISSED, ret);
    case ACTION_RESTORE: return word_fit(state, is_pending, ORDER_DISMISSED, ORDER_PARKED, ret);
    case ACTION_REPLAY:
        if (state == ORDER_DISMISSED)
            return refused(ret, PROBLEM_NEVER, "it is dismissed: it will never be sent");
        return resend_fit(action, state, is_pending, ret);
    case ACTION_REDRIVE:
        if (!is_pending && state != ORDER_PARKED)
            return refused(ret, PROBLEM_NOT_PARKED, "it is not parked any more");
        return resend_fit(action, state, is_pending, ret);
    default: return resend_fit(action, state, is_pending, ret);
    }
}
