#include "operator/requests.h"

#include "kafka/group/group_admin.h"
#include "kafka/reader.h"
#include "terminal/progress.h"
#include "topics/park_order.h"
#include "topics/retry_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct requests {
    const struct config *config;
    struct reader *reader; /* NULL: there is no such topic */
    int64_t *served;       /* by partition: below it */
    size_t count;
};

static bool look(struct requests *r, struct error *err)
{
    struct group_topic topic = {0};
    struct group *group = group_new(r->config, err);
    bool ok = group != NULL && group_look(group, r->config->retry_topic, &topic, err);
    r->served = calloc(topic.count + 1, sizeof *r->served); /* never of size 0 */
    if (ok && r->served == NULL)
        ok = error_no_memory(err);
    for (size_t i = 0; ok && r->served != NULL && i < topic.count; i++)
        r->served[i] = topic.partitions[i].committed;
    r->count = topic.count;
    group_topic_done(&topic);
    group_free(group);
    return ok;
}

struct requests *requests_new(const struct config *config, struct error *err)
{
    struct requests *r = calloc(1, sizeof *r);
    if (r == NULL) {
        error_no_memory(err);
        return NULL;
    }
    r->config = config;
    progress_reading(config->retry_topic);
    if (look(r, err)) {
        if (r->count > 0)
            r->reader = reader_of_topic(config, config->retry_topic, "beginning", false, err);
        if (r->count == 0 || r->reader != NULL)
            return r;
    }
    requests_free(r);
    return NULL;
}

void requests_free(struct requests *r)
{
    if (r == NULL)
        return;
    reader_free(r->reader);
    free(r->served);
    free(r);
}

static bool read_one(const struct requests *r, const rd_kafka_message_t *m, struct request *ret)
{
    struct retry_record record;
    const char *why;
    bool waits = (size_t)m->partition >= r->count || m->offset >= r->served[m->partition];
    if (!waits || m->payload == NULL || park_order_is(m) ||
        !retry_record_is_ours(r->config, m, &why) || !retry_record_read(m, &record, &why) ||
        record.request == NULL)
        return false;
    *ret = (struct request){.partition = record.partition, .offset = record.offset};
    snprintf(ret->id, sizeof ret->id, "%s", record.request);
    if (record.order.len < sizeof ret->order && record.order.len > 0)
        memcpy(ret->order, record.order.data, record.order.len);
    return true;
}

bool requests_next(struct requests *r, int timeout_ms, struct request *ret)
{
    rd_kafka_message_t *m;
    bool found = false;
    while (!found && r->reader != NULL && (m = reader_next(r->reader, timeout_ms)) != NULL) {
        found = read_one(r, m, ret);
        progress_one_more();
        rd_kafka_message_destroy(m);
    }
    return found;
}

bool requests_caught_up(const struct requests *r)
{
    return r->reader == NULL || reader_at_end(r->reader);
}
