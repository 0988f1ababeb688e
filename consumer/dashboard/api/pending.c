/* pending: requests that are answered later. */
#include "dashboard/api/api_internal.h"

#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNSEEN_MS = 2000 };

struct wait *wait_new(const struct call *call, int kind, const char *order)
{
    struct dashboard *d = call->d;
    struct wait *w = calloc(1, sizeof *w);
    if (w == NULL || (order != NULL && (w->key = strdup(order)) == NULL)) {
        free(w);
        return NULL;
    }
    w->kind = kind;
    w->d = d;
    w->x = call->x;
    w->caller = call->caller;
    w->want_ms = -1;
    w->deadline_ms = d->now_ms + d->config->dashboard_wait;
    w->unseen_ms = d->now_ms + UNSEEN_MS;
    w->next = d->waits;
    if (w->next != NULL)
        w->next->previous = w;
    d->waits = w;
    d->wait_counts[kind]++;
    web_request_set_context(call->x, w);
    return w;
}

void wait_free(struct wait *w)
{
    struct dashboard *d = w->d;
    if (w->x != NULL)
        web_request_set_context(w->x, NULL);
    *(w->previous != NULL ? &w->previous->next : &d->waits) = w->next;
    if (w->next != NULL)
        w->next->previous = w->previous;
    d->wait_counts[w->kind]--;
    free(w->key);
    free(w);
}

size_t waits_of(const struct dashboard *d, int kind, const char *subject)
{
    size_t count = 0;
    for (const struct wait *w = d->waits; w != NULL; w = w->next)
        count += (int)w->kind == kind && strcmp(w->caller.subject, subject) == 0;
    return count;
}

void api_gone(void *context, struct web_request *x)
{
    struct wait *w = web_request_context(x);
    (void)context;
    if (w == NULL)
        return;
    w->x = NULL;
    if (!w->busy)
        wait_free(w);
}

void wait_changed(struct dashboard *d, const char *key, size_t key_len)
{
    for (struct wait *w = d->waits; w != NULL; w = w->next)
        if (w->kind == WAIT_SYNC && strlen(w->key) == key_len && memcmp(w->key, key, key_len) == 0)
            w->dirty = true;
}

static bool is_due(struct wait *w)
{
    if (w->unseen_ms >= 0 && w->d->now_ms >= w->unseen_ms) {
        w->unseen_ms = -1;
        return true;
    }
    return w->dirty || w->d->now_ms >= w->deadline_ms;
}

int64_t waits_turn(struct dashboard *d)
{
    int64_t due_ms = -1;
    for (struct wait *w = d->waits, *next; w != NULL; w = next) {
        next = w->next;
        if (w->kind == WAIT_SYNC && !w->busy && is_due(w))
            sync_advance(w); /* may free it */
    }
    for (struct wait *w = d->waits; w != NULL; w = w->next) {
        if (w->kind != WAIT_SYNC || w->busy)
            continue;
        int64_t next_ms =
            w->unseen_ms >= 0 && w->unseen_ms < w->deadline_ms ? w->unseen_ms : w->deadline_ms;
        if (due_ms < 0 || next_ms < due_ms)
            due_ms = next_ms;
    }
    if (due_ms < 0)
        return -1;
    return due_ms > d->now_ms ? due_ms - d->now_ms : 0;
}

void audit(const struct caller *caller, const char *what, const char *order, const char *more)
{
    const struct log_field fields[] = {
        LOG_S("who", caller->subject[0] != '\0' ? caller->subject : caller->role),
        LOG_S("what", what),
        LOG_S("order", order),
        LOG_S("request", more),
        {0}};
    log_event(LOG_AUDIT, "audit", fields);
}
