#include "dashboard/control/dismissing.h"

#include "dashboard/api/api.h"
#include "dashboard/control/order_action.h"
#include "sys/log.h"
#include "topics/control_record.h"
#include "topics/outcome_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACKNOWLEDGE_MS = 10000 };

/* A word that is being written, or read back. */
struct dismissal {
    LIST_ENTRY(dismissal) link;
    struct api *api;
    struct caller caller;
    bool dismisses;
    bool written, dirty; /* dirty: its order has changed */
    int64_t parked_ms;   /* of the outcome that it is about */
    int64_t deadline_ms;
    char reason[CONTROL_REASON_MAX + 1];
    dismissal_done *done;
    void *context;
    char key[];
};

static void end(struct dismissal *d, enum dismissal_result result)
{
    LIST_REMOVE(d, link);
    d->done(d->context, result);
    free(d);
}

static bool publish(struct api *api, const char *key, const json_t *outcome, publisher_done *done,
                    void *context)
{
    struct error err = {0};
    char *text = json_dumps(outcome, JSON_COMPACT);
    if (text == NULL)
        return false;
    const struct publication publication = {.topic = api->config->deliveries_topic,
                                            .partition = RD_KAFKA_PARTITION_UA,
                                            .key = key,
                                            .key_len = strlen(key),
                                            .value = text,
                                            .value_len = strlen(text),
                                            .deadline_ms = api->now_ms + ACKNOWLEDGE_MS};
    bool ok = publisher_put(api->publisher, &publication, done, context, &err);
    free(text);
    return ok;
}

/* Another outcome was written between the operator's look and the word, and compaction would keep
 * the word: that outcome is written once more. */
static void write_back(const struct dismissal *d)
{
    json_t *outcome = view_outcome(d->api->view, d->key);
    if (outcome != NULL)
        (void)!publish(d->api, d->key, outcome, NULL, NULL);
    json_decref(outcome);
}

/* It has been said once the view has read the word back, so that the order's page shows it from
 * then on. */
static void look(struct dismissal *d)
{
    struct order_facts facts;
    bool is_known = view_facts(d->api->view, d->key, &facts);
    bool is_same = is_known && facts.at_ms == d->parked_ms &&
                   (facts.state == ORDER_PARKED || facts.state == ORDER_DISMISSED);
    d->dirty = false;
    if (is_same && (facts.state == ORDER_DISMISSED) == d->dismisses) {
        end(d, DISMISSAL_STANDS);
    } else if (!is_same) {
        write_back(d);
        end(d, DISMISSAL_OVERTAKEN);
    } else if (d->api->now_ms >= d->deadline_ms) {
        end(d, DISMISSAL_UNREAD);
    }
}

static void write_audit(const struct dismissal *d)
{
    const struct log_field fields[] = {LOG_S("who", caller_name(&d->caller)),
                                       LOG_S("what", d->dismisses ? "dismiss" : "restore"),
                                       LOG_S("order", d->key),
                                       LOG_S("reason", d->reason),
                                       {0}};
    log_event(LOG_AUDIT, "audit", fields);
}

static void written(void *context, bool acknowledged)
{
    struct dismissal *d = context;
    d->written = true;
    if (!acknowledged) {
        end(d, DISMISSAL_UNWRITTEN);
        return;
    }
    write_audit(d);
    look(d);
}

bool dismissal_start(struct api *api, const char *key, const struct order_facts *facts,
                     const struct dismissal_word *word, dismissal_done *done, void *context)
{
    size_t key_size = strlen(key) + 1;
    struct dismissal *d = calloc(1, sizeof *d + key_size);
    json_t *outcome = view_outcome(api->view, key);
    const char *who = caller_name(word->caller);
    bool ok = d != NULL && outcome != NULL &&
              (word->dismisses ? outcome_dismiss(outcome, who, word->reason, api->wall_ms)
                               : outcome_restore(outcome, who, api->wall_ms));
    if (ok) {
        *d = (struct dismissal){.api = api,
                                .caller = *word->caller,
                                .dismisses = word->dismisses,
                                .parked_ms = facts->at_ms,
                                .deadline_ms = api->now_ms + ACKNOWLEDGE_MS,
                                .done = done,
                                .context = context};
        snprintf(d->reason, sizeof d->reason, "%s", word->reason);
        memcpy(d->key, key, key_size);
        ok = publish(api, key, outcome, written, d);
    }
    json_decref(outcome);
    if (ok)
        LIST_INSERT_HEAD(api->dismissals, d, link);
    else
        free(d);
    return ok;
}

void dismissals_changed(struct api *api, const char *key, size_t key_len)
{
    struct dismissal *d;
    LIST_FOREACH (d, api->dismissals, link)
        d->dirty = d->dirty || (strlen(d->key) == key_len && memcmp(d->key, key, key_len) == 0);
}

int64_t dismissals_turn(struct api *api)
{
    int64_t wait_ms = -1;
    for (struct dismissal *d = LIST_FIRST(api->dismissals), *next; d != NULL; d = next) {
        next = LIST_NEXT(d, link);
        if (d->written && (d->dirty || api->now_ms >= d->deadline_ms))
            look(d); /* may free it */
        else if (d->written && (wait_ms < 0 || d->deadline_ms - api->now_ms < wait_ms))
            wait_ms = d->deadline_ms - api->now_ms;
    }
    return wait_ms;
}

void dismissals_end(struct api *api)
{
    for (struct dismissal *d = LIST_FIRST(api->dismissals), *next; d != NULL; d = next) {
        next = LIST_NEXT(d, link);
        end(d, DISMISSAL_UNREAD);
    }
}

/* ---- the calls ---- */

static void reply_order(struct web_request *x, struct view *view, const char *key)
{
    json_t *order = view_order_detail(view, key), *answer = json_object();
    json_t *said = json_object_get(order, "dismissed");
    bool stands = json_is_object(said) && json_object_get(said, "undone_ms") == NULL;
    json_object_set_new(answer, "key", json_string(key));
    json_object_set_new(answer, "dismissed", stands ? json_incref(said) : json_null());
    json_decref(order);
    reply_json(x, 200, answer);
}

static void reply_result(struct pending *p, enum dismissal_result result)
{
    switch (result) {
    case DISMISSAL_STANDS: reply_order(p->x, p->api->view, p->key); return;
    case DISMISSAL_OVERTAKEN:
        reply_problem(p->x, PROBLEM_NOT_PARKED, "something else became of it meanwhile", NULL);
        return;
    case DISMISSAL_UNREAD:
        reply_problem(p->x, PROBLEM_UNAVAILABLE,
                      "it is written, and was not read back yet: look at the order again", NULL);
        return;
    case DISMISSAL_UNWRITTEN:
        reply_problem(p->x, PROBLEM_UNAVAILABLE,
                      "the deliveries topic did not acknowledge: look at the order, then ask again",
                      NULL);
        return;
    }
}

static void said(void *context, enum dismissal_result result)
{
    struct pending *p = context;
    p->busy = false;
    if (p->x != NULL)
        reply_result(p, result);
    pending_free(p);
}

static void say(struct call *call, const struct order_facts *facts, const char *reason)
{
    const struct dismissal_word word = {&call->caller, *reason != '\0', reason};
    struct pending *p = pending_new(call, PENDING_DISMISSAL, call->key, NULL);
    if (p != NULL) {
        p->busy = true;
        if (dismissal_start(call->api, call->key, facts, &word, said, p))
            return;
        p->busy = false;
        pending_free(p);
    }
    reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
}

static void change(struct call *call, enum order_action action, const char *reason)
{
    struct order_facts facts;
    struct order_refusal refusal;
    if (!call_facts(call, &facts))
        return;
    switch (order_action_fit(action, facts.state, facts.is_pending, &refusal)) {
    case ORDER_IS_SO: reply_order(call->x, call->api->view, call->key); return;
    case ORDER_FITS_NOT: reply_problem(call->x, refusal.problem, refusal.detail, NULL); return;
    case ORDER_FITS: say(call, &facts, reason); return;
    }
}

void call_dismiss(struct call *call)
{
    json_t *body = call_body(call);
    if (body == NULL)
        return;
    const char *reason = json_string_value(json_object_get(body, "reason"));
    if (control_reason_is_valid(reason))
        change(call, ACTION_DISMISS, reason);
    else
        call_bad(call, "reason: a text of 1 to 200 bytes");
    json_decref(body);
}

void call_restore(struct call *call)
{
    json_t *body = call_body(call);
    if (body == NULL)
        return;
    change(call, ACTION_RESTORE, "");
    json_decref(body);
}
