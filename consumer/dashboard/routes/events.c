#include "dashboard/routes/events.h"

#include "base/buf.h"
#include "dashboard/api/api.h"
#include "dashboard/routes/status.h"

#include <stdlib.h>
#include <string.h>

/* A stream holds a connection, of web_limits_default.connections: together with the requests that
 * wait (sync.c) they leave a quarter of them to operators' calls and probes. */
enum {
    STREAMS_MAX = 64,
    SUBJECT_STREAMS_MAX = 32,
    NAMED_MAX = 50,
    SEND_EVERY_MS = 1000,
    BEAT_MS = 4000,
    FULL_MS = 30000,
    EVENT_MAX = 400 * 1024,   /* bytes */
    PIECE_MAX = 2 * EVENT_MAX /* of what is sent in one piece */
};

void events_open(struct event_stream *stream)
{
    stream->changed = json_object();
}

void events_done(struct event_stream *stream)
{
    json_decref(stream->changed);
    free(stream->status_sent);
}

/* One that is too far behind ends by itself. */
static void send_to(struct pending *p, struct slice bytes)
{
    struct buf b;
    if (p->gzip == NULL) {
        (void)web_request_send(p->x, bytes);
        return;
    }
    buf_init(&b, PIECE_MAX);
    gzip_add(p->gzip, bytes, false, &b);
    if (buf_ok(&b))
        (void)web_request_send(p->x, (struct slice){b.data, b.len});
    else
        web_request_end(p->x); /* what follows could not be read */
    buf_done(&b);
}

static void send_all(struct api *api, struct slice bytes)
{
    struct pending *p;
    LIST_FOREACH (p, &api->pending.list, link)
        if (p->kind == PENDING_STREAM && p->x != NULL)
            send_to(p, bytes);
}

static void add_event(struct buf *b, const char *event, const char *data)
{
    buf_addf(b, "event: %s\ndata: ", event);
    buf_add_text(b, data);
    buf_add_text(b, "\n\n");
}

/* Compact JSON has no line breaks. */
static void send_event(struct api *api, struct pending *only, const char *event, const char *data)
{
    struct buf b;
    buf_init(&b, EVENT_MAX);
    add_event(&b, event, data);
    const struct slice bytes = {b.data, b.len};
    if (buf_ok(&b) && only != NULL)
        send_to(only, bytes);
    else if (buf_ok(&b))
        send_all(api, bytes);
    buf_done(&b);
}

void events_send(struct api *api, const char *event, json_t *data)
{
    char *text = api->pending.counts[PENDING_STREAM] > 0 && data != NULL
                     ? json_dumps(data, JSON_COMPACT)
                     : NULL;
    if (text != NULL)
        send_event(api, NULL, event, text);
    free(text);
    json_decref(data);
}

void call_events(struct call *call)
{
    struct api *api = call->api;
    if (api->pending.counts[PENDING_STREAM] >= STREAMS_MAX ||
        pending_count(api, PENDING_STREAM, call->caller.subject) >= SUBJECT_STREAMS_MAX) {
        refuse_for(call, PROBLEM_TOO_MANY, "too many pages are open at once", FULL_MS);
        return;
    }
    struct pending *p = pending_new(call, PENDING_STREAM, NULL, NULL);
    if (p == NULL) {
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
        return;
    }
    web_request_add_header(call->x, "Cache-Control", "no-store");
    web_request_add_header(call->x, "X-Accel-Buffering",
                           "no"); /* makes proxies pass it on at once */
    if (gzip_is_accepted(web_request_header(call->x, "Accept-Encoding")) &&
        (p->gzip = gzip_new()) != NULL)
        web_request_add_header(call->x, "Content-Encoding", "gzip");
    web_request_stream(call->x, "text/event-stream");
    json_t *status = status_json(api);
    char *text = json_dumps(status, JSON_COMPACT);
    if (text != NULL)
        send_event(api, p, "status", text);
    free(text);
    json_decref(status);
}

void events_changed(struct api *api, const char *key, size_t key_len)
{
    if (api->pending.counts[PENDING_STREAM] == 0 || key == NULL || api->stream->changed == NULL)
        return;
    api->stream->changed_count++;
    if (json_object_size(api->stream->changed) > NAMED_MAX)
        return;
    json_t *yes = json_true();
    json_object_setn_new(api->stream->changed, key, key_len, yes);
}

/* Consumes data, which may be NULL. One that does not fit into `most` bytes leaves the piece as it
 * was. */
static void add_json(struct buf *piece, size_t most, const char *event, json_t *data)
{
    enum { HEAD = 64 };
    char *text = data != NULL ? json_dumps(data, JSON_COMPACT) : NULL;
    if (text != NULL && piece->len + strlen(text) + HEAD <= most)
        add_event(piece, event, text);
    free(text);
    json_decref(data);
}

static void add_changes(struct api *api, struct buf *piece)
{
    const char *key;
    json_t *value;
    if (json_object_size(api->stream->changed) > NAMED_MAX) {
        json_t *many = json_object();
        json_object_set_new(many, "count", json_integer(api->stream->changed_count));
        add_json(piece, EVENT_MAX, "many", many);
    } else {
        json_object_foreach (api->stream->changed, key, value) {
            add_json(piece, EVENT_MAX, "order", view_order(api->view, key));
        }
    }
    json_object_clear(api->stream->changed);
    api->stream->changed_count = 0;
}

/* Sent only when something else than the time has changed. */
static void add_status(struct api *api, struct buf *piece)
{
    json_t *status = status_json(api);
    json_t *now = json_incref(json_object_get(status, "now_ms"));
    json_object_del(status, "now_ms");
    char *text = json_dumps(status, JSON_COMPACT);
    json_object_set_new(status, "now_ms", now);
    if (text == NULL ||
        (api->stream->status_sent != NULL && strcmp(text, api->stream->status_sent) == 0)) {
        free(text);
        json_decref(status);
        return;
    }
    free(api->stream->status_sent);
    api->stream->status_sent = text;
    add_json(piece, PIECE_MAX, "status", status);
}

/* Changes go out in one piece, once a second: compressed together they take half the bytes, and
 * repetitions from one second to the next are still within the compressor's window. */
static void send_piece(struct api *api)
{
    struct buf piece;
    buf_init(&piece, PIECE_MAX);
    api->stream->sent_ms = api->now_ms;
    add_changes(api, &piece);
    add_status(api, &piece);
    if (api->now_ms - api->stream->beat_ms >= BEAT_MS) {
        api->stream->beat_ms = api->now_ms;
        buf_add_text(&piece, ":\n\n");
    }
    if (buf_ok(&piece) && piece.len > 0)
        send_all(api, (struct slice){piece.data, piece.len});
    buf_done(&piece);
}

static void end_expired(struct api *api)
{
    struct pending *p;
    LIST_FOREACH (p, &api->pending.list, link) {
        if (p->kind != PENDING_STREAM || p->x == NULL || api->wall_ms / 1000 < p->caller.expires_s)
            continue;
        send_event(api, p, "expired", "{}");
        web_request_end(p->x);
    }
}

int64_t events_turn(struct api *api)
{
    if (api->pending.counts[PENDING_STREAM] == 0)
        return -1;
    if (api->now_ms - api->stream->sent_ms >= SEND_EVERY_MS) {
        send_piece(api);
        end_expired(api);
    }
    return SEND_EVERY_MS - (api->now_ms - api->stream->sent_ms);
}
