#include "dashboard/control/redrive.h"

#include "dashboard/api/api.h"
#include "dashboard/control/bulk.h"

enum { SAMPLE = 10 };

/* ---- the selection ---- */

static bool read_time(const json_t *body, const char *name, int64_t *ret)
{
    const json_t *value = json_object_get(body, name);
    if (value == NULL)
        return true;
    *ret = json_integer_value(value);
    return json_is_integer(value) && *ret >= 0;
}

/* Borrows the body. False: answered. */
static bool read_selection(const struct call *call, const json_t *body, struct order_filter *ret)
{
    enum { REASON_MAX = 64 };
    const json_t *reason = json_object_get(body, "reason");
    *ret = (struct order_filter){
        .state = ORDER_PARKED, .since_ms = -1, .until_ms = -1, .not_pending = true};
    ret->reason = json_string_value(reason);
    if (reason != NULL &&
        (ret->reason == NULL || *ret->reason == '\0' || json_string_length(reason) > REASON_MAX)) {
        call_bad(call, "reason: a text of 1 to 64 bytes");
        return false;
    }
    if (read_time(body, "since_ms", &ret->since_ms) && read_time(body, "until_ms", &ret->until_ms))
        return true;
    call_bad(call, "since_ms and until_ms: whole numbers, milliseconds since 1970");
    return false;
}

static json_t *time_json(int64_t ms)
{
    return ms >= 0 ? json_integer(ms) : json_null();
}

void call_preview(struct call *call)
{
    struct error err = {0};
    struct order_filter filter;
    int64_t oldest_ms, newest_ms, rate = call->api->config->dashboard_redrive_rate;
    json_t *body = call_body(call);
    if (body == NULL)
        return;
    if (read_selection(call, body, &filter)) {
        struct view *view = call->api->view;
        json_t *answer = json_object();
        int64_t count = view_parked_count(view, &filter, &oldest_ms, &newest_ms);
        filter.limit = SAMPLE;
        json_t *page = view_list(view, &filter, &err), *sample = json_object_get(page, "orders");
        json_object_set_new(answer, "count", json_integer(count));
        json_object_set_new(answer, "reasons", view_reasons(view, &filter));
        json_object_set_new(answer, "until_ms",
                            time_json(newest_ms >= 0 ? newest_ms + 1 : filter.until_ms));
        json_object_set_new(answer, "oldest_ms", time_json(oldest_ms));
        json_object_set_new(answer, "newest_ms", time_json(newest_ms));
        json_object_set_new(answer, "sample", sample != NULL ? json_incref(sample) : json_array());
        json_object_set_new(answer, "rate", json_integer(rate));
        json_object_set_new(answer, "seconds", json_integer((count + rate - 1) / rate));
        json_decref(page);
        reply_json(call->x, 200, answer);
    }
    json_decref(body);
}

/* ---- starting one ---- */

static void take_key(void *context, const char *key)
{
    bulk_add(context, key);
}

static json_t *selection_of(const json_t *body)
{
    static const char *const names[] = {"reason", "since_ms", "until_ms"};
    json_t *selection = json_object();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_object_get(body, names[i]) != NULL)
            json_object_set(selection, names[i], json_object_get(body, names[i]));
    return selection;
}

static void begin(const struct call *call, const json_t *body, const struct order_filter *filter,
                  int64_t confirmed)
{
    struct bulk *b = bulk_new(call, ACTION_REDRIVE, "", selection_of(body));
    if (b != NULL)
        view_parked_each(call->api->view, filter, take_key, b);
    bulk_confirm(call, b, confirmed);
}

void call_redrive(struct call *call)
{
    struct order_filter filter;
    json_t *body = call_body(call);
    if (body == NULL)
        return;
    const json_t *confirm = json_object_get(body, "confirm");
    if (!json_is_integer(confirm) || json_integer_value(confirm) < 1)
        call_bad(call, "confirm: the preview's count");
    else if (read_selection(call, body, &filter)) {
        if (bulk_running(call->api->bulks, true) > 0)
            reply_problem(call->x, PROBLEM_BUSY, "wait for its end, or cancel it", NULL);
        else
            begin(call, body, &filter, json_integer_value(confirm));
    }
    json_decref(body);
}

/* ---- state and cancelling ---- */

void call_redrives(struct call *call)
{
    json_t *answer = json_object();
    json_object_set_new(answer, "redrives", bulk_list(call->api->bulks, true));
    reply_json(call->x, 200, answer);
}

void call_redrive_state(struct call *call)
{
    const struct bulk *b = bulk_find(call->api->bulks, call->key, true);
    if (b != NULL)
        reply_json(call->x, 200, bulk_json(b));
    else
        reply_problem(call->x, PROBLEM_NOT_FOUND, "no such redrive was started here", NULL);
}

void call_redrive_cancel(struct call *call)
{
    struct bulk *b = bulk_find(call->api->bulks, call->key, true);
    if (b != NULL)
        bulk_cancel(b, &call->caller);
    call_redrive_state(call);
}
