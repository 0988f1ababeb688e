/* sync_answer: the answers of sync-order-elementor, apart from problems, and the time for which an
 * order that was never seen may still come. */
#ifndef DASHBOARD_SYNC_SYNC_ANSWER_H
#define DASHBOARD_SYNC_SYNC_ANSWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct api;

struct sync_snapshot {
    const char *status; /* SyncState in schemas/openapi.yaml */
    int attempts;       /* -1: not known */
    const char *confirmed_at;
    int64_t delivered_ms; /* -1: not */
};

/* A SyncState; want: the confirmed_at that was asked for, or "". The caller's. */
json_t *sync_state_json(const struct api *api, const char *order_id, const char *want,
                        const struct sync_snapshot *s);

/* Of an earlier transition that was delivered; borrows from it. */
struct sync_snapshot sync_delivered_before(const json_t *transition);

/* The detail of a 404. */
extern const char sync_never_seen[];

/* True: the confirmation (want_ms: its time, or -1) of this order may still come: it is asked for
 * since less than dashboard.unseen_timeout. The first notes this call; the second takes an
 * order without a call for one that does not come. */
bool sync_note_unseen(struct api *api, const char *key, int64_t want_ms);
bool sync_may_come(const struct api *api, const char *key, int64_t want_ms);

#endif
