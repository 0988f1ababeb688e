#include "dashboard/api/resend.h"

#include "dashboard/api/api.h"
#include "dashboard/api/original.h"
#include "sys/log.h"
#include "topics/retry_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACKNOWLEDGE_MS = 10000 };

struct resend {
    LIST_ENTRY(resend) link;
    struct api *api;
    bool forced;        /* only a forced call resends what was delivered */
    const char *source; /* "retry", "redrive", "replay" */
    char request[RETRY_REQUEST_MAX], by[AUTH_NAME_MAX];
    int64_t asked_ms;
    resend_done *done;
    void *context;
    char key[];
};

static void end(struct resend *r, enum resend_result result)
{
    LIST_REMOVE(r, link);
    r->done(r->context, result, r->request, r->asked_ms);
    free(r);
}

static void written(void *context, bool acknowledged)
{
    struct resend *r = context;
    struct error err = {0};
    const struct retry_note note = {.order = slice_of(r->key),
                                    .request = slice_of(r->request),
                                    .source = slice_of(r->source),
                                    .by = slice_of(r->by),
                                    .asked_ms = r->asked_ms};
    /* the feed reads it a moment later: until then the view has it from here */
    if (acknowledged && !view_put_retry(r->api->view, &note, &err))
        log_warn("retry not shown", LOG_S("error", err.text));
    end(r, acknowledged ? RESEND_WRITTEN : RESEND_UNAVAILABLE);
}

static void write_record(struct resend *r, struct retry_record *record)
{
    struct error err = {0};
    record->source = r->source;
    record->request = r->request;
    record->by = r->by;
    record->order = slice_of(r->key);
    record->forced = r->forced;
    r->asked_ms = r->api->wall_ms;
    if (!retry_record_write(r->api->publisher, r->api->config, record,
                            r->api->now_ms + ACKNOWLEDGE_MS, written, r, &err))
        end(r, RESEND_UNAVAILABLE);
}

static void fetched(void *context, enum original_result result, struct retry_record *record)
{
    struct resend *r = context;
    if (result == ORIGINAL_FOUND)
        write_record(r, record);
    else
        end(r, result == ORIGINAL_GONE ? RESEND_GONE : RESEND_UNAVAILABLE);
}

bool resend_is_under_way(const struct api *api, const char *key)
{
    const struct resend *r;
    LIST_FOREACH (r, &api->resends, link)
        if (strcmp(r->key, key) == 0)
            return true;
    return false;
}

bool resend_start(struct api *api, const char *key, const struct order_facts *facts,
                  const char *source, const struct caller *caller, resend_done *done, void *context)
{
    size_t key_size = strlen(key) + 1;
    struct resend *r = calloc(1, sizeof *r + key_size);
    if (r == NULL || resend_is_under_way(api, key) || !retry_request_new(r->request, NULL)) {
        free(r);
        return false;
    }
    r->api = api;
    r->forced = facts->state == ORDER_DELIVERED;
    r->source = source;
    snprintf(r->by, sizeof r->by, "%s",
             caller->right == AUTH_USER ? RETRY_BY_CUSTOMER : caller_name(caller));
    r->done = done;
    r->context = context;
    memcpy(r->key, key, key_size);
    if (!original_start(api, facts, fetched, r)) {
        free(r);
        return false;
    }
    LIST_INSERT_HEAD(&api->resends, r, link);
    return true;
}
