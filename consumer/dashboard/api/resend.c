#include "dashboard/api/resend.h"

#include "dashboard/api/api.h"
#include "sys/log.h"
#include "topics/retry_record.h"

#include <stdlib.h>
#include <string.h>

enum { ACKNOWLEDGE_MS = 10000 };

struct resend {
    LIST_ENTRY(resend) link;
    struct api *api;
    struct order_facts facts;
    const char *source; /* "retry", "redrive" */
    char request[RETRY_REQUEST_MAX];
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
    /* the feed reads it a moment later: until then the view has it from here */
    if (acknowledged &&
        !view_put_retry(r->api->view, slice_of(r->key), slice_of(r->request), r->asked_ms, &err))
        log_warn("retry not shown", LOG_S("error", err.text));
    end(r, acknowledged ? RESEND_WRITTEN : RESEND_UNAVAILABLE);
}

static void write_record(struct resend *r, struct retry_record *record)
{
    struct error err = {0};
    record->source = r->source;
    record->request = r->request;
    record->order = slice_of(r->key);
    record->forced = r->facts.state == ORDER_DELIVERED; /* only a forced call resends it */
    r->asked_ms = r->api->wall_ms;
    if (!retry_record_write(r->api->publisher, r->api->config, record,
                            r->api->now_ms + ACKNOWLEDGE_MS, written, r, &err))
        end(r, RESEND_UNAVAILABLE);
}

static void original_fetched(void *context, enum fetch_result result, const rd_kafka_message_t *m)
{
    struct resend *r = context;
    if (result != FETCH_FOUND || !retry_record_is_original(m, r->facts.timestamp_ms)) {
        end(r, result == FETCH_UNAVAILABLE ? RESEND_UNAVAILABLE : RESEND_GONE);
        return;
    }
    struct retry_record record = retry_record_of_original(m);
    record.judged = strcmp(r->facts.reason, "undecodable") != 0;
    write_record(r, &record);
}

static bool fetch_original(struct resend *r)
{
    return fetch_start(r->api->fetch, r->facts.topic, r->facts.partition, r->facts.offset,
                       original_fetched, r);
}

/* The parked topic too may have been created again. */
static bool is_of(const struct resend *r, const struct parked_record *parked)
{
    return strcmp(parked->topic, r->facts.topic) == 0 && parked->partition == r->facts.partition &&
           parked->offset == r->facts.offset;
}

static void parked_fetched(void *context, enum fetch_result result, const rd_kafka_message_t *m)
{
    struct resend *r = context;
    struct parked_record parked;
    const char *why;
    if (result == FETCH_FOUND && parked_record_read(m, &parked, &why) && parked.value.len > 0 &&
        is_of(r, &parked)) {
        struct retry_record record = retry_record_of_parked(&parked);
        write_record(r, &record);
    } else if (result == FETCH_UNAVAILABLE ||
               !fetch_original(r)) { /* else the orders' topic may still have it */
        end(r, RESEND_UNAVAILABLE);
    }
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
                  const char *source, resend_done *done, void *context)
{
    size_t key_size = strlen(key) + 1;
    struct resend *r = calloc(1, sizeof *r + key_size);
    if (r == NULL || resend_is_under_way(api, key) || !retry_request_new(r->request, NULL)) {
        free(r);
        return false;
    }
    r->api = api;
    r->facts = *facts;
    r->facts.previous = NULL;
    r->source = source;
    r->done = done;
    r->context = context;
    memcpy(r->key, key, key_size);
    bool parked = facts->state == ORDER_PARKED && facts->is_parked_known;
    if (!(parked ? fetch_start(api->fetch, api->config->parked_topic, facts->parked_partition,
                               facts->parked_offset, parked_fetched, r)
                 : fetch_original(r))) {
        free(r);
        return false;
    }
    LIST_INSERT_HEAD(&api->resends, r, link);
    return true;
}
