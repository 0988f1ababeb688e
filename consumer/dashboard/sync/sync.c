#include "dashboard/sync/sync.h"

#include "dashboard/api/api.h"
#include "dashboard/api/transition.h"
#include "dashboard/sync/known_order.h"
#include "dashboard/sync/sync_answer.h"
#include "dashboard/sync/sync_request.h"
#include "topics/json_field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SYNCS_MAX = 96, SUBJECT_SYNCS_MAX = 8 /* of a customer */ };

/* ---- answers ---- */

static void answer_state(struct pending *p, unsigned status, const struct sync_snapshot *s)
{
    json_t *answer = sync_state_json(p->api, p->key, p->confirmed_at, s);
    struct web_request *x = p->x;
    if (status == 202)
        web_request_add_header(x, "Location",
                               json_string_value(json_object_get(answer, "status_url")));
    pending_free(p);
    reply_json(x, status, answer);
}

static void answer_problem(struct pending *p, enum problem problem, const char *detail,
                           const struct order_facts *facts)
{
    json_t *more = json_object();
    struct web_request *x = p->x;
    json_object_set_new(more, "success", json_false());
    json_object_set_new(more, "order_id", json_string(p->key));
    if (facts != NULL && facts->reason[0] != '\0')
        json_object_set_new(more, "reason", json_string(facts->reason));
    if (facts != NULL)
        json_object_set_new(more, "attempts", json_integer(facts->attempts));
    pending_free(p);
    reply_problem(x, problem, detail, more);
}

/* ---- waiting ---- */

static bool is_over(const struct pending *p)
{
    return p->api->now_ms >= p->deadline_ms;
}

static void answer_later(struct pending *p, const char *status, const struct order_facts *facts)
{
    const struct sync_snapshot s = {.status = status,
                                    .attempts = facts != NULL ? facts->attempts : -1,
                                    .confirmed_at = facts != NULL ? facts->confirmed_at : NULL,
                                    .delivered_ms = -1};
    answer_state(p, 202, &s);
}

static void resent(void *context, enum resend_result result, const char *request, int64_t asked_ms)
{
    struct pending *p = context;
    p->busy = false;
    if (result == RESEND_WRITTEN) {
        call_audit(&p->caller, p->force ? "sync, forced" : "sync", p->key, request);
        memcpy(p->request, request, sizeof p->request);
        p->asked_ms = asked_ms;
    }
    if (p->x == NULL)
        pending_free(p);
    else if (result == RESEND_GONE)
        answer_problem(p, PROBLEM_GONE,
                       "its record was deleted by the topics' retention; confirm the order again",
                       NULL);
    else if (result == RESEND_UNAVAILABLE)
        answer_problem(p, PROBLEM_UNAVAILABLE, "nothing was sent; try again later", NULL);
    else
        p->dirty = true;
}

/* A customer's resend of an order is refused for a while after the last resend, by any caller. */
static bool is_too_soon(struct pending *p, const struct order_facts *facts)
{
    const struct api *api = p->api;
    bool resent_before =
        strcmp(facts->source, "retry") == 0 || strcmp(facts->source, "redrive") == 0;
    int64_t left_ms = facts->at_ms < api->wall_ms ? facts->at_ms - api->wall_ms : 0;
    left_ms += api->config->auth_resend_interval;
    if (p->caller.right != AUTH_USER || !resent_before || left_ms <= 0)
        return false;
    struct web_request *x = p->x;
    add_retry_after(x, left_ms);
    answer_problem(p, PROBLEM_TOO_SOON, "it was refused again; auth.resend_interval has not passed",
                   facts);
    return true;
}

static void resend(struct pending *p, const struct order_facts *facts)
{
    if (resend_is_under_way(p->api, p->key)) { /* another call's: its outcome will be seen */
        p->dirty = true;
        if (is_over(p))
            answer_later(p, "queued", facts);
        return;
    }
    p->busy = resend_start(p->api, p->key, facts, "retry", &p->caller, resent, p);
    if (!p->busy)
        answer_problem(p, PROBLEM_INTERNAL, NULL, NULL);
}

/* ---- the order's state ---- */

static void delivered(struct pending *p, const struct order_facts *facts)
{
    const struct sync_snapshot s = {"delivered", facts->attempts, facts->confirmed_at,
                                    facts->at_ms};
    answer_state(p, 200, &s);
}

static bool can_never_be_sent(const struct order_facts *facts)
{
    return strcmp(facts->class, "validation") == 0 || strcmp(facts->class, "undecodable") == 0;
}

/* Waits for the outcome of a retry that was written for this call or before it. */
static void follow(struct pending *p, const struct order_facts *facts)
{
    bool settled = facts->state != ORDER_RETRYING && !facts->is_pending &&
                   (strcmp(facts->request, p->request) == 0 || facts->at_ms >= p->asked_ms);
    if (settled && facts->state == ORDER_DELIVERED)
        delivered(p, facts);
    else if (settled)
        answer_problem(p, can_never_be_sent(facts) ? PROBLEM_NEVER : PROBLEM_REFUSED,
                       "it was parked again", facts);
    else if (is_over(p))
        answer_later(p, facts->state == ORDER_RETRYING ? "retrying" : "queued", facts);
}

static void advance_latest(struct pending *p, const struct order_facts *facts)
{
    if (p->request[0] != '\0') {
        follow(p, facts);
    } else if (facts->is_pending) {
        memcpy(p->request, facts->pending_request, sizeof p->request);
        p->request[sizeof p->request - 1] = '\0';
        p->asked_ms = facts->pending_ms;
        follow(p, facts);
    } else if (facts->state == ORDER_RETRYING) {
        if (is_over(p))
            answer_later(p, "retrying", facts);
    } else if (facts->state == ORDER_DELIVERED && !p->force) {
        delivered(p, facts);
    } else if (facts->state == ORDER_OVERTAKEN && !p->force) {
        answer_problem(p, PROBLEM_OVERTAKEN,
                       "confirm it again in the shop, then it is sent by itself", facts);
    } else if ((facts->state == ORDER_PARKED || facts->state == ORDER_DISMISSED) &&
               can_never_be_sent(facts)) {
        answer_problem(p, PROBLEM_NEVER, "correct the order in the shop and confirm it again",
                       facts);
    } else if (!is_too_soon(p, facts)) {
        resend(p, facts);
    }
}

/* ---- an order that is not known ---- */

/* The order may be in the topic already and not in this view. A forced call is for an order that
 * exists, so its wait is short. */
static void unseen(struct pending *p)
{
    struct api *api = p->api;
    if (p->force && (p->unseen_ms < 0 || is_over(p))) {
        answer_problem(p, PROBLEM_NEVER_SEEN,
                       "no confirmation of it was seen; confirm it in the shop, then it is sent by "
                       "itself",
                       NULL);
        return;
    }
    bool may_come = sync_note_unseen(api, p->key, p->want_ms);
    if (is_over(p) && may_come)
        answer_later(p, "unseen", NULL);
    else if (is_over(p))
        answer_problem(p, PROBLEM_NEVER_SEEN, sync_never_seen, NULL);
}

static void before(struct pending *p, const json_t *transition)
{
    const struct sync_snapshot s = sync_delivered_before(transition);
    answer_state(p, 200, &s);
}

/* Only the order's last outcome can be resent. */
static void parked_before(struct pending *p, const json_t *transition)
{
    struct order_facts parked = {.attempts = (int)json_whole(transition, "attempts", 0)};
    snprintf(parked.reason, sizeof parked.reason, "%s", json_text(transition, "reason"));
    answer_problem(p, PROBLEM_REFUSED,
                   "it was parked, and an older confirmation of this order was sent since; confirm "
                   "the order again",
                   &parked);
}

/* The order by its key, or by its number: then the key becomes the order's own. False: not found,
 * or answered (p->key is gone). */
static bool find(struct pending *p, struct order_facts *ret, bool *ret_answered)
{
    char *key = NULL;
    *ret_answered = false;
    if (known_order_facts(p->api, &p->caller, p->key, ret)) {
        p->is_number = false;
        return true;
    }
    switch (known_order_number(p->api, &p->caller, p->key, &key)) {
    case NUMBER_ONE:
        free(p->key);
        p->key = key;
        p->is_number = false;
        return known_order_facts(p->api, &p->caller, p->key, ret);
    case NUMBER_SEVERAL:
        answer_problem(p, PROBLEM_NEVER_SEEN, "several orders have this number: send the id", NULL);
        *ret_answered = true;
        return false;
    default: return false;
    }
}

static void advance(struct pending *p)
{
    struct order_facts facts;
    const json_t *transition = NULL;
    bool answered;
    p->dirty = false;
    if (!find(p, &facts, &answered)) {
        if (!answered)
            unseen(p);
        return;
    }
    json_t *previous = view_previous(p->api->view, p->key);
    switch (transition_fit(&facts, previous, p->want_ms, &transition)) {
    case FIT_LATER: unseen(p); break;
    case FIT_PARKED_BEFORE: parked_before(p, transition); break;
    case FIT_SUPERSEDED:
        answer_problem(p, PROBLEM_SUPERSEDED, "a later confirmation of this order was handled",
                       NULL);
        break;
    case FIT_DELIVERED_BEFORE:
        if (p->force)
            answer_problem(p, PROBLEM_SUPERSEDED,
                           "another confirmation of this order was handled since; confirm the "
                           "order again to send it",
                           NULL);
        else
            before(p, transition);
        break;
    default: advance_latest(p, &facts);
    }
    json_decref(previous);
}

/* ---- the calls ---- */

/* A waiting request holds a connection: when there are many, it is answered at once (202). */
static void bound_wait(struct pending *p)
{
    const struct api *api = p->api;
    if (p->caller.right < AUTH_OPERATOR &&
        (api->pending.counts[PENDING_SYNC] > SYNCS_MAX ||
         pending_count(api, PENDING_SYNC, p->caller.subject) > SUBJECT_SYNCS_MAX))
        p->deadline_ms = api->now_ms;
}

static void start(struct call *call, const struct sync_request *request)
{
    char *key = known_order_key(call->api, &call->caller, request->order);
    struct pending *p = key != NULL ? pending_new(call, PENDING_SYNC, key, advance) : NULL;
    free(key);
    if (p == NULL) {
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
        return;
    }
    p->want_ms = request->want_ms;
    p->force = request->force;
    p->is_number = known_order_has_numbers(call->api, &call->caller);
    memcpy(p->confirmed_at, request->confirmed_at, sizeof p->confirmed_at);
    bound_wait(p);
    if (!request->can_come)
        p->deadline_ms = call->api->now_ms;
    advance(p);
}

void call_sync(struct call *call)
{
    struct sync_request request;
    struct error wrong = {0};
    json_t *body = call_body(call);
    if (body == NULL)
        return;
    bool ok = sync_request_read(body, call->api->config, &request, &wrong);
    json_decref(body);
    if (!ok)
        call_bad(call, wrong.text);
    else if (request.force && call->caller.right < AUTH_OPERATOR)
        refuse(call, PROBLEM_FORBIDDEN, "force is the operators'");
    else
        start(call, &request);
}
