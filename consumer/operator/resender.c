#include "operator/resender.h"

#include "kafka/reader.h"
#include "sys/clock.h"
#include "sys/wakeup.h"

#include <stdlib.h>
#include <string.h>

enum { ACKNOWLEDGE_MS = 10000, FETCH_MS = 10000, POLL_MS = 100 };

struct resender {
    const struct config *config;
    int wake_fd;
    struct publisher *publisher;
    bool answered, acknowledged;
};

struct resender *resender_new(const struct config *config, struct error *err)
{
    struct resender *r = calloc(1, sizeof *r);
    if (r == NULL) {
        error_no_memory(err);
        return NULL;
    }
    r->config = config;
    r->wake_fd = wakeup_new();
    r->publisher = publisher_new(config, r->wake_fd, err);
    if (r->publisher != NULL)
        return r;
    resender_free(r);
    return NULL;
}

void resender_free(struct resender *r)
{
    if (r == NULL)
        return;
    publisher_free(r->publisher);
    wakeup_free(r->wake_fd);
    free(r);
}

static void written(void *context, bool acknowledged)
{
    struct resender *r = context;
    r->answered = true;
    r->acknowledged = acknowledged;
}

static void wait_for_wake(struct resender *r, int64_t wait_ms)
{
    wakeup_wait(r->wake_fd, wait_ms < 0 || wait_ms > POLL_MS ? POLL_MS : (int)wait_ms);
}

static bool await_answer(struct resender *r, const char *topic, struct error *err)
{
    while (!r->answered) {
        int64_t wait_ms = publisher_turn(r->publisher, clock_mono_ms());
        if (!r->answered)
            wait_for_wake(r, wait_ms);
    }
    return r->acknowledged ||
           error_set(err, ERROR_UNREACHABLE,
                     "topic \"%s\" did not acknowledge; it may or may not hold the record", topic);
}

bool resender_publish(struct resender *r, const char *topic, struct slice key, struct slice value,
                      struct error *err)
{
    const struct publication publication = {.topic = topic,
                                            .partition = RD_KAFKA_PARTITION_UA,
                                            .key = key.data,
                                            .key_len = key.len,
                                            .value = value.data,
                                            .value_len = value.len,
                                            .deadline_ms = clock_mono_ms() + ACKNOWLEDGE_MS};
    r->answered = r->acknowledged = false;
    return publisher_put(r->publisher, &publication, written, r, err) &&
           await_answer(r, topic, err);
}

rd_kafka_t *resender_client(struct resender *r)
{
    return publisher_client(r->publisher);
}

static bool write_record(struct resender *r, struct retry_record record,
                         const struct resend_ask *ask, struct error *err)
{
    record.source = ask->source;
    record.request = ask->request;
    record.by = RETRY_BY_COMMAND;
    record.forced = ask->forced;
    r->answered = r->acknowledged = false;
    if (!retry_record_write(r->publisher, r->config, &record, clock_mono_ms() + ACKNOWLEDGE_MS,
                            written, r, err))
        return false;
    return await_answer(r, r->config->retry_topic, err);
}

bool resender_record(struct resender *r, const struct retry_record *record,
                     const struct resend_ask *ask, struct error *err)
{
    return write_record(r, *record, ask, err);
}

static struct reader *read_one(struct resender *r, int32_t partition, int64_t offset,
                               struct error *err)
{
    size_t count = (size_t)partition + 1;
    int64_t *starts = calloc(count, sizeof *starts), *ends = calloc(count, sizeof *ends);
    struct reader *reader = NULL;
    if (starts != NULL && ends != NULL) {
        starts[partition] = offset;
        ends[partition] = offset + 1;
        reader = reader_between(r->config, starts, ends, count, err);
    } else {
        error_no_memory(err);
    }
    free(starts);
    free(ends);
    return reader;
}

bool resender_original(struct resender *r, const rd_kafka_message_t *m, struct slice order,
                       const struct resend_ask *ask, struct error *err)
{
    struct retry_record record = retry_record_of_original(m);
    record.order = order;
    record.judged = ask->judged;
    return write_record(r, record, ask, err);
}

bool resender_source(struct resender *r, int32_t partition, int64_t offset, int64_t timestamp_ms,
                     struct slice order, const struct resend_ask *ask, struct error *err)
{
    int64_t deadline = clock_mono_ms() + FETCH_MS;
    rd_kafka_message_t *m = NULL;
    if (partition < 0 || offset < 0)
        return error_set(err, ERROR_FAILED, "its outcome does not name its original record");
    struct reader *reader = read_one(r, partition, offset, err);
    while (reader != NULL && m == NULL && !reader_at_end(reader) && clock_mono_ms() < deadline)
        m = reader_next(reader, POLL_MS);
    bool there = m != NULL && m->offset == offset && retry_record_is_original(m, timestamp_ms);
    bool ok = there && resender_original(r, m, order, ask, err);
    if (m != NULL)
        rd_kafka_message_destroy(m); /* before its reader, which would wait for it */
    bool failed = reader == NULL, at_end = reader != NULL && reader_at_end(reader);
    reader_free(reader);
    if (there || failed)
        return ok;
    return at_end ? error_set(err, ERROR_FAILED,
                              "its original record (partition %d, offset %lld) was deleted from "
                              "the topic: only "
                              "the shop can confirm it again",
                              (int)partition, (long long)offset)
                  : error_set(err, ERROR_UNREACHABLE, "timed out fetching the original record");
}

bool resender_parked(struct resender *r, const rd_kafka_message_t *parked,
                     const struct resend_ask *ask, struct error *err)
{
    struct parked_record record;
    const char *why;
    struct resend_ask as_parked = *ask;
    if (!parked_record_read(parked, &record, &why))
        return error_set(err, ERROR_FAILED, "%s", why);
    as_parked.judged = record.judged;
    if (record.value.len > 0)
        return write_record(r, retry_record_of_parked(&record), ask, err);
    if (strcmp(record.topic, r->config->kafka_topic) != 0)
        return error_set(err, ERROR_FAILED, "its original record is in another topic, \"%.200s\"",
                         record.topic);
    return resender_source(r, record.partition, record.offset, record.timestamp_ms, record.order_id,
                           &as_parked, err);
}
