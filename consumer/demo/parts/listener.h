/* listener: a small HTTP server on a free loopback port, in the loop's own thread (libmicrohttpd).
 *
 *   struct listener *l = listener_new(loop, &(struct listener_events){context, answer, closed},
 * &err);
 *
 * A request is handed over whole. Its answer may come later: listener_hold now, listener_go when
 * it is time, and `answer` is asked again. */
#ifndef DEMO_PARTS_LISTENER_H
#define DEMO_PARTS_LISTENER_H

#include "base/buf.h"
#include "sys/loop.h"

#include <microhttpd.h>

enum { LISTENER_BODY_MAX = 64 * 1024 };

struct listener_request {
    struct MHD_Connection *connection;
    const char *method, *path;
    struct buf body;
    void *own; /* the events' owner's */
};

struct listener_events {
    void *context;
    /* Answers (listener_reply), holds (listener_hold), or returns MHD_NO: the connection closes
     * without an answer. */
    enum MHD_Result (*answer)(void *context, struct listener_request *request);
    void (*closed)(void *context, struct listener_request *request); /* it is over; may be NULL */
};

struct listener;

struct listener *listener_new(struct loop *loop, const struct listener_events *events,
                              struct error *err);
void listener_free(struct listener *l); /* what is held must have been let go; accepts NULL */
int listener_port(const struct listener *l);

/* Serves what is due by time; ms until it wants to be called again, -1: no need. */
int64_t listener_turn(struct listener *l);

enum MHD_Result listener_reply(struct listener_request *request, unsigned status, const char *text,
                               const char *header, const char *value); /* header may be NULL */
enum MHD_Result listener_hold(struct listener_request *request);
void listener_go(struct listener *l, struct listener_request *request);

#endif
