/* dashboard_harness: the real dashboard on librdkafka's mock cluster, in a thread of the test,
 * asked by bytes over its own socket.
 *
 *   struct station s;
 *   station_open(&s);
 *   station_set(&s, "dashboard.wait", "0s");
 *   station_start(&s);
 *   station_outcome(&s, &(struct outcome){.order = "o1", .state = "delivered"});
 *   station_await_order(&s, "o1", "delivered");
 *   struct answer a = station_ask(&s, "GET", "/api/v1/orders", s.operator, NULL);
 *   station_close(&s);
 *
 * Nobody delivers: what the group would write, the test writes. What cannot be set up fails the
 * test. For world_main, as world.h says. */
#ifndef FAKES_DASHBOARD_HARNESS_H
#define FAKES_DASHBOARD_HARNESS_H

#include "dashboard/dashboard.h"
#include "fakes/clock.h"
#include "fakes/cluster.h"
#include "fakes/pipeline_harness.h"

#include <stddef.h>

#define STATION_SECRET "a secret of the shop, long enough: 0123456789"

enum { STATION_PARTITIONS = 3, STATION_PATIENCE_MS = 20000, STATION_TEXT = 64 * 1024 };

struct station {
    struct cluster cluster;
    struct config *config;
    struct dashboard *dashboard;
    int port, stop_fd;
    pthread_t thread;
    bool ok, running;
    struct error err;
    char operator[1024], customer[1024]; /* headers that sign in */
};

struct answer {
    int status; /* 0: the connection ended without one */
    char *text; /* head and body; the station's, until the next one */
    const char *body;
};

void station_open(struct station *s);
void station_set(struct station *s, const char *option, const char *value);
void station_start(struct station *s); /* and waits until the view has caught up */

/* The clocks jump, and the dashboard has seen it: what is accepted in the turn meanwhile would seem
 * as much older as they jump, and be cut off as too slow. */
void station_skip(struct station *s, int64_t ms);
void station_close(struct station *s);

/* "Authorization: Bearer …\r\n" for these claims, signed by STATION_SECRET; exp is in an hour. */
void station_sign(char *ret, size_t size, const char *claims);

/* One call on a connection of its own. headers: whole lines, or ""; body NULL: none, else JSON. */
struct answer station_ask(struct station *s, const char *method, const char *path,
                          const char *headers, const char *body);

/* The same in two steps: what the answer waits for may be done between them. */
int station_connect(struct station *s); /* and says nothing */
int station_send(struct station *s, const char *method, const char *path, const char *headers,
                 const char *body);
struct answer station_receive(int fd);

/* Bytes as they are; the answer to the first request in them. */
struct answer station_say(struct station *s, const char *bytes, size_t len);

/* Reads until `wanted` came; the connection stays. False: it ended before, or nothing came. */
bool station_hears(int fd, char *text, size_t size, const char *wanted);

/* A header of the answer, "" when it is missing; the text is the caller's to copy. */
const char *answer_header(const struct answer *a, const char *name);

/* ---- what the group would write ---- */

struct outcome { /* texts NULL: "" or null; numbers 0 */
    const char *order, *state, *reason, *request, *confirmed_at, *previous;
    int64_t offset;     /* of its source, in partition 0 */
    const char *source; /* "retry", …; NULL: "cdc" */
    const char *owner;  /* its mark */
};
void station_outcome(struct station *s, const struct outcome *o);
void station_delivered(struct station *s, int count); /* o0, o1, …: all in one batch or two */

/* Its record in the parked topic: class "validation", "refused", …; without a value. */
void station_park(struct station *s, const struct outcome *o, const char *class);

void station_await_order(struct station *s, const char *order, const char *state);

/* How many retry records there are, and the last one's request ("" when there is none). */
size_t station_retries(struct station *s, char ret_request[64]);

#endif
