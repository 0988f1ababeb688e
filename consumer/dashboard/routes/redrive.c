#include "dashboard/routes/redrive.h"

#include "dashboard/api/api.h"
#include "dashboard/routes/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 20, SAMPLE = 10, SECOND_MS = 1000, SEND_EVERY_MS = 500 };

struct redrive {
    struct api *api;
    char id[RETRY_REQUEST_MAX];
    enum { RUNNING, DONE, CANCELLED } state;
    char **keys;
    size_t count, at, sent, failed;
    int64_t started_ms, ended_ms, due_ms, shown_ms;
    bool busy;
    struct caller caller;
    json_t *selection;
};

static json_t *json_of(const struct redrive *r)
{
    static const char *const names[] = {"running", "done", "cancelled"};
    json_t *j = json_object();
    json_object_set_new(j, "id", json_string(r->id));
    json_object_set_new(j, "state", json_string(names[r->state]));
    json_object_set_new(j, "count", json_integer((json_int_t)r->count));
    json_object_set_new(j, "sent", json_integer((json_int_t)r->sent));
    json_object_set_new(j, "failed", json_integer((json_int_t)r->failed));
    json_object_set_new(j, "rate", json_integer(r->api->config->dashboard_redrive_rate));
    json_object_set_new(j, "started_ms", json_integer(r->started_ms));
    json_object_set_new(j, "ended_ms", r->ended_ms > 0 ? json_integer(r->ended_ms) : json_null());
    json_object_set_new(j, "by",
                        *r->caller.subject != '\0' ? json_string(r->caller.subject) : json_null());
    json_object_set(j, "selection", r->selection);
    return j;
}

static void free_redrive(struct redrive *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->keys[i]);
    free(r->keys);
    json_decref(r->selection);
    free(r);
}

void redrive_open(struct redrives *redrives)
{
    redrives->ended = json_array();
}

void redrive_done(struct redrives *redrives)
{
    if (redrives->running != NULL)
        free_redrive(redrives->running);
    json_decref(redrives->ended);
}

/* ---- sending ---- */

static void send_state(struct redrive *r)
{
    r->shown_ms = r->api->now_ms;
    events_send(r->api, "redrive", json_of(r));
}

/* Only its description remains, in the list of ended ones. */
static void end(struct redrive *r)
{
    struct api *api = r->api;
    char counts[64];
    r->state = r->state == CANCELLED ? CANCELLED : DONE;
    r->ended_ms = api->wall_ms;
    json_array_insert_new(api->redrives->ended, 0, json_of(r));
    if (json_array_size(api->redrives->ended) > KEPT)
        json_array_remove(api->redrives->ended, KEPT);
    snprintf(counts, sizeof counts, "%zu of %zu sent", r->sent, r->count);
    call_audit(&r->caller, r->state == CANCELLED ? "redrive cancelled" : "redrive done", counts,
               r->id);
    send_state(r);
    api->redrives->running = NULL;
    free_redrive(r);
}

static void resent(void *context, enum resend_result result, const char *request, int64_t asked_ms)
{
    struct redrive *r = context;
    (void)asked_ms;
    r->busy = false;
    r->sent += result == RESEND_WRITTEN;
    r->failed += result != RESEND_WRITTEN;
    if (result == RESEND_WRITTEN)
        call_audit(&r->caller, "redrive", r->keys[r->at - 1], request);
}

static void send_next(struct redrive *r)
{
    struct order_facts facts;
    const char *key = r->keys[r->at++];
    if (view_facts(r->api->view, key, &facts) && facts.state == ORDER_PARKED && !facts.is_pending)
        r->busy = resend_start(r->api, key, &facts, "redrive", &r->caller, resent, r);
    if (r->busy)
        r->due_ms = r->api->now_ms + SECOND_MS / r->api->config->dashboard_redrive_rate;
    else
        r->failed++;
}

int64_t redrive_turn(struct api *api)
{
    struct redrive *r = api->redrives->running;
    if (r == NULL || r->busy)
        return -1;
    if (r->at == r->count || r->state == CANCELLED) {
        end(r);
        return -1;
    }
    if (api->now_ms >= r->due_ms)
        send_next(r);
    if (api->now_ms - r->shown_ms >= SEND_EVERY_MS)
        send_state(r);
    if (r->busy)
        return -1;
    return r->due_ms > api->now_ms ? r->due_ms - api->now_ms : 0;
}

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
    struct redrive *r = context;
    char **keys = realloc(r->keys, (r->count + 1) * sizeof *keys);
    char *copy = strdup(key);
    if (keys != NULL)
        r->keys = keys;
    if (keys != NULL && copy != NULL)
        keys[r->count++] = copy;
    else
        free(copy);
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

static struct redrive *redrive_new(const struct call *call, const json_t *body,
                                   const struct order_filter *filter)
{
    struct redrive *r = calloc(1, sizeof *r);
    if (r == NULL || !retry_request_new(r->id, NULL)) {
        free(r);
        return NULL;
    }
    r->api = call->api;
    r->caller = call->caller;
    r->started_ms = call->api->wall_ms;
    r->selection = selection_of(body);
    view_parked_each(call->api->view, filter, take_key, r);
    return r;
}

static void refuse_count(const struct call *call, size_t count)
{
    json_t *more = json_object();
    json_object_set_new(more, "count", json_integer((json_int_t)count));
    reply_problem(call->x, PROBLEM_COUNT_CHANGED, "look at the preview again, then confirm", more);
}

static void begin(const struct call *call, const json_t *body, const struct order_filter *filter,
                  int64_t confirmed)
{
    struct redrive *r = redrive_new(call, body, filter);
    char counts[64];
    if (r == NULL) {
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
    } else if ((int64_t)r->count != confirmed) {
        refuse_count(call, r->count);
        free_redrive(r);
    } else {
        call->api->redrives->running = r;
        snprintf(counts, sizeof counts, "%zu orders", r->count);
        call_audit(&r->caller, "redrive started", counts, r->id);
        reply_json(call->x, 202, json_of(r));
    }
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
        if (call->api->redrives->running != NULL)
            reply_problem(call->x, PROBLEM_BUSY, "wait for its end, or cancel it", NULL);
        else
            begin(call, body, &filter, json_integer_value(confirm));
    }
    json_decref(body);
}

/* ---- state and cancelling ---- */

void call_redrives(struct call *call)
{
    struct api *api = call->api;
    json_t *all = json_copy(api->redrives->ended), *answer = json_object();
    if (api->redrives->running != NULL)
        json_array_insert_new(all, 0, json_of(api->redrives->running));
    if (json_array_size(all) > KEPT)
        json_array_remove(all, KEPT);
    json_object_set_new(answer, "redrives", all);
    reply_json(call->x, 200, answer);
}

static json_t *find(const struct call *call)
{
    json_t *one;
    size_t i;
    if (call->api->redrives->running != NULL &&
        strcmp(call->api->redrives->running->id, call->key) == 0)
        return json_of(call->api->redrives->running);
    json_array_foreach (call->api->redrives->ended, i, one) {
        if (strcmp(json_string_value(json_object_get(one, "id")), call->key) == 0)
            return json_incref(one);
    }
    return NULL;
}

void call_redrive_state(struct call *call)
{
    json_t *one = find(call);
    if (one != NULL)
        reply_json(call->x, 200, one);
    else
        reply_problem(call->x, PROBLEM_NOT_FOUND, "no such redrive was started here", NULL);
}

void call_redrive_cancel(struct call *call)
{
    struct redrive *r = call->api->redrives->running;
    if (r != NULL && strcmp(r->id, call->key) == 0) {
        r->state = CANCELLED;
        call_audit(&call->caller, "cancel redrive", "", r->id);
    }
    call_redrive_state(call);
}
