/* sync: POST /functions/v1/sync-order-elementor: make sure that this order is synced.
 *
 *   delivered ──▶ 200          parked ──▶ retry record ──▶ waits        never to be sent ──▶ 422
 *   under way, or not seen yet ──▶ waits for dashboard.wait ──▶ 202      older one ──▶ 409
 *
 * Whoever is signed in to the shop may call it: it answers state, and nobody's data. */
#include "dashboard/api/api_internal.h"

#include "base/buf.h"
#include "base/time_text.h"
#include "topics/owner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- times ---- */

/* RFC 3339 as ms since 1970; -1: it is none. A blank may stand for the T, as PostgreSQL has it. */
static int64_t time_ms(const char *text)
{
    char copy[48];
    struct tm tm = {0};
    int hours, minutes;
    size_t len = strlen(text);
    if (len >= sizeof copy || len < 20)
        return -1;
    memcpy(copy, text, len + 1);
    copy[10] = copy[10] == ' ' ? 'T' : copy[10];
    if (!timestamp_is_rfc3339(copy, len))
        return -1;
    const char *rest = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == NULL)
        return -1;
    int64_t ms = (int64_t)timegm(&tm) * 1000, unit = 100;
    if (*rest == '.')
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            ms += (*rest - '0') * unit;
    if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2)
        ms -= (*rest == '+' ? 1 : -1) * (int64_t)(hours * 60 + minutes) * 60000;
    return ms;
}

/* ---- answers ---- */

struct sync_snapshot {
    const char *status; /* as SyncState says */
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

static void answer_state(struct wait *w, unsigned status, const struct sync_snapshot *s)
{
    json_t *answer = state_json(w->key, w->confirmed_at, s);
    struct web_request *x = w->x;
    if (status == 202)
        web_request_add_header(x, "Location",
                               json_string_value(json_object_get(answer, "status_url")));
    wait_free(w);
    reply_json(x, status, answer);
}

static void answer_problem(struct wait *w, enum problem problem, const char *detail,
                           const struct order_facts *facts)
{
    json_t *more = json_object();
    struct web_request *x = w->x;
    json_object_set_new(more, "success", json_false());
    json_object_set_new(more, "order_id", json_string(w->key));
    if (facts != NULL && facts->reason[0] != '\0')
        json_object_set_new(more, "reason", json_string(facts->reason));
    if (facts != NULL)
        json_object_set_new(more, "attempts", json_integer(facts->attempts));
    wait_free(w);
    reply_problem(x, problem, detail, more);
}

/* ---- which transition ---- */

enum fit {
    FIT_LATEST,           /* the one that the last outcome is of */
    FIT_LATER,            /* not seen yet */
    FIT_DELIVERED_BEFORE, /* among the transitions before the last outcome */
    FIT_PARKED_BEFORE,
    FIT_SUPERSEDED /* older than what was handled */
};

static bool is_superseded(const struct order_facts *facts)
{
    return strcmp(facts->reason, "superseded") == 0;
}

/* A settled transition of this time among those before the latest one. */
static const json_t *find_previous(const struct order_facts *facts, int64_t want_ms)
{
    const json_t *one;
    size_t i;
    json_array_foreach (facts->previous, i, one) {
        const char *at = json_string_value(json_object_get(one, "confirmed_at"));
        if (at != NULL && time_ms(at) == want_ms)
            return one;
    }
    return NULL;
}

static bool is_delivered(const json_t *transition)
{
    const char *state = json_string_value(json_object_get(transition, "state"));
    return state != NULL && strcmp(state, "delivered") == 0;
}

/* The latest by its own time, of those that were delivered. */
static const json_t *find_delivered(const struct order_facts *facts)
{
    const json_t *one, *latest = NULL;
    int64_t latest_ms = INT64_MIN;
    size_t i;
    json_array_foreach (facts->previous, i, one) {
        const char *at = json_string_value(json_object_get(one, "confirmed_at"));
        int64_t ms = at != NULL ? time_ms(at) : -1;
        if (is_delivered(one) && ms > latest_ms) {
            latest = one;
            latest_ms = ms;
        }
    }
    return latest;
}

/* The last outcome need not be of the latest confirmation: an older one may have been sent again
 * since (a replay, a retry). So the transitions before it are looked at whatever their time. */
static enum fit fit_of(const struct order_facts *facts, int64_t want_ms, const json_t **ret_before)
{
    int64_t latest_ms = facts->confirmed_at[0] != '\0' ? time_ms(facts->confirmed_at) : -1;
    if (!is_superseded(facts) && (want_ms < 0 || latest_ms < 0 || latest_ms == want_ms))
        return FIT_LATEST;
    *ret_before = want_ms < 0 ? find_delivered(facts) : find_previous(facts, want_ms);
    if (is_delivered(*ret_before))
        return FIT_DELIVERED_BEFORE;
    if (want_ms < 0 || latest_ms < 0)
        return FIT_LATEST;
    if (want_ms <= latest_ms)
        return FIT_SUPERSEDED;
    return *ret_before != NULL ? FIT_PARKED_BEFORE : FIT_LATER;
}

/* An order that is not shown to be the caller's is one that was never seen. */
static bool may_see(const struct dashboard *d, const struct caller *caller,
                    const struct order_facts *facts)
{
    return caller->right == AUTH_OPERATOR || d->config->auth_owner_column == NULL ||
           owner_is(d->config, slice_of(caller->subject), facts->owner);
}

/* What the caller may know of the order; false: nothing. */
static bool find_facts(const struct dashboard *d, const struct caller *caller, const char *key,
                       struct order_facts *ret)
{
    if (!view_facts(d->view, key, ret))
        return false;
    if (may_see(d, caller, ret))
        return true;
    json_decref(ret->previous);
    return false;
}

/* ---- waiting ---- */

static bool is_over(const struct wait *w)
{
    return w->d->now_ms >= w->deadline_ms;
}

static void answer_later(struct wait *w, const char *status, const struct order_facts *facts)
{
    const struct sync_snapshot s = {.status = status,
                                    .attempts = facts != NULL ? facts->attempts : -1,
                                    .confirmed_at = facts != NULL ? facts->confirmed_at : NULL,
                                    .delivered_ms = -1};
    answer_state(w, 202, &s);
}

static void resent(void *context, enum resend_result result, const char *request, int64_t asked_ms)
{
    struct wait *w = context;
    w->busy = false;
    if (result == RESEND_WRITTEN) {
        audit(&w->caller, w->force ? "sync, forced" : "sync", w->key, request);
        memcpy(w->request, request, sizeof w->request);
        w->asked_ms = asked_ms;
    }
    if (w->x == NULL)
        wait_free(w);
    else if (result == RESEND_GONE)
        answer_problem(w, PROBLEM_GONE,
                       "its record was deleted by the topics' retention; confirm the order again",
                       NULL);
    else if (result == RESEND_UNAVAILABLE)
        answer_problem(w, PROBLEM_UNAVAILABLE, "nothing was sent; try again later", NULL);
    else
        w->dirty = true;
}

/* A customer's resend of an order waits for a while after the last one, whoever asked for that. */
static bool is_too_soon(struct wait *w, const struct order_facts *facts)
{
    const struct dashboard *d = w->d;
    bool resent_before =
        strcmp(facts->source, "retry") == 0 || strcmp(facts->source, "redrive") == 0;
    int64_t left_ms = facts->at_ms < d->wall_ms ? facts->at_ms - d->wall_ms : 0;
    left_ms += d->config->auth_resend_interval;
    if (w->caller.right != AUTH_USER || !resent_before || left_ms <= 0)
        return false;
    struct web_request *x = w->x;
    add_retry_after(x, left_ms);
    answer_problem(w, PROBLEM_TOO_SOON, "it was refused again; auth.resend_interval has not passed",
                   facts);
    return true;
}

static void resend(struct wait *w, const struct order_facts *facts)
{
    if (resend_is_under_way(w->d, w->key)) { /* another call's: it will be seen */
        w->dirty = true;
        if (is_over(w))
            answer_later(w, "queued", facts);
        return;
    }
    w->busy = resend_start(w->d, w->key, facts, "retry", resent, w);
    if (!w->busy)
        answer_problem(w, PROBLEM_INTERNAL, NULL, NULL);
}

/* ---- what to do ---- */

static void delivered(struct wait *w, const struct order_facts *facts)
{
    const struct sync_snapshot s = {"delivered", facts->attempts, facts->confirmed_at,
                                    facts->at_ms};
    answer_state(w, 200, &s);
}

static bool can_never_be_sent(const struct order_facts *facts)
{
    return strcmp(facts->class, "validation") == 0 || strcmp(facts->class, "undecodable") == 0;
}

/* A retry that was written for this call, or that it joined. */
static void follow(struct wait *w, const struct order_facts *facts)
{
    bool settled = facts->state != ORDER_RETRYING && !facts->is_pending &&
                   (strcmp(facts->request, w->request) == 0 || facts->at_ms >= w->asked_ms);
    if (settled && facts->state == ORDER_DELIVERED)
        delivered(w, facts);
    else if (settled)
        answer_problem(w, can_never_be_sent(facts) ? PROBLEM_NEVER : PROBLEM_REFUSED,
                       "it was parked again", facts);
    else if (is_over(w))
        answer_later(w, facts->state == ORDER_RETRYING ? "retrying" : "queued", facts);
}

static void advance_latest(struct wait *w, const struct order_facts *facts)
{
    if (w->request[0] != '\0') {
        follow(w, facts);
    } else if (facts->is_pending) {
        memcpy(w->request, facts->pending_request, sizeof w->request);
        w->request[sizeof w->request - 1] = '\0';
        w->asked_ms = facts->pending_ms;
        follow(w, facts);
    } else if (facts->state == ORDER_RETRYING) {
        if (is_over(w))
            answer_later(w, "retrying", facts);
    } else if (facts->state == ORDER_DELIVERED && !w->force) {
        delivered(w, facts);
    } else if (facts->state == ORDER_PARKED && can_never_be_sent(facts)) {
        answer_problem(w, PROBLEM_NEVER, "correct the order in the shop and confirm it again",
                       facts);
    } else if (!is_too_soon(w, facts)) {
        resend(w, facts);
    }
}

/* The order may be in the topic already and not in this view: what is forced must exist, so its
 * wait is short. */
static void unseen(struct wait *w)
{
    if (w->force && (w->unseen_ms < 0 || is_over(w)))
        answer_problem(w, PROBLEM_NEVER_SEEN,
                       "no confirmation of it was seen; confirm it in the shop, then it is sent by "
                       "itself",
                       NULL);
    else if (is_over(w))
        answer_later(w, "unseen", NULL);
}

static void before(struct wait *w, const json_t *transition)
{
    const json_t *attempts = json_object_get(transition, "attempts");
    const struct sync_snapshot s = {
        .status = "delivered",
        .attempts = json_is_integer(attempts) ? (int)json_integer_value(attempts) : -1,
        .confirmed_at = json_string_value(json_object_get(transition, "confirmed_at")),
        .delivered_ms = json_integer_value(json_object_get(transition, "settled_ms"))};
    answer_state(w, 200, &s);
}

/* It can be asked for only as the order's last outcome. */
static void parked_before(struct wait *w, const json_t *transition)
{
    const char *reason = json_string_value(json_object_get(transition, "reason"));
    struct order_facts parked = {
        .attempts = (int)json_integer_value(json_object_get(transition, "attempts"))};
    snprintf(parked.reason, sizeof parked.reason, "%s", reason != NULL ? reason : "");
    answer_problem(w, PROBLEM_REFUSED,
                   "it was parked, and an older confirmation of this order was sent since; confirm "
                   "the order again",
                   &parked);
}

void sync_advance(struct wait *w)
{
    struct order_facts facts;
    const json_t *transition = NULL;
    w->dirty = false;
    if (!find_facts(w->d, &w->caller, w->key, &facts)) {
        unseen(w);
        return;
    }
    json_t *previous = facts.previous;
    switch (fit_of(&facts, w->want_ms, &transition)) {
    case FIT_LATER: unseen(w); break;
    case FIT_PARKED_BEFORE: parked_before(w, transition); break;
    case FIT_SUPERSEDED:
        answer_problem(w, PROBLEM_SUPERSEDED, "a later confirmation of this order was handled",
                       NULL);
        break;
    case FIT_DELIVERED_BEFORE:
        if (w->force)
            answer_problem(w, PROBLEM_SUPERSEDED,
                           "another confirmation of this order was handled since; confirm the "
                           "order again to send it",
                           NULL);
        else
            before(w, transition);
        break;
    default: advance_latest(w, &facts);
    }
    json_decref(previous);
}

/* ---- the calls ---- */

/* The body's order; NULL: it names none, or one that cannot be. Borrowed. */
static const char *order_of(const json_t *body)
{
    const json_t *id = json_object_get(body, "order_id");
    const struct slice key = {json_string_value(id), json_string_length(id)};
    return view_key_is_valid(key) ? key.data : NULL;
}

/* All but the order. NULL: fine. */
static const char *read_body(struct wait *w, const json_t *body)
{
    const json_t *at = json_object_get(body, "confirmed_at"),
                 *force = json_object_get(body, "force");
    if (force != NULL && !json_is_boolean(force) && !json_is_null(force))
        return "force: true or false";
    w->force = json_is_true(force);
    if (at == NULL || json_is_null(at))
        return NULL;
    w->want_ms = json_is_string(at) ? time_ms(json_string_value(at)) : -1;
    if (w->want_ms < 0)
        return "confirmed_at: a time such as 2026-11-22T09:15:30.123Z";
    snprintf(w->confirmed_at, sizeof w->confirmed_at, "%s", json_string_value(at));
    return NULL;
}

/* Whoever waits holds a connection: where many do, what is known is answered at once (202). */
static void bound_wait(struct wait *w)
{
    const struct dashboard *d = w->d;
    if (w->caller.right < AUTH_OPERATOR &&
        (d->wait_counts[WAIT_SYNC] > SYNCS_MAX ||
         waits_of(d, WAIT_SYNC, w->caller.subject) > SUBJECT_SYNCS_MAX))
        w->deadline_ms = d->now_ms;
}

void call_sync(struct call *call)
{
    json_t *body = call_body(call);
    if (body == NULL)
        return;
    const char *order = order_of(body);
    struct wait *w = order != NULL ? wait_new(call, WAIT_SYNC, order) : NULL;
    const char *wrong = w != NULL ? read_body(w, body) : NULL;
    json_decref(body);
    if (order == NULL) {
        call_bad(call, "order_id: a text of 1 to 1024 bytes");
    } else if (w == NULL) {
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
    } else if (wrong != NULL) {
        wait_free(w);
        call_bad(call, wrong);
    } else if (w->force && w->caller.right < AUTH_OPERATOR) {
        wait_free(w);
        refuse(call, PROBLEM_FORBIDDEN, "force is the operators'");
    } else {
        bound_wait(w);
        sync_advance(w);
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
    switch (fit_of(facts, want_ms, &transition)) {
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
        !call_text(call, "confirmed_at", sizeof(((struct wait *)0)->confirmed_at) - 1, &at))
        return;
    if (at != NULL)
        want_ms = time_ms(at);
    if (id == NULL || (at != NULL && want_ms < 0)) {
        call_bad(call, id == NULL ? "order_id is missing" : "confirmed_at: not an RFC 3339 time");
        return;
    }
    if (!find_facts(call->d, &call->caller, id, &facts)) {
        reply_problem(call->x, PROBLEM_NEVER_SEEN, NULL, NULL);
        return;
    }
    if (describe(&facts, want_ms, &s))
        reply_json(call->x, 200, state_json(id, at != NULL ? at : "", &s));
    else
        reply_problem(call->x, PROBLEM_NEVER_SEEN, "no such confirmation of it was seen", NULL);
    json_decref(facts.previous);
}
