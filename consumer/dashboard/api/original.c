#include "dashboard/api/original.h"

#include "dashboard/api/api.h"

#include <stdlib.h>
#include <string.h>

struct original {
    struct api *api;
    struct order_facts facts;
    original_done *done;
    void *context;
};

static void end(struct original *o, enum original_result result, struct retry_record *record)
{
    o->done(o->context, result, record);
    free(o);
}

static void source_fetched(void *context, enum fetch_result result, const rd_kafka_message_t *m)
{
    struct original *o = context;
    if (result != FETCH_FOUND || !retry_record_is_original(m, o->facts.timestamp_ms)) {
        end(o, result == FETCH_UNAVAILABLE ? ORIGINAL_UNAVAILABLE : ORIGINAL_GONE, NULL);
        return;
    }
    struct retry_record record = retry_record_of_original(m);
    record.judged = strcmp(o->facts.reason, "undecodable") != 0;
    end(o, ORIGINAL_FOUND, &record);
}

static bool fetch_source(struct original *o)
{
    return fetch_start(o->api->fetch, o->facts.topic, o->facts.partition, o->facts.offset,
                       source_fetched, o);
}

/* The parked topic too may have been created again. */
static bool is_of(const struct original *o, const struct parked_record *parked)
{
    return strcmp(parked->topic, o->facts.topic) == 0 && parked->partition == o->facts.partition &&
           parked->offset == o->facts.offset;
}

static void parked_fetched(void *context, enum fetch_result result, const rd_kafka_message_t *m)
{
    struct original *o = context;
    struct parked_record parked;
    const char *why;
    if (result == FETCH_FOUND && parked_record_read(m, &parked, &why) && parked.value.len > 0 &&
        is_of(o, &parked)) {
        struct retry_record record = retry_record_of_parked(&parked);
        end(o, ORIGINAL_FOUND, &record);
    } else if (result == FETCH_UNAVAILABLE ||
               !fetch_source(o)) { /* else the orders' topic may still have it */
        end(o, ORIGINAL_UNAVAILABLE, NULL);
    }
}

bool original_start(struct api *api, const struct order_facts *facts, original_done *done,
                    void *context)
{
    struct original *o = calloc(1, sizeof *o);
    if (o == NULL)
        return false;
    *o = (struct original){.api = api, .facts = *facts, .done = done, .context = context};
    bool is_parked =
        (facts->state == ORDER_PARKED || facts->state == ORDER_DISMISSED) && facts->is_parked_known;
    bool ok = is_parked
                  ? fetch_start(api->fetch, api->config->parked_topic, facts->parked_partition,
                                facts->parked_offset, parked_fetched, o)
                  : fetch_source(o);
    if (!ok)
        free(o);
    return ok;
}
