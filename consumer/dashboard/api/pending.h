/* pending: requests that are answered later. */
#ifndef DASHBOARD_API_PENDING_H
#define DASHBOARD_API_PENDING_H

#include "dashboard/api/call.h"
#include "dashboard/web/gzip.h"
#include "topics/retry_record.h"

#include <sys/queue.h>

/* The event that a request waits for. */
enum pending_kind {
    PENDING_KEYS,
    PENDING_SYNC,
    PENDING_RETRY,
    PENDING_PAYLOAD,
    PENDING_WORD,
    PENDING_DISMISSAL,
    PENDING_EXPORT,
    PENDING_STREAM,
    PENDING_KINDS
};

struct pending {
    LIST_ENTRY(pending) link;
    enum pending_kind kind;
    struct api *api;
    struct web_request *x; /* NULL: the client has gone; the work that is busy for it frees this */
    struct caller caller;
    /* Goes on with the request, and may free it. PENDING_SYNC: when its order
     * has changed or its time is up; PENDING_KEYS: when the keys have been read. */
    void (*resume)(struct pending *p);
    bool busy;  /* a resend, a word to the group, or the reading of a payload or list is under way
                   for it */
    bool dirty; /* its order has changed */
    int64_t deadline_ms;
    int64_t unseen_ms; /* an order that is unknown until then does not exist; -1: past */
    char *key;         /* the order's, owned; NULL: it waits for none */
    /* PENDING_SYNC */
    char confirmed_at[64];
    int64_t want_ms; /* the transition's; -1: the latest */
    bool force;
    bool is_number; /* its key may be an order's number: any order that changes may be it */
    char request[RETRY_REQUEST_MAX];
    int64_t asked_ms; /* the request's wall clock */
    /* PENDING_STREAM */
    struct gzip *gzip; /* owned; NULL: its reader takes none */
};

struct pending_requests {
    LIST_HEAD(, pending) list; /* newest first */
    size_t counts[PENDING_KINDS];
};

/* order: its key, copied; NULL: none. resume may be NULL. NULL without memory. */
struct pending *pending_new(const struct call *call, enum pending_kind kind, const char *order,
                            void (*resume)(struct pending *p));
void pending_free(struct pending *p);

/* Number of the subject's requests of this kind. */
size_t pending_count(const struct api *api, enum pending_kind kind, const char *subject);

/* Resumes all requests of a kind; none of them may be busy. */
void pending_resume_all(struct api *api, enum pending_kind kind);

void pending_changed(struct api *api, const char *key, size_t key_len);
int64_t pending_turn(struct api *api);

/* The web server's callback: the client has gone, or has its answer. */
void pending_gone(void *context, struct web_request *x);

#endif
