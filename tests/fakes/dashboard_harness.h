/* dashboard_harness: the real dashboard on librdkafka's mock cluster, in a thread of the test,
 * called by bytes over its own socket.
 *
 *   struct dashboard_harness s;
 *   dashboard_harness_open(&s);
 *   dashboard_harness_set(&s, "dashboard.wait", "0s");
 *   dashboard_harness_start(&s);
 *   dashboard_harness_outcome(&s, &(struct outcome){.order = "o1", .state = "delivered"});
 *   dashboard_harness_await_order(&s, "o1", "delivered");
 *   struct answer a = dashboard_harness_ask(&s, "GET", "/api/v1/orders", s.operator, NULL);
 *   dashboard_harness_close(&s);
 *
 * There is no pipeline: the test writes the group's records. A failure to set it up fails the test.
 * For pipeline_harness_main, as in pipeline_harness.h. */
#ifndef FAKES_DASHBOARD_HARNESS_H
#define FAKES_DASHBOARD_HARNESS_H

#include "dashboard/dashboard.h"
#include "fakes/clock.h"
#include "fakes/cluster.h"
#include "fakes/pipeline_harness.h"

#include <stddef.h>

#define HARNESS_SECRET "a secret of the shop, long enough: 0123456789"

enum {
    DASHBOARD_HARNESS_PARTITIONS = 3,
    DASHBOARD_HARNESS_PATIENCE_MS = 20000,
    HARNESS_TEXT = 64 * 1024
};

struct dashboard_harness {
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
    char *text; /* head and body; the harness's, until the next one */
    const char *body;
};

void dashboard_harness_open(struct dashboard_harness *s);
void dashboard_harness_set(struct dashboard_harness *s, const char *option, const char *value);
void dashboard_harness_start(
    struct dashboard_harness *s); /* and waits until the view has caught up */

/* The clocks jump, and returns once the dashboard has seen it: a connection that is accepted in the
 * turn meanwhile would seem older by the jump, and be cut off as too slow. */
void dashboard_harness_skip(struct dashboard_harness *s, int64_t ms);
void dashboard_harness_close(struct dashboard_harness *s);

/* "Authorization: Bearer …\r\n" for these claims, signed by HARNESS_SECRET; exp is in an hour. */
void dashboard_harness_sign(char *ret, size_t size, const char *claims);

/* One call on a connection of its own. headers: whole lines, or ""; body NULL: none, else JSON. */
struct answer dashboard_harness_ask(struct dashboard_harness *s, const char *method,
                                    const char *path, const char *headers, const char *body);

/* The same in two steps: between them the test can do what the answer waits for. */
int dashboard_harness_connect(struct dashboard_harness *s); /* and sends nothing */
int dashboard_harness_send(struct dashboard_harness *s, const char *method, const char *path,
                           const char *headers, const char *body);
struct answer dashboard_harness_receive(int fd);

/* Bytes as they are; the answer to the first request in them. */
struct answer dashboard_harness_say(struct dashboard_harness *s, const char *bytes, size_t len);

/* Reads until `wanted` came; the connection stays. False: it ended before, or nothing came. */
bool dashboard_harness_hears(int fd, char *text, size_t size, const char *wanted);

/* A header of the answer, "" when it is missing; the text is the caller's to copy. */
const char *answer_header(const struct answer *a, const char *name);

/* The number behind the first member of this name; fails where there is none. */
int64_t answer_number(const struct answer *a, const char *name);

/* ---- the group's records ---- */

struct outcome { /* texts NULL: "" or null; numbers 0 */
    const char *order, *state, *reason, *request, *confirmed_at, *previous;
    int64_t offset;     /* of its source, in partition 0 */
    const char *source; /* "retry", …; NULL: "cdc" */
    const char *owner;  /* its mark */
    const char *number; /* the order's; NULL: "CMD-1" */
    int64_t at_ms;      /* when it settled; 0: now */
};
void dashboard_harness_outcome(struct dashboard_harness *s, const struct outcome *o);

/* o<first>, o<first + 1>, …, of this number (NULL: "CMD-1"): all in one batch or two. The mock
 * broker drops what is oldest in a partition with more than 5 MB, read or not: of more than 10,000
 * the dashboard may miss some. */
void dashboard_harness_delivered(struct dashboard_harness *s, int first, int count,
                                 const char *number);

/* Its record in the parked topic: class "validation", "refused", …; without a value. */
void dashboard_harness_park(struct dashboard_harness *s, const struct outcome *o,
                            const char *class);

/* An order that the receiver refused: its record, its outcome, and the dashboard's knowledge of it.
 */
void dashboard_harness_refused(struct dashboard_harness *s, const char *order, int64_t offset,
                               int64_t at_ms);

void dashboard_harness_await_order(struct dashboard_harness *s, const char *order,
                                   const char *state);

/* Number of retry records, and the last one's request ("": none). */
size_t dashboard_harness_retries(struct dashboard_harness *s, char ret_request[64]);

#endif
