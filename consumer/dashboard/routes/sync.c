#include "dashboard/routes/sync.h"

#include "base/buf.h"
#include "dashboard/api/api.h"
#include "dashboard/api/transition.h"
#include "topics/owner.h"

#include <stdio.h>
#include <string.h>

enum { SYNCS_MAX = 96, SUBJECT_SYNCS_MAX = 8 /* of a customer */ };

/* ---- answers ---- */

struct sync_snapshot {
    const char *status; /* SyncState in schemas/openapi.yaml */
    int attempts;       /* -1: not known */
    const char *confirmed_at;
    int64_t delivered_ms; /* -1: not */
};

static void add_encoded(struct buf *url, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    for (const char *c = text; *c != '\0'; c++)
        if (strchr(plain, *c) != NULL)
            buf_add_char(url, *c);
        else
            buf_addf(url, "%%%02X", (unsigned char)*c);
}

static json_t *state_json(const char *order_id, const char *want, const struct sync_snapshot *s)
{
    struct buf url;
    buf_init(&url, WEB_PATH_MAX);
    buf_add_text(&url, "/functions/v1/sync-order-elementor?order_id=");
    add_encoded(&url, order_id);
    if (*want != '\0')
        buf_add_text(&url, "&confirmed_at=");
    add_encoded(&url, want);
    json_t *answer = json_object();
    json_object_set_new(answer, "success", json_boolean(strcmp(s->status, "delivered") == 0));
    json_object_set_new(answer, "order_id", json_string(order_id));
    json_object_set_new(answer, "status", json_string(s->status));
    json_object_set_new(answer, "attempts",
                        s->attempts >= 0 ? json_integer(s->attempts) : json_null());
    json_object_set_new(answer, "confirmed_at",
                        s->confirmed_at != NULL && *s->confirmed_at != '\0'
                            ? json_string(s->confirmed_at)
                            : json_null());
    json_object_set_new(answer, "delivered_ms",
                        s->delivered_ms >= 0 ? json_integer(s->delivered_ms) : json_null());
    json_object_set_new(answer, "status_url", json_string(buf_text(&url)));
    buf_done(&url);
    return answer;
}

static void answer_state(struct pending *p, unsigned status, const struct sync_snapshot *s)
{
    json_t *answer = state_json(p->key, p->confirmed_at, s);
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

/* ---- the order ---- */

/* False: the caller gets the answer for an order that was never seen. */
static bool may_see(const struct api *api, const struct caller *caller,
                    const struct order_facts *facts)
{
    return caller->right == AUTH_OPERATOR || api->config->auth_owner_column == NULL ||
           owner_is(api->config, slice_of(caller->subject), facts->owner);
}

/* The order as the caller may see it; false: not at all. */
static bool find_facts(const struct api *api, const struct caller *caller, const char *key,
                       struct order_facts *ret)
{
    if (!view_facts(api->view, key, ret))
        return false;
    if (may_see(api, caller, ret))
        return true;
    json_decref(ret->previous);
    return false;
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
    p->busy = resend_start(p->api, p->key, facts, "retry", resent, p);
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
    } else if (facts->state == ORDER_PARKED && can_never_be_sent(facts)) {
        answer_problem(p, PROBLEM_NEVER, "correct the order in the shop and confirm it again",
                       facts);
    } else if (!is_too_soon(p, facts)) {
        resend(p, facts);
    }
}

/* The order may be in the topic already and not in this view. A forced call is for an order that
 * exists, so its wait is short. */
static void unseen(struct pending *p)
{
    if (p->force && (p->unseen_ms < 0 || is_over(p)))
        answer_problem(p, PROBLEM_NEVER_SEEN,
                       "no confirmation of it was seen; confirm it in the shop, then it is sent by "
                       "itself",
                       NULL);
    else if (is_over(p))
        answer_later(p, "unseen", NULL);
}

static void before(struct pending *p, const json_t *transition)
{
    const json_t *attempts = json_object_get(transition, "attempts");
    const struct sync_snapshot s = {
        .status = "delivered",
        .attempts = json_is_integer(attempts) ? (int)json_integer_value(attempts) : -1,
        .confirmed_at = json_string_value(json_object_get(transition, "confirmed_at")),
        .delivered_ms = json_integer_value(json_object_get(transition, "settled_ms"))};
    answer_state(p, 200, &s);
}

/* Only the order's last outcome can be resent. */
static void parked_before(struct pending *p, const json_t *transition)
{
    const char *reason = json_string_value(json_object_get(transition, "reason"));
    struct order_facts parked = {
        .attempts = (int)json_integer_value(json_object_get(transition, "attempts"))};
    snprintf(parked.reason, sizeof parked.reason, "%s", reason != NULL ? reason : "");
    answer_problem(p, PROBLEM_REFUSED,
                   "it was parked, and an older confirmation of this order was sent since; confirm "
                   "the order again",
                   &parked);
}

static void advance(struct pending *p)
{
    struct order_facts facts;
    const json_t *transition = NULL;
    p->dirty = false;
    if (!find_facts(p->api, &p->caller, p->key, &facts)) {
        unseen(p);
        return;
    }
    json_t *previous = facts.previous;
    switch (transition_fit(&facts, p->want_ms, &transition)) {
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

/* The body's order, borrowed; NULL: missing or invalid. */
static const char *order_of(const json_t *body)
{
    const json_t *id = json_object_get(body, "order_id");
    const struct slice key = {json_string_value(id), json_string_length(id)};
    return view_key_is_valid(key) ? key.data : NULL;
}

/* Reads all but the order. Returns NULL, or the detail of what is wrong. */
static const char *read_body(struct pending *p, const json_t *body)
{
    const json_t *at = json_object_get(body, "confirmed_at"),
                 *force = json_object_get(body, "force");
    if (force != NULL && !json_is_boolean(force) && !json_is_null(force))
        return "force: true or false";
    p->force = json_is_true(force);
    if (at == NULL || json_is_null(at))
        return NULL;
    p->want_ms = json_is_string(at) ? transition_time_ms(json_string_value(at)) : -1;
    if (p->want_ms < 0)
        return "confirmed_at: a time such as 2026-11-22T09:15:30.123Z";
    snprintf(p->confirmed_at, sizeof p->confirmed_at, "%s", json_string_value(at));
    return NULL;
}

/* A waiting request holds a connection: when there are many, it is answered at once (202). */
static void bound_wait(struct pending *p)
{
    const struct api *api = p->api;
    if (p->caller.right < AUTH_OPERATOR &&
        (api->pending.counts[PENDING_SYNC] > SYNCS_MAX ||
         pending_count(api, PENDING_SYNC, p->caller.subject) > SUBJECT_SYNCS_MAX))
        p->deadline_ms = api->now_ms;
}

void call_sync(struct call *call)
{
    json_t *body = call_body(call);
    if (body == NULL)
        return;
    const char *order = order_of(body);
    struct pending *p = order != NULL ? pending_new(call, PENDING_SYNC, order, advance) : NULL;
    const char *wrong = p != NULL ? read_body(p, body) : NULL;
    json_decref(body);
    if (order == NULL) {
        call_bad(call, "order_id: a text of 1 to 1024 bytes");
    } else if (p == NULL) {
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
    } else if (wrong != NULL) {
        pending_free(p);
        call_bad(call, wrong);
    } else if (p->force && p->caller.right < AUTH_OPERATOR) {
        pending_free(p);
        refuse(call, PROBLEM_FORBIDDEN, "force is the operators'");
    } else {
        bound_wait(p);
        advance(p);
    }
}

static const char *status_of(const struct order_facts *facts)
{
    return facts->is_pending ? "queued" : order_state_names[facts->state];
}

/* The latest transition's state, or that of an earlier one. */
static bool describe(const struct order_facts *facts, int64_t want_ms, struct sync_snapshot *ret)
{
    const json_t *transition = NULL;
    *ret = (struct sync_snapshot){status_of(facts), facts->attempts, facts->confirmed_at,
                                  facts->state == ORDER_DELIVERED ? facts->at_ms : -1};
    switch (transition_fit(facts, want_ms, &transition)) {
    case FIT_LATEST: return true;
    case FIT_DELIVERED_BEFORE:
        *ret = (struct sync_snapshot){
            "delivered", (int)json_integer_value(json_object_get(transition, "attempts")),
            json_string_value(json_object_get(transition, "confirmed_at")),
            json_integer_value(json_object_get(transition, "settled_ms"))};
        return true;
    default: return false;
    }
}

void call_sync_state(struct call *call)
{
    const char *id = NULL, *at = NULL;
    struct order_facts facts;
    struct sync_snapshot s;
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
    if (!find_facts(call->api, &call->caller, id, &facts)) {
        reply_problem(call->x, PROBLEM_NEVER_SEEN, NULL, NULL);
        return;
    }
    if (describe(&facts, want_ms, &s))
        reply_json(call->x, 200, state_json(id, at != NULL ? at : "", &s));
    else
        reply_problem(call->x, PROBLEM_NEVER_SEEN, "no such confirmation of it was seen", NULL);
    json_decref(facts.previous);
}
