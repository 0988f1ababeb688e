/* api_internal: the state that the API's files share. */
#ifndef DASHBOARD_API_API_INTERNAL_H
#define DASHBOARD_API_API_INTERNAL_H

#include "config/config.h"
#include "dashboard/api/call_quota.h"
#include "dashboard/auth/token.h"
#include "dashboard/feed/feed.h"
#include "dashboard/feed/keep_connected.h"
#include "dashboard/feed/record_fetch.h"
#include "dashboard/view/view.h"
#include "dashboard/web/reply.h"
#include "dashboard/web/server.h"
#include "http/http_client.h"
#include "topics/retry_record.h"

/* Exchanges that stay open hold a connection each, of web_limits_default.connections: together they
 * leave a quarter of them to operators' calls and probes, and one subject has only some. */
enum {
    STREAMS_MAX = 64,
    SUBJECT_STREAMS_MAX = 32,
    SYNCS_MAX = 96,
    SUBJECT_SYNCS_MAX = 8, /* of a customer */
    KEY_WAITS_MAX = 32,
    LAG_POINTS = 60
};

/* Why a request is still open. */
struct wait {
    enum wait_kind { WAIT_KEYS, WAIT_SYNC, WAIT_RETRY, WAIT_STREAM, WAIT_KINDS } kind;
    struct wait *next, *previous;
    struct dashboard *d;
    struct web_request *x; /* NULL: its client went; whoever works for it ends it */
    struct caller caller;
    bool busy;  /* a resend works for it */
    bool dirty; /* something that it waits for has changed */
    int64_t deadline_ms;
    int64_t unseen_ms; /* an order that is not known by then is none; -1: it is past */
    char *key;         /* the order's, owned; NULL: it waits for no order */
    /* WAIT_SYNC */
    char confirmed_at[64];
    int64_t want_ms; /* the transition's, -1: the latest one */
    bool force;
    char request[RETRY_REQUEST_MAX];
    int64_t asked_ms; /* of the request; wall clock */
};

struct redrive;
struct resend;

/* Lines about refused calls: so many in a while, then only how many more there were. */
struct refusals {
    int64_t since_ms;
    int said, unsaid;
};

struct dashboard {
    const struct config *config;
    struct loop *loop;
    struct web *web;
    struct http *http;
    struct view *view;
    struct feed *feed;
    struct fetch *fetch;
    struct publisher *publisher;
    struct keep_connected *keep_connected; /* the publisher */
    int publisher_fd;
    char address[128];
    int64_t now_ms, wall_ms;
    bool stopping, asked;
    int64_t lag_ms;

    struct keys keys;
    struct auth_rules rules;
    struct {
        struct http_request *request; /* NULL: none under way */
        int64_t due_ms, asked_ms;
    } set;

    struct wait *waits;
    size_t wait_counts[WAIT_KINDS];
    struct call_quota quota;
    struct refusals refusals;
    struct resend *resends;
    struct redrive *redrive; /* the running one */
    json_t *redrives;        /* those that ended, newest first */

    json_t *changed; /* keys, since the streams were told; NULL: too many to be named */
    int64_t changed_count, told_ms, status_ms, beat_ms;
    char *status_told;
    int64_t lag_minute, lag[LAG_POINTS]; /* the last hour's, by minute; -1: not known */
};

/* routes.c */
void api_request(void *context, struct web_request *x);
void api_gone(void *context, struct web_request *x);

/* What a handler is given. */
struct call {
    struct dashboard *d;
    struct web_request *x;
    struct caller caller;
    bool keys_awaited; /* it has waited for a set of keys already */
    const char *route; /* the pattern of its path, NULL: none; names no order */
    char *key; /* of the path, decoded, at most VIEW_KEY_MAX bytes; "": none. The router's */
};

/* The body as an object; NULL when it is none, and that is answered. The caller's. */
json_t *call_body(const struct call *call);
void call_bad(const struct call *call, const char *detail);
/* A whole number ≥ least of the query; *ret stays when it is not there. False: answered. */
bool call_number(const struct call *call, const char *name, int64_t least, int64_t most,
                 int64_t *ret);
bool call_text(const struct call *call, const char *name, size_t most, const char **ret);

/* pending.c */
/* order: its key, copied; NULL: none. NULL without memory. */
struct wait *wait_new(const struct call *call, int kind, const char *order);
void wait_free(struct wait *w);
/* How many of this kind the subject holds open. */
size_t waits_of(const struct dashboard *d, int kind, const char *subject);
void wait_changed(struct dashboard *d, const char *key, size_t key_len);
int64_t waits_turn(struct dashboard *d);

/* sign_in.c */
bool signin_open(struct dashboard *d, struct error *err) must_check;
void signin_turn(struct dashboard *d);
/* False: it is answered, or waits for newer keys. */
bool signin_check(struct call *call);

/* status.c */
json_t *status_json(struct dashboard *d);
void status_note_lag(struct dashboard *d);
void call_status(struct call *call);
void call_activity(struct call *call);
void call_session(struct call *call);
void call_ready(struct call *call);

/* orders.c */
void call_list(struct call *call);
void call_order(struct call *call);
void call_retry(struct call *call);

/* sync.c */
void call_sync(struct call *call);
void call_sync_state(struct call *call);
void sync_advance(struct wait *w);

/* resend.c: a retry record for an order that the view knows. */
enum resend_result { RESEND_WRITTEN, RESEND_GONE, RESEND_UNAVAILABLE };
typedef void resend_done(void *context, enum resend_result result, const char *request,
                         int64_t asked_ms);
/* done: once, later. False without memory, or when one for this order is at work. */
bool resend_start(struct dashboard *d, const char *key, const struct order_facts *facts,
                  const char *source, resend_done *done, void *context) must_check;
bool resend_is_under_way(const struct dashboard *d, const char *key);

/* redrive.c */
void call_preview(struct call *call);
void call_redrive(struct call *call);
void call_redrives(struct call *call);
void call_redrive_state(struct call *call);
void call_redrive_cancel(struct call *call);
int64_t redrive_turn(struct dashboard *d);
void redrive_free(struct dashboard *d);

/* events.c */
void call_events(struct call *call);
void stream_changed(struct dashboard *d, const char *key, size_t key_len);
void stream_say(struct dashboard *d, const char *event, json_t *data); /* consumes data */
int64_t stream_turn(struct dashboard *d);

/* Calls again what waited for keys. */
void api_call_again(struct dashboard *d, struct web_request *x);

/* refusals.c: answers with the problem, and leaves a line: who, what, from where and why. */
void refuse(const struct call *call, enum problem problem, const char *detail);
/* The same for one that may come again after so long. */
void refuse_for(const struct call *call, enum problem problem, const char *detail, int64_t ms);
void add_retry_after(struct web_request *x, int64_t ms);
int64_t refusals_turn(struct dashboard *d);

/* Who did what: one line of the log, whatever its level. */
void audit(const struct caller *caller, const char *what, const char *order, const char *more);

#endif
