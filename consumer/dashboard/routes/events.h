/* events: a stream of changes to every open page (server-sent events). */
#ifndef DASHBOARD_ROUTES_EVENTS_H
#define DASHBOARD_ROUTES_EVENTS_H

#include <jansson.h>
#include <stdint.h>

struct api;
struct call;

struct event_stream {
    json_t *changed;       /* keys that changed since they were last sent; NULL: no memory */
    int64_t changed_count; /* changes since; may exceed the keys, of which only some are kept */
    int64_t sent_ms, beat_ms;
    char *status_sent; /* the last status, without its time */
};

void events_open(struct event_stream *stream);
void events_done(struct event_stream *stream);

/* GET /api/v1/events */
void call_events(struct call *call);

void events_changed(struct api *api, const char *key, size_t key_len);
void events_send(struct api *api, const char *event, json_t *data); /* consumes data */
int64_t events_turn(struct api *api);

#endif
