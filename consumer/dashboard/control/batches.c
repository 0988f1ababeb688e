#include "dashboard/control/batches.h"

#include "dashboard/api/api.h"
#include "dashboard/control/bulk.h"
#include "dashboard/export/order_query.h"
#include "topics/control_record.h"

#include <string.h>

enum { NAMED_MAX = 500, SAMPLE = 5, RUNNING_MAX = 4 };
enum { ANSWERS = PROBLEM_UNAVAILABLE + 2 }; /* a problem each, and "already" */

/* A call for many orders; borrows the call and its body. */
struct batch_call {
    const struct call *call;
    json_t *body;
    enum order_action action;
    const json_t *keys; /* NULL: all that the filter lets through */
    struct order_filter filter;
    const char *reason; /* of a dismissal; "" else */
};

/* ---- what is asked for ---- */

static bool bad(const struct batch_call *b, const char *detail)
{
    call_bad(b->call, detail);
    return false;
}

static bool read_action(struct batch_call *b)
{
    static const enum order_action offered[] = {ACTION_RETRY, ACTION_REPLAY, ACTION_DISMISS,
                                                ACTION_RESTORE};
    const char *name = json_string_value(json_object_get(b->body, "action"));
    for (size_t i = 0; name != NULL && i < sizeof offered / sizeof *offered; i++)
        if (strcmp(name, order_action_name(offered[i])) == 0) {
            b->action = offered[i];
            return true;
        }
    return bad(b, "action: retry, replay, dismiss or restore");
}

static bool read_keys(struct batch_call *b)
{
    const json_t *key;
    size_t i;
    b->keys = json_object_get(b->body, "keys");
    if (b->keys == NULL)
        return true;
    if (!json_is_array(b->keys) || json_array_size(b->keys) < 1 ||
        json_array_size(b->keys) > NAMED_MAX)
        return bad(b, "keys: an array of 1 to 500 keys of orders");
    json_array_foreach (b->keys, i, key)
        if (!view_key_is_valid((struct slice){json_string_value(key), json_string_length(key)}))
            return bad(b, "keys: texts of 1 to 1024 bytes, without a NUL");
    return true;
}

/* The filter is the query's, as the list's. A replay is of a time, lest it be of everything. */
static bool read_filter(struct batch_call *b)
{
    if (!order_query_read(b->call, &b->filter))
        return false;
    b->filter.limit = BULK_MAX + 1;
    b->filter.oldest_first = true;
    return b->action != ACTION_REPLAY || b->keys != NULL || b->filter.since_ms >= 0 ||
           bad(b, "a replay needs since_ms in the query");
}

static bool read_batch(struct batch_call *b)
{
    return read_action(b) && read_keys(b) && read_filter(b);
}

/* ---- the orders ---- */

struct choice {
    const struct batch_call *batch;
    void (*each)(struct choice *choice, const struct listed_order *order, enum order_fit fit,
                 enum problem problem);
    json_t *seen; /* keys that are named: each counts once */
    size_t count; /* of the orders that match */
    void *context;
};

static void judge(void *context, const struct listed_order *order)
{
    struct choice *c = context;
    struct order_refusal refusal = {.problem = PROBLEM_NOT_FOUND};
    if (c->count++ == BULK_MAX)
        return; /* too many: the call says so */
    enum order_fit fit = order->at_ms < 0 ? ORDER_FITS_NOT
                                          : order_action_fit(c->batch->action, order->state,
                                                             order->is_pending, &refusal);
    c->each(c, order, fit, refusal.problem);
}

static void judge_named(struct choice *c)
{
    const json_t *value;
    size_t i;
    json_array_foreach (c->batch->keys, i, value) {
        const char *key = json_string_value(value);
        struct order_facts facts = {.at_ms = -1};
        if (json_object_get(c->seen, key) != NULL)
            continue;
        json_object_set_new(c->seen, key, json_true());
        if (!view_facts(c->batch->call->api->view, key, &facts))
            facts.at_ms = -1; /* not known */
        judge(c, &(struct listed_order){.key = key,
                                        .state = facts.state,
                                        .is_pending = facts.is_pending,
                                        .at_ms = facts.at_ms});
    }
}

/* Calls c->each with each order and whether it can. False: too many, and the call is answered. */
static bool choose(struct choice *c)
{
    c->seen = json_object();
    if (c->batch->keys != NULL)
        judge_named(c);
    else
        view_each(c->batch->call->api->view, &c->batch->filter, judge, c);
    json_decref(c->seen);
    return c->count <= BULK_MAX ||
           bad(c->batch, "more than 10000 orders match: choose fewer, or a shorter time");
}

/* ---- the preview ---- */

struct batch_preview {
    json_t *sample, *samples[ANSWERS];
    int64_t can, delivered, counts[ANSWERS], first_ms, last_ms, newest_ms;
};

static void add_sample(const struct choice *c, json_t **list, const char *key)
{
    json_t *order = NULL;
    if (*list == NULL)
        *list = json_array();
    if (json_array_size(*list) < SAMPLE)
        order = view_order(c->batch->call->api->view, key);
    if (order != NULL)
        json_array_append_new(*list, order);
}

static void count_order(struct choice *c, const struct listed_order *order, enum order_fit fit,
                        enum problem problem)
{
    struct batch_preview *p = c->context;
    if (order->at_ms > p->newest_ms)
        p->newest_ms = order->at_ms;
    if (fit != ORDER_FITS) {
        int answer = fit == ORDER_IS_SO ? ANSWERS - 1 : (int)problem;
        p->counts[answer]++;
        add_sample(c, &p->samples[answer], order->key);
        return;
    }
    p->can++;
    p->delivered += order->state == ORDER_DELIVERED;
    p->first_ms = p->first_ms < 0 || order->at_ms < p->first_ms ? order->at_ms : p->first_ms;
    p->last_ms = order->at_ms > p->last_ms ? order->at_ms : p->last_ms;
    add_sample(c, &p->sample, order->key);
}

static json_t *time_json(int64_t ms)
{
    return ms >= 0 ? json_integer(ms) : json_null();
}

/* Those that cannot, by their cause; takes the samples. */
static json_t *cannot_json(struct batch_preview *p)
{
    json_t *list = json_array();
    for (int i = 0; i < ANSWERS; i++) {
        if (p->counts[i] == 0)
            continue;
        json_t *one = json_object();
        json_object_set_new(
            one, "answer",
            json_string(i == ANSWERS - 1 ? "already" : problem_name((enum problem)i)));
        json_object_set_new(one, "count", json_integer(p->counts[i]));
        json_object_set_new(one, "sample", p->samples[i]);
        json_array_append_new(list, one);
    }
    return list;
}

/* Changes after the newest of them are left out. */
static int64_t until_of(const struct batch_call *b, const struct batch_preview *p)
{
    if (b->keys != NULL || p->newest_ms < 0)
        return b->filter.until_ms;
    return p->newest_ms + 1;
}

static json_t *preview_json(const struct batch_call *b, struct batch_preview *p, size_t count)
{
    int64_t rate = b->call->api->config->dashboard_redrive_rate;
    bool is_paced = *order_action_source(b->action) != '\0';
    json_t *answer = json_object();
    json_object_set_new(answer, "action", json_string(order_action_name(b->action)));
    json_object_set_new(answer, "count", json_integer((json_int_t)count));
    json_object_set_new(answer, "can", json_integer(p->can));
    json_object_set_new(answer, "delivered", json_integer(p->delivered));
    json_object_set_new(answer, "cannot", cannot_json(p));
    json_object_set_new(answer, "first_ms", time_json(p->first_ms));
    json_object_set_new(answer, "last_ms", time_json(p->last_ms));
    json_object_set_new(answer, "until_ms", time_json(until_of(b, p)));
    json_object_set_new(answer, "sample", p->sample != NULL ? p->sample : json_array());
    json_object_set_new(answer, "seconds", json_integer(is_paced ? (p->can + rate - 1) / rate : 0));
    return answer;
}

void call_batch_preview(struct call *call)
{
    struct batch_call b = {.call = call, .body = call_body(call)};
    struct batch_preview p = {.first_ms = -1, .last_ms = -1, .newest_ms = -1};
    struct choice c = {.batch = &b, .each = count_order, .context = &p};
    if (b.body == NULL)
        return;
    if (read_batch(&b)) {
        bool ok = choose(&c);
        json_t *answer = preview_json(&b, &p, c.count);
        if (ok)
            reply_json(call->x, 200, answer);
        else
            json_decref(answer);
    }
    json_decref(b.body);
}

/* ---- beginning ---- */

static void take_order(struct choice *c, const struct listed_order *order, enum order_fit fit,
                       enum problem problem)
{
    (void)problem;
    if (fit == ORDER_FITS && c->context != NULL)
        bulk_add(c->context, order->key);
}

static void put_text(json_t *to, const char *name, const char *text)
{
    if (text != NULL)
        json_object_set_new(to, name, json_string(text));
}

static json_t *selection_of(const struct batch_call *b)
{
    const struct order_filter *f = &b->filter;
    json_t *selection = json_object();
    if (b->keys != NULL) {
        json_object_set_new(selection, "keys", json_integer((json_int_t)json_array_size(b->keys)));
        return selection;
    }
    put_text(selection, "state", f->state >= 0 ? order_state_names[f->state] : NULL);
    put_text(selection, "reason", f->reason);
    put_text(selection, "source", f->source);
    put_text(selection, "q", f->search);
    if (f->status != 0)
        json_object_set_new(selection, "status",
                            json_integer(f->status == VIEW_NO_STATUS ? 0 : f->status));
    if (f->since_ms >= 0)
        json_object_set_new(selection, "since_ms", json_integer(f->since_ms));
    if (f->until_ms >= 0)
        json_object_set_new(selection, "until_ms", json_integer(f->until_ms));
    return selection;
}

static bool read_reason(struct batch_call *b)
{
    b->reason = json_string_value(json_object_get(b->body, "reason"));
    if (b->action != ACTION_DISMISS)
        b->reason = "";
    return b->action != ACTION_DISMISS || control_reason_is_valid(b->reason) ||
           bad(b, "reason: a text of 1 to 200 bytes");
}

static void begin(struct batch_call *b, int64_t confirmed)
{
    struct bulk *bulk = bulk_new(b->call, b->action, b->reason, selection_of(b));
    struct choice c = {.batch = b, .each = take_order, .context = bulk};
    if (choose(&c))
        bulk_confirm(b->call, bulk, confirmed);
    else
        bulk_free(bulk);
}

void call_batch(struct call *call)
{
    struct batch_call b = {.call = call, .body = call_body(call)};
    if (b.body == NULL)
        return;
    const json_t *confirm = json_object_get(b.body, "confirm");
    if (!json_is_integer(confirm) || json_integer_value(confirm) < 1)
        call_bad(call, "confirm: the preview's number of those that can");
    else if (read_batch(&b) && read_reason(&b)) {
        if (bulk_running(call->api->bulks, false) >= RUNNING_MAX)
            reply_problem(call->x, PROBLEM_BUSY, "four are running: wait for an end, or cancel one",
                          NULL);
        else
            begin(&b, json_integer_value(confirm));
    }
    json_decref(b.body);
}

/* ---- state and cancelling ---- */

void call_batches(struct call *call)
{
    json_t *answer = json_object();
    json_object_set_new(answer, "batches", bulk_list(call->api->bulks, false));
    reply_json(call->x, 200, answer);
}

void call_batch_state(struct call *call)
{
    const struct bulk *bulk = bulk_find(call->api->bulks, call->key, false);
    if (bulk == NULL) {
        reply_problem(call->x, PROBLEM_NOT_FOUND, "no such batch was started here", NULL);
        return;
    }
    json_t *answer = bulk_json(bulk);
    json_object_set_new(answer, "orders", bulk_orders(bulk));
    reply_json(call->x, 200, answer);
}

void call_batch_cancel(struct call *call)
{
    struct bulk *bulk = bulk_find(call->api->bulks, call->key, false);
    if (bulk != NULL)
        bulk_cancel(bulk, &call->caller);
    call_batch_state(call);
}
