#include "dashboard/api/pending.h"

#include "dashboard/api/api.h"

#include <stdlib.h>
#include <string.h>

enum { UNSEEN_MS = 2000 };

struct pending *pending_new(const struct call *call, enum pending_kind kind, const char *order,
                            void (*resume)(struct pending *p))
{
    struct api *api = call->api;
    struct pending *p = calloc(1, sizeof *p);
    if (p == NULL || (order != NULL && (p->key = strdup(order)) == NULL)) {
        free(p);
        return NULL;
    }
    p->kind = kind;
    p->api = api;
    p->x = call->x;
    p->caller = call->caller;
    p->want_ms = -1;
    p->deadline_ms = api->now_ms + api->config->dashboard_wait;
    p->unseen_ms = api->now_ms + UNSEEN_MS;
    p->resume = resume;
    LIST_INSERT_HEAD(&api->pending.list, p, link);
    api->pending.counts[kind]++;
    web_request_set_context(call->x, p);
    return p;
}

void pending_free(struct pending *p)
{
    if (p->x != NULL)
        web_request_set_context(p->x, NULL);
    LIST_REMOVE(p, link);
    p->api->pending.counts[p->kind]--;
    gzip_free(p->gzip);
    free(p->key);
    free(p);
}

size_t pending_count(const struct api *api, enum pending_kind kind, const char *subject)
{
    size_t count = 0;
    const struct pending *p;
    LIST_FOREACH (p, &api->pending.list, link)
        count += p->kind == kind && strcmp(p->caller.subject, subject) == 0;
    return count;
}

void pending_gone(void *context, struct web_request *x)
{
    struct pending *p = web_request_context(x);
    (void)context;
    if (p == NULL)
        return;
    p->x = NULL;
    if (!p->busy)
        pending_free(p);
}

void pending_changed(struct api *api, const char *key, size_t key_len)
{
    struct pending *p;
    LIST_FOREACH (p, &api->pending.list, link)
        if (p->kind == PENDING_SYNC &&
            (p->is_number || (strlen(p->key) == key_len && memcmp(p->key, key, key_len) == 0)))
            p->dirty = true;
}

static bool is_due(struct pending *p)
{
    if (p->unseen_ms >= 0 && p->api->now_ms >= p->unseen_ms) {
        p->unseen_ms = -1;
        return true;
    }
    return p->dirty || p->api->now_ms >= p->deadline_ms;
}

void pending_resume_all(struct api *api, enum pending_kind kind)
{
    for (struct pending *p = LIST_FIRST(&api->pending.list), *next; p != NULL; p = next) {
        next = LIST_NEXT(p, link);
        if (p->kind == kind)
            p->resume(p); /* may free it */
    }
}

int64_t pending_turn(struct api *api)
{
    int64_t due_ms = -1;
    struct pending *p, *next;
    for (p = LIST_FIRST(&api->pending.list); p != NULL; p = next) {
        next = LIST_NEXT(p, link);
        if (p->kind == PENDING_SYNC && !p->busy && is_due(p))
            p->resume(p); /* may free it */
    }
    LIST_FOREACH (p, &api->pending.list, link) {
        if (p->kind != PENDING_SYNC || p->busy)
            continue;
        int64_t next_ms =
            p->unseen_ms >= 0 && p->unseen_ms < p->deadline_ms ? p->unseen_ms : p->deadline_ms;
        if (due_ms < 0 || next_ms < due_ms)
            due_ms = next_ms;
    }
    if (due_ms < 0)
        return -1;
    return due_ms > api->now_ms ? due_ms - api->now_ms : 0;
}
