#include "dashboard/control/dismissing.h"

#include "dashboard/api/api.h"
#include "sys/log.h"
#include "topics/control_record.h"
#include "topics/outcome_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACKNOWLEDGE_MS = 10000 };

/* A word that is being written, and the call that waits for it. */
struct word {
    struct pending *pending;
    char reason[CONTROL_REASON_MAX + 1]; /* "": it takes a dismissal back */
};

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

/* ---- answering ---- */

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

/* Another outcome was written between the operator's look and the word, and compaction would keep
 * the word: that outcome is written once more. */
static void write_back(struct pending *p)
{
    json_t *outcome = view_outcome(p->api->view, p->key);
    if (outcome != NULL)
        (void)!publish(p->api, p->key, outcome, NULL, NULL);
    json_decref(outcome);
}

/* The call is answered once the view has read the word back, so that the order's page shows it from
 * then on. */
static void look(struct pending *p)
{
    struct order_facts facts;
    bool is_known = view_facts(p->api->view, p->key, &facts);
    bool is_same = is_known && facts.at_ms == p->parked_ms &&
                   (facts.state == ORDER_PARKED || facts.state == ORDER_DISMISSED);
    p->dirty = false;
    if (is_same && (facts.state == ORDER_DISMISSED) == p->dismisses) {
        reply_order(p->x, p->api->view, p->key);
    } else if (!is_same) {
        write_back(p);
        reply_problem(p->x, PROBLEM_NOT_PARKED, "something else became of it meanwhile", NULL);
    } else if (p->api->now_ms >= p->deadline_ms) {
        reply_problem(p->x, PROBLEM_UNAVAILABLE,
                      "it is written, and was not read back yet: look at the order again", NULL);
    } else {
        return;
    }
    pending_free(p);
}

static void write_audit(const struct pending *p, const char *reason)
{
    const struct log_field fields[] = {LOG_S("who", caller_name(&p->caller)),
                                       LOG_S("what", p->dismisses ? "dismiss" : "restore"),
                                       LOG_S("order", p->key),
                                       LOG_S("reason", reason),
                                       {0}};
    log_event(LOG_AUDIT, "audit", fields);
}

static void written(void *context, bool acknowledged)
{
    struct word *word = context;
    struct pending *p = word->pending;
    p->busy = false;
    if (acknowledged)
        write_audit(p, word->reason);
    free(word);
    if (p->x != NULL && acknowledged) {
        look(p);
        return;
    }
    if (p->x != NULL)
        reply_problem(p->x, PROBLEM_UNAVAILABLE,
                      "the deliveries topic did not acknowledge: look at the order, then ask again",
                      NULL);
    pending_free(p);
}

/* ---- the calls ---- */

static void say(struct call *call, const struct order_facts *facts, const char *reason)
{
    struct api *api = call->api;
    struct word *word = calloc(1, sizeof *word);
    struct pending *p = word != NULL ? pending_new(call, PENDING_DISMISSAL, call->key, look) : NULL;
    json_t *outcome = view_outcome(api->view, call->key);
    bool dismisses = *reason != '\0';
    bool ok =
        p != NULL && outcome != NULL &&
        (dismisses ? outcome_dismiss(outcome, caller_name(&call->caller), reason, api->wall_ms)
                   : outcome_restore(outcome, caller_name(&call->caller), api->wall_ms));
    if (ok) {
        p->busy = true;
        p->dismisses = dismisses;
        p->parked_ms = facts->at_ms;
        p->unseen_ms = -1;
        p->deadline_ms = api->now_ms + ACKNOWLEDGE_MS;
        word->pending = p;
        snprintf(word->reason, sizeof word->reason, "%s", reason);
        ok = publish(api, call->key, outcome, written, word);
    }
    json_decref(outcome);
    if (ok)
        return;
    if (p != NULL)
        pending_free(p);
    free(word);
    reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
}

static void change(struct call *call, bool dismiss, const char *reason)
{
    struct order_facts facts;
    if (!call_facts(call, &facts))
        return;
    if (facts.state == (dismiss ? ORDER_DISMISSED : ORDER_PARKED))
        reply_order(call->x, call->api->view, call->key); /* it is so already */
    else if (facts.state != ORDER_PARKED && facts.state != ORDER_DISMISSED)
        reply_problem(call->x, PROBLEM_NOT_PARKED, "only a parked order is dismissed", NULL);
    else if (facts.is_pending)
        reply_problem(call->x, PROBLEM_UNDER_WAY, "it was asked for again: wait for its outcome",
                      NULL);
    else
        say(call, &facts, reason);
}

void call_dismiss(struct call *call)
{
    json_t *body = call_body(call);
    if (body == NULL)
        return;
    const char *reason = json_string_value(json_object_get(body, "reason"));
    if (control_reason_is_valid(reason))
        change(call, true, reason);
    else
        call_bad(call, "reason: a text of 1 to 200 bytes");
    json_decref(body);
}

void call_restore(struct call *call)
{
    json_t *body = call_body(call);
    if (body == NULL)
        return;
    change(call, false, "");
    json_decref(body);
}
