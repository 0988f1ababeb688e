#include "dashboard/control/bulk.h"

#include "dashboard/api/api.h"
#include "dashboard/control/dismissing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 20, SECOND_MS = 1000, TELL_EVERY_MS = 500, DISMISSALS = 8 };

/* An order's answer: one of these, or ANSWER_PROBLEMS and a problem. */
enum { ANSWER_WAITING, ANSWER_DONE, ANSWER_IS_SO, ANSWER_PROBLEMS };
enum { ANSWERS = ANSWER_PROBLEMS + PROBLEM_UNAVAILABLE + 1 };

struct bulk_order {
    struct bulk *bulk;
    char *key;
    int answer;
};

struct bulk {
    TAILQ_ENTRY(bulk) link;
    struct api *api;
    enum order_action action;
    char id[RETRY_REQUEST_MAX];
    enum { RUNNING, DONE, CANCELLED } state;
    struct bulk_order *orders; /* NULL: they are not kept any longer */
    size_t count, room, at, busy;
    size_t answers[ANSWERS];
    int64_t started_ms, ended_ms, due_ms, told_ms;
    struct caller caller;
    json_t *selection;
    char *reason;
};

static const char *answer_name(int answer)
{
    static const char *const names[] = {"waiting", "done", "already"};
    return answer < ANSWER_PROBLEMS ? names[answer]
                                    : problem_name((enum problem)(answer - ANSWER_PROBLEMS));
}

/* ---- its description ---- */

static bool is_redrive(const struct bulk *b)
{
    return b->action == ACTION_REDRIVE;
}

static json_t *answers_json(const struct bulk *b)
{
    json_t *j = json_object();
    for (int i = ANSWER_IS_SO; i < ANSWERS; i++)
        if (b->answers[i] > 0)
            json_object_set_new(j, answer_name(i), json_integer((json_int_t)b->answers[i]));
    return j;
}

json_t *bulk_json(const struct bulk *b)
{
    static const char *const states[] = {"running", "done", "cancelled"};
    json_t *j = json_object();
    size_t sent = b->answers[ANSWER_DONE];
    json_object_set_new(j, "id", json_string(b->id));
    json_object_set_new(j, "action", json_string(order_action_name(b->action)));
    json_object_set_new(j, "state", json_string(states[b->state]));
    json_object_set_new(j, "count", json_integer((json_int_t)b->count));
    json_object_set_new(j, "sent", json_integer((json_int_t)sent));
    json_object_set_new(j, "failed", json_integer((json_int_t)(b->at - b->busy - sent)));
    json_object_set_new(j, "answers", answers_json(b));
    json_object_set_new(j, "rate", json_integer(b->api->config->dashboard_redrive_rate));
    json_object_set_new(j, "started_ms", json_integer(b->started_ms));
    json_object_set_new(j, "ended_ms", b->ended_ms > 0 ? json_integer(b->ended_ms) : json_null());
    json_object_set_new(j, "by",
                        *b->caller.subject != '\0' ? json_string(b->caller.subject) : json_null());
    json_object_set(j, "selection", b->selection);
    return j;
}

json_t *bulk_orders(const struct bulk *b)
{
    json_t *list = json_array();
    for (size_t i = 0; b->orders != NULL && i < b->count; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "key", json_string(b->orders[i].key));
        json_object_set_new(one, "answer", json_string(answer_name(b->orders[i].answer)));
        json_array_append_new(list, one);
    }
    return list;
}

/* ---- beginning ---- */

struct bulk *bulk_new(const struct call *call, enum order_action action, const char *reason,
                      json_t *selection)
{
    struct bulk *b = calloc(1, sizeof *b);
    if (b == NULL || (b->reason = strdup(reason)) == NULL || !retry_request_new(b->id, NULL)) {
        json_decref(selection);
        if (b != NULL)
            free(b->reason);
        free(b);
        return NULL;
    }
    b->api = call->api;
    b->action = action;
    b->caller = call->caller;
    b->selection = selection;
    return b;
}

static void forget_orders(struct bulk *b)
{
    for (size_t i = 0; b->orders != NULL && i < b->count; i++)
        free(b->orders[i].key);
    free(b->orders);
    b->orders = NULL;
}

void bulk_free(struct bulk *b)
{
    if (b == NULL)
        return;
    forget_orders(b);
    json_decref(b->selection);
    free(b->reason);
    free(b);
}

void bulk_add(struct bulk *b, const char *key)
{
    enum { FIRST = 64 };
    char *copy = strdup(key);
    if (copy != NULL && b->count == b->room) {
        size_t room = b->room > 0 ? 2 * b->room : FIRST;
        struct bulk_order *orders = realloc(b->orders, room * sizeof *orders);
        if (orders != NULL) {
            b->orders = orders;
            b->room = room;
        }
    }
    if (copy != NULL && b->count < b->room)
        b->orders[b->count++] = (struct bulk_order){.bulk = b, .key = copy};
    else
        free(copy); /* the count that was confirmed tells */
}

static void write_audit(const struct bulk *b, const char *what, const char *counts)
{
    char text[32];
    snprintf(text, sizeof text, "%s %s", order_action_name(b->action), what);
    call_audit(&b->caller, text, counts, b->id);
}

/* The oldest that has ended makes room. */
static void make_room(struct bulks *bulks)
{
    struct bulk *b, *oldest = NULL;
    TAILQ_FOREACH (b, &bulks->all, link)
        oldest = b->ended_ms > 0 ? b : oldest;
    if (bulks->count < KEPT || oldest == NULL)
        return;
    TAILQ_REMOVE(&bulks->all, oldest, link);
    bulks->count--;
    bulk_free(oldest);
}

static void begin(struct bulk *b)
{
    struct bulks *bulks = b->api->bulks;
    char counts[64];
    b->started_ms = b->api->wall_ms;
    b->answers[ANSWER_WAITING] = b->count;
    make_room(bulks);
    TAILQ_INSERT_HEAD(&bulks->all, b, link);
    bulks->count++;
    snprintf(counts, sizeof counts, "%zu orders", b->count);
    write_audit(b, "started", counts);
}

static void refuse_count(const struct call *call, size_t count)
{
    json_t *more = json_object();
    json_object_set_new(more, "count", json_integer((json_int_t)count));
    reply_problem(call->x, PROBLEM_COUNT_CHANGED, "look at the preview again, then confirm", more);
}

void bulk_confirm(const struct call *call, struct bulk *b, int64_t confirmed)
{
    if (b == NULL) {
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
    } else if ((int64_t)b->count != confirmed) {
        refuse_count(call, b->count);
        bulk_free(b);
    } else {
        begin(b);
        reply_json(call->x, 202, bulk_json(b));
    }
}

/* ---- one order after the other ---- */

static void answered(struct bulk_order *o, int answer)
{
    o->bulk->answers[o->answer]--;
    o->answer = answer;
    o->bulk->answers[answer]++;
}

static void resent(void *context, enum resend_result result, const char *request, int64_t asked_ms)
{
    static const int answers[] = {[RESEND_WRITTEN] = ANSWER_DONE,
                                  [RESEND_GONE] = ANSWER_PROBLEMS + PROBLEM_GONE,
                                  [RESEND_UNAVAILABLE] = ANSWER_PROBLEMS + PROBLEM_UNAVAILABLE};
    struct bulk_order *o = context;
    (void)asked_ms;
    o->bulk->busy--;
    answered(o, answers[result]);
    if (result == RESEND_WRITTEN)
        call_audit(&o->bulk->caller, order_action_name(o->bulk->action), o->key, request);
}

static void dismissed(void *context, enum dismissal_result result)
{
    static const int answers[] = {[DISMISSAL_STANDS] = ANSWER_DONE,
                                  [DISMISSAL_OVERTAKEN] = ANSWER_PROBLEMS + PROBLEM_NOT_PARKED,
                                  [DISMISSAL_UNREAD] = ANSWER_DONE,
                                  [DISMISSAL_UNWRITTEN] = ANSWER_PROBLEMS + PROBLEM_UNAVAILABLE};
    struct bulk_order *o = context;
    o->bulk->busy--;
    answered(o, answers[result]);
}

static bool is_resend(const struct bulk *b)
{
    return *order_action_source(b->action) != '\0';
}

static bool start(struct bulk_order *o, const struct order_facts *facts)
{
    struct bulk *b = o->bulk;
    if (is_resend(b))
        return resend_start(b->api, o->key, facts, order_action_source(b->action), &b->caller,
                            resent, o);
    const struct dismissal_word word = {&b->caller, b->action == ACTION_DISMISS, b->reason};
    return dismissal_start(b->api, o->key, facts, &word, dismissed, o);
}

static void take_next(struct bulk *b)
{
    struct bulk_order *o = &b->orders[b->at++];
    struct order_facts facts;
    struct order_refusal refusal = {.problem = PROBLEM_NOT_FOUND};
    enum order_fit fit = ORDER_FITS_NOT;
    if (view_facts(b->api->view, o->key, &facts))
        fit = order_action_fit(b->action, facts.state, facts.is_pending, &refusal);
    if (fit == ORDER_IS_SO) {
        answered(o, ANSWER_IS_SO);
    } else if (fit == ORDER_FITS_NOT) {
        answered(o, ANSWER_PROBLEMS + (int)refusal.problem);
    } else if (start(o, &facts)) {
        b->busy++;
        if (is_resend(b))
            b->due_ms = b->api->now_ms + SECOND_MS / b->api->config->dashboard_redrive_rate;
    } else {
        answered(o, ANSWER_PROBLEMS + PROBLEM_UNDER_WAY); /* one of it is being written */
    }
}

static void tell_all(struct bulk *b)
{
    b->told_ms = b->api->now_ms;
    b->api->bulks->tell(b->api, is_redrive(b) ? "redrive" : "batch", bulk_json(b));
}

static void end(struct bulk *b)
{
    char counts[64];
    b->state = b->state == CANCELLED ? CANCELLED : DONE;
    b->ended_ms = b->api->wall_ms;
    snprintf(counts, sizeof counts, "%zu of %zu %s", b->answers[ANSWER_DONE], b->count,
             is_resend(b) ? "sent" : "done");
    write_audit(b, b->state == CANCELLED ? "cancelled" : "done", counts);
    tell_all(b);
    if (b->count > BULK_MAX)
        forget_orders(b);
}

/* ms until it has to be looked at again; -1: what it waits for wakes the loop. */
static int64_t turn(struct bulk *b)
{
    enum { LOOKED_AT = 200 }; /* orders a turn: the loop has other work */
    size_t most = is_resend(b) ? 1 : DISMISSALS, seen = 0;
    while (b->at < b->count && b->state == RUNNING && b->busy < most && seen++ < LOOKED_AT &&
           b->api->now_ms >= b->due_ms)
        take_next(b);
    if (b->busy == 0 && (b->at == b->count || b->state == CANCELLED)) {
        end(b);
        return -1;
    }
    if (b->api->now_ms - b->told_ms >= TELL_EVERY_MS)
        tell_all(b);
    if (b->busy == most || b->at == b->count)
        return -1;
    return b->due_ms > b->api->now_ms ? b->due_ms - b->api->now_ms : 0;
}

int64_t bulk_turn(struct api *api)
{
    struct bulk *b;
    int64_t wait_ms = -1;
    TAILQ_FOREACH (b, &api->bulks->all, link) {
        int64_t due_ms = b->ended_ms == 0 ? turn(b) : -1;
        if (due_ms >= 0 && (wait_ms < 0 || due_ms < wait_ms))
            wait_ms = due_ms;
    }
    return wait_ms;
}

/* ---- all of them ---- */

void bulk_open(struct bulks *bulks, void (*tell)(struct api *, const char *, json_t *))
{
    TAILQ_INIT(&bulks->all);
    bulks->tell = tell;
}

void bulk_done(struct bulks *bulks)
{
    struct bulk *b;
    while (bulks->tell != NULL && (b = TAILQ_FIRST(&bulks->all)) != NULL) {
        TAILQ_REMOVE(&bulks->all, b, link);
        bulk_free(b);
    }
}

json_t *bulk_list(const struct bulks *bulks, bool redrives)
{
    json_t *list = json_array();
    const struct bulk *b;
    TAILQ_FOREACH (b, &bulks->all, link)
        if (is_redrive(b) == redrives)
            json_array_append_new(list, bulk_json(b));
    return list;
}

json_t *bulk_own(const struct bulks *bulks, const struct caller *caller, int64_t since_ms)
{
    json_t *list = json_array();
    const struct bulk *b;
    TAILQ_FOREACH (b, &bulks->all, link) {
        bool is_own = strcmp(caller_name(&b->caller), caller_name(caller)) == 0;
        if (b->ended_ms == 0 || (is_own && b->ended_ms >= since_ms))
            json_array_append_new(list, bulk_json(b));
    }
    return list;
}

struct bulk *bulk_find(const struct bulks *bulks, const char *id, bool redrives)
{
    struct bulk *b;
    TAILQ_FOREACH (b, &bulks->all, link)
        if (is_redrive(b) == redrives && strcmp(b->id, id) == 0)
            return b;
    return NULL;
}

size_t bulk_running(const struct bulks *bulks, bool redrives)
{
    const struct bulk *b;
    size_t count = 0;
    TAILQ_FOREACH (b, &bulks->all, link)
        count += is_redrive(b) == redrives && b->ended_ms == 0;
    return count;
}

void bulk_cancel(struct bulk *b, const struct caller *caller)
{
    char text[32];
    if (b->ended_ms > 0)
        return;
    b->state = CANCELLED;
    snprintf(text, sizeof text, "cancel %s", order_action_name(b->action));
    call_audit(caller, text, "", b->id);
}
