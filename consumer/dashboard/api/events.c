/* events: what changes, as it changes, to every page that looks on (server-sent events). */
#include "dashboard/api/api_internal.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAMED_MAX = 50,
    TELL_EVERY_MS = 250,
    STATUS_EVERY_MS = 1000,
    BEAT_MS = 15000,
    FULL_MS = 30000
};

static void send_to(struct wait *w, struct slice bytes)
{
    (void)web_request_send(w->x, bytes); /* one that is too far behind ends by itself */
}

static void send_all(struct dashboard *d, struct slice bytes)
{
    for (struct wait *w = d->waits; w != NULL; w = w->next)
        if (w->kind == WAIT_STREAM && w->x != NULL)
            send_to(w, bytes);
}

static void add_event(struct buf *b, const char *event, const char *data)
{
    buf_addf(b, "event: %s\ndata: ", event);
    buf_add_text(b, data);
    buf_add_text(b, "\n\n");
}

/* Compact JSON has no line breaks. */
static void say(struct dashboard *d, struct wait *only, const char *event, const char *data)
{
    enum { EVENT_MAX = 400 * 1024 };
    struct buf b;
    buf_init(&b, EVENT_MAX);
    add_event(&b, event, data);
    const struct slice bytes = {b.data, b.len};
    if (buf_ok(&b) && only != NULL)
        send_to(only, bytes);
    else if (buf_ok(&b))
        send_all(d, bytes);
    buf_done(&b);
}

void stream_say(struct dashboard *d, const char *event, json_t *data)
{
    char *text =
        d->wait_counts[WAIT_STREAM] > 0 && data != NULL ? json_dumps(data, JSON_COMPACT) : NULL;
    if (text != NULL)
        say(d, NULL, event, text);
    free(text);
    json_decref(data);
}

void call_events(struct call *call)
{
    struct dashboard *d = call->d;
    if (d->wait_counts[WAIT_STREAM] >= STREAMS_MAX ||
        waits_of(d, WAIT_STREAM, call->caller.subject) >= SUBJECT_STREAMS_MAX) {
        refuse_for(call, PROBLEM_TOO_MANY, "too many pages look on at once", FULL_MS);
        return;
    }
    struct wait *w = wait_new(call, WAIT_STREAM, NULL);
    if (w == NULL) {
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
        return;
    }
    web_request_add_header(call->x, "Cache-Control", "no-store");
    web_request_add_header(call->x, "X-Accel-Buffering",
                           "no"); /* proxies are to pass it on at once */
    web_request_stream(call->x, "text/event-stream");
    json_t *status = status_json(d);
    char *text = json_dumps(status, JSON_COMPACT);
    if (text != NULL)
        say(d, w, "status", text);
    free(text);
    json_decref(status);
}

void stream_changed(struct dashboard *d, const char *key, size_t key_len)
{
    if (d->wait_counts[WAIT_STREAM] == 0 || key == NULL || d->changed == NULL)
        return;
    d->changed_count++;
    if (json_object_size(d->changed) > NAMED_MAX)
        return;
    json_t *yes = json_true();
    json_object_setn_new(d->changed, key, key_len, yes);
}

static void tell_changes(struct dashboard *d)
{
    const char *key;
    json_t *value;
    d->told_ms = d->now_ms;
    if (json_object_size(d->changed) > NAMED_MAX) {
        json_t *many = json_object();
        json_object_set_new(many, "count", json_integer(d->changed_count));
        stream_say(d, "many", many);
    } else {
        json_object_foreach (d->changed, key, value) {
            stream_say(d, "order", view_order(d->view, key));
        }
    }
    json_object_clear(d->changed);
    d->changed_count = 0;
}

/* Said again only when something else than the time has changed. */
static void tell_status(struct dashboard *d)
{
    json_t *status = status_json(d);
    d->status_ms = d->now_ms;
    json_t *now = json_incref(json_object_get(status, "now_ms"));
    json_object_del(status, "now_ms");
    char *text = json_dumps(status, JSON_COMPACT);
    json_object_set_new(status, "now_ms", now);
    if (text == NULL || (d->status_told != NULL && strcmp(text, d->status_told) == 0)) {
        free(text);
        json_decref(status);
        return;
    }
    free(d->status_told);
    d->status_told = text;
    stream_say(d, "status", status);
}

static void end_expired(struct dashboard *d)
{
    for (struct wait *w = d->waits; w != NULL; w = w->next) {
        if (w->kind != WAIT_STREAM || w->x == NULL || d->wall_ms / 1000 < w->caller.expires_s)
            continue;
        say(d, w, "expired", "{}");
        web_request_end(w->x);
    }
}

int64_t stream_turn(struct dashboard *d)
{
    if (d->wait_counts[WAIT_STREAM] == 0)
        return -1;
    if (json_object_size(d->changed) > 0 && d->now_ms - d->told_ms >= TELL_EVERY_MS)
        tell_changes(d);
    if (d->now_ms - d->status_ms >= STATUS_EVERY_MS) {
        tell_status(d);
        end_expired(d);
    }
    if (d->now_ms - d->beat_ms >= BEAT_MS) {
        d->beat_ms = d->now_ms;
        send_all(d, slice_of(":\n\n"));
    }
    return TELL_EVERY_MS;
}
