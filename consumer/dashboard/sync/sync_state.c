/* sync_state: answers with an order's state; changes nothing. */
#include "dashboard/sync/sync.h"

#include "dashboard/api/api.h"
#include "dashboard/api/transition.h"
#include "dashboard/sync/known_order.h"
#include "dashboard/sync/sync_answer.h"

#include <stdlib.h>

static const char *status_of(const struct order_facts *facts)
{
    if (facts->is_pending)
        return "queued";
    /* A dismissal concerns operators alone: the shop can confirm the order again. */
    return order_state_names[facts->state == ORDER_DISMISSED ? ORDER_PARKED : facts->state];
}

/* The latest transition's state, or that of an earlier one. */
static bool describe(const struct order_facts *facts, const json_t *previous, int64_t want_ms,
                     struct sync_snapshot *ret)
{
    const json_t *transition = NULL;
    *ret = (struct sync_snapshot){status_of(facts), facts->attempts, facts->confirmed_at,
                                  facts->state == ORDER_DELIVERED ? facts->at_ms : -1};
    switch (transition_fit(facts, previous, want_ms, &transition)) {
    case FIT_LATEST: return true;
    case FIT_DELIVERED_BEFORE: *ret = sync_delivered_before(transition); return true;
    default: return false;
    }
}

/* The key that a name stands for; free() it. NULL without memory. */
static char *key_of(const struct call *call, const char *name)
{
    struct order_facts facts;
    char *key = known_order_key(call->api, &call->caller, name), *own = NULL;
    if (key == NULL || known_order_facts(call->api, &call->caller, key, &facts))
        return key;
    if (known_order_number(call->api, &call->caller, key, &own) != NUMBER_ONE)
        return key;
    free(key);
    return own;
}

/* Not seen: it may still come where a call asked for it a moment ago. */
static void answer_unseen(const struct call *call, const char *key, const char *at, int64_t want_ms)
{
    const struct sync_snapshot s = {.status = "unseen", .attempts = -1, .delivered_ms = -1};
    if (sync_may_come(call->api, key, want_ms))
        reply_json(call->x, 200, sync_state_json(call->api, key, at, &s));
    else
        reply_problem(call->x, PROBLEM_NEVER_SEEN, sync_never_seen, NULL);
}

static void answer_key(const struct call *call, const char *key, const char *at, int64_t want_ms)
{
    struct order_facts facts;
    struct sync_snapshot s;
    if (!known_order_facts(call->api, &call->caller, key, &facts)) {
        answer_unseen(call, key, at, want_ms);
        return;
    }
    json_t *previous = view_previous(call->api->view, key);
    if (describe(&facts, previous, want_ms, &s))
        reply_json(call->x, 200, sync_state_json(call->api, key, at, &s));
    else
        answer_unseen(call, key, at, want_ms);
    json_decref(previous);
}

void call_sync_state(struct call *call)
{
    const char *id = NULL, *at = NULL;
    int64_t want_ms = -1;
    if (!call_text(call, "order_id", VIEW_KEY_MAX, &id) ||
        !call_text(call, "confirmed_at", sizeof(((struct pending *)0)->confirmed_at) - 1, &at))
        return;
    if (at != NULL)
        want_ms = transition_time_ms(at);
    if (id == NULL || (at != NULL && want_ms < 0)) {
        call_bad(call, id == NULL ? "order_id is missing" : "confirmed_at: not an RFC 3339 time");
        return;
    }
    char *key = key_of(call, id);
    if (key != NULL)
        answer_key(call, key, at != NULL ? at : "", want_ms);
    else
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
    free(key);
}
