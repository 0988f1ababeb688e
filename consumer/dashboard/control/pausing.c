#include "dashboard/control/pausing.h"

#include "dashboard/api/api.h"
#include "sys/log.h"
#include "topics/control_record.h"

#include <stdio.h>
#include <stdlib.h>

enum { ACKNOWLEDGE_MS = 10000 };

/* A word that is being written, and the call that waits for it. */
struct saying {
    struct pending *pending;
    struct control_word word;
};

static json_t *word_json(const struct control_word *word)
{
    if (!word->paused)
        return json_null();
    json_t *said = json_object();
    json_object_set_new(said, "by", json_string(word->by));
    json_object_set_new(said, "at_ms", json_integer(word->at_ms));
    json_object_set_new(said, "reason", json_string(word->reason));
    return said;
}

json_t *pause_json(const struct api *api)
{
    struct control_word word;
    view_word(api->view, &word);
    return word_json(&word);
}

static void reply_word(struct web_request *x, const struct control_word *word)
{
    json_t *answer = json_object();
    json_object_set_new(answer, "paused", word_json(word));
    reply_json(x, 200, answer);
}

static void write_audit(const struct caller *caller, const struct control_word *word)
{
    const struct log_field fields[] = {LOG_S("who", caller_name(caller)),
                                       LOG_S("what", word->paused ? "pause" : "resume"),
                                       LOG_S("reason", word->reason),
                                       {0}};
    log_event(LOG_AUDIT, "audit", fields);
}

static void written(void *context, bool acknowledged)
{
    struct saying *s = context;
    struct pending *p = s->pending;
    p->busy = false;
    if (acknowledged) /* the view has it from the feed, in the topic's order */
        write_audit(&p->caller, &s->word);
    if (p->x != NULL && acknowledged)
        reply_word(p->x, &s->word);
    else if (p->x != NULL)
        reply_problem(p->x, PROBLEM_UNAVAILABLE,
                      "the control topic did not acknowledge: ask for the status, then again",
                      NULL);
    pending_free(p);
    free(s);
}

static void say(struct call *call, bool paused, const char *reason)
{
    struct api *api = call->api;
    struct error err = {0};
    struct saying *s = calloc(1, sizeof *s);
    struct pending *p = s != NULL ? pending_new(call, PENDING_WORD, NULL, NULL) : NULL;
    if (p == NULL) {
        free(s);
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
        return;
    }
    *s = (struct saying){.pending = p, .word = {.paused = paused, .at_ms = api->wall_ms}};
    snprintf(s->word.by, sizeof s->word.by, "%s", caller_name(&call->caller));
    snprintf(s->word.reason, sizeof s->word.reason, "%s", reason);
    p->busy = true;
    if (!control_record_write(api->publisher, api->config, &s->word, api->now_ms + ACKNOWLEDGE_MS,
                              written, s, &err))
        written(s, false);
}

/* Of a pause that stands already the first one's name, time and reason count. */
static void say_pause(struct call *call, const char *reason)
{
    struct control_word standing;
    view_word(call->api->view, &standing);
    if (standing.paused)
        reply_word(call->x, &standing);
    else
        say(call, true, reason);
}

void call_pause(struct call *call)
{
    json_t *body = call_body(call);
    if (body == NULL)
        return;
    const char *reason = json_string_value(json_object_get(body, "reason"));
    if (control_reason_is_valid(reason))
        say_pause(call, reason);
    else
        call_bad(call, "reason: a text of 1 to 200 bytes");
    json_decref(body);
}

/* Always written: a pause of a moment ago may not have come back from the topic yet. */
void call_resume(struct call *call)
{
    json_t *body = call_body(call);
    if (body == NULL)
        return;
    say(call, false, "");
    json_decref(body);
}
