#include "dashboard/routes/orders.h"

#include "dashboard/api/api.h"
#include "dashboard/control/bulk.h"
#include "dashboard/export/order_query.h"

void call_list(struct call *call)
{
    enum { LIMIT = 50, LIMIT_MAX = 200, CURSOR_MAX = 100 };
    static const char *const sorts[] = {"newest", "oldest"};
    struct error err = {0};
    int64_t limit = LIMIT;
    int sort = 0;
    struct order_filter filter;
    if (!order_query_read(call, &filter) ||
        !order_query_choice(call, "sort", sorts, sizeof sorts / sizeof *sorts,
                            "sort: newest or oldest", &sort) ||
        !call_text(call, "cursor", CURSOR_MAX, &filter.cursor) ||
        !call_number(call, "limit", 1, LIMIT_MAX, &limit))
        return;
    filter.limit = (int)limit;
    filter.oldest_first = sort == 1;
    json_t *page = view_list(call->api->view, &filter, &err);
    if (page == NULL && err.code == ERROR_CONFIG)
        call_bad(call, err.text);
    else
        reply_json(call->x, 200, page);
}

void call_order(struct call *call)
{
    json_t *order = view_order_detail(call->api->view, call->key);
    if (order == NULL) {
        reply_problem(call->x, PROBLEM_NOT_FOUND, "no outcome of an order with this key is known",
                      NULL);
        return;
    }
    json_t *parked_at = json_object_get(order, "parked_at");
    if (json_is_object(parked_at)) /* the view has the offset, not the topic's name */
        json_object_set_new(parked_at, "topic", json_string(call->api->config->parked_topic));
    reply_json(call->x, 200, order);
}

/* ---- retry ---- */

static void accepted(struct web_request *x, const char *key, const char *request, int64_t asked_ms)
{
    json_t *answer = json_object();
    json_object_set_new(answer, "key", json_string(key));
    json_object_set_new(answer, "request", json_string(request));
    json_object_set_new(answer, "asked_ms", json_integer(asked_ms));
    reply_json(x, 202, answer);
}

static void resent(void *context, enum resend_result result, const char *request, int64_t asked_ms)
{
    struct pending *p = context;
    struct web_request *x = p->x;
    p->busy = false;
    if (result == RESEND_WRITTEN)
        call_audit(&p->caller, "retry", p->key, request);
    if (x == NULL)
        ;
    else if (result == RESEND_WRITTEN)
        accepted(x, p->key, request, asked_ms);
    else if (result == RESEND_GONE)
        reply_problem(x, PROBLEM_GONE, "neither the parked topic nor the source has it any more",
                      NULL);
    else
        reply_problem(x, PROBLEM_UNAVAILABLE, "nothing was sent; try again later", NULL);
    pending_free(p);
}

static void start(struct call *call, const struct order_facts *facts)
{
    struct pending *p = pending_new(call, PENDING_RETRY, call->key, NULL);
    if (p == NULL) {
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
        return;
    }
    p->busy = true;
    if (resend_start(call->api, call->key, facts, "retry", &call->caller, resent, p))
        return;
    p->busy = false;
    pending_free(p);
    reply_problem(call->x, PROBLEM_UNDER_WAY, "a retry of it is being written at this moment",
                  NULL);
}

static bool read_force(const struct call *call, bool *ret)
{
    json_t *body = call_body(call);
    if (body == NULL)
        return false;
    const json_t *force = json_object_get(body, "force");
    bool ok = force == NULL || json_is_boolean(force);
    *ret = json_is_true(force);
    json_decref(body);
    if (!ok)
        call_bad(call, "force: true or false");
    return ok;
}

void call_retry(struct call *call)
{
    struct order_facts facts;
    struct order_refusal refusal;
    bool force;
    if (!read_force(call, &force))
        return;
    if (!call_facts(call, &facts))
        return;
    switch (order_action_fit(force ? ACTION_FORCE : ACTION_RETRY, facts.state, facts.is_pending,
                             &refusal)) {
    case ORDER_IS_SO: accepted(call->x, call->key, facts.pending_request, facts.pending_ms); return;
    case ORDER_FITS_NOT: reply_problem(call->x, refusal.problem, refusal.detail, NULL); return;
    case ORDER_FITS: start(call, &facts); return;
    }
}

/* ---- what the caller asked for ---- */

void call_requests(struct call *call)
{
    enum { HOUR_MS = 3600000 };
    struct api *api = call->api;
    json_t *answer = json_object();
    int64_t since_ms = api->wall_ms - HOUR_MS;
    json_object_set_new(answer, "requests",
                        view_asked_by(api->view, caller_name(&call->caller), since_ms));
    json_object_set_new(answer, "bulk", bulk_own(api->bulks, &call->caller, since_ms));
    reply_json(call->x, 200, answer);
}
