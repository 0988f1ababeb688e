#include "kafka/reader.h"

#include "kafka/kafka_client.h"
#include "kafka/offsets.h"
#include "kafka/start_position.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdlib.h>

enum { LOOK_UP_MS = 10000 };

struct reader {
    rd_kafka_t *rk;
    const struct config *config;
    const char *topic;
    int64_t *ends; /* by partition; -1: read to its end */
    size_t count, open;
    bool until_end;
};

static bool reach_topic(struct reader *r, struct error *err)
{
    int64_t deadline_ms = clock_mono_ms() + LOOK_UP_MS;
    rd_kafka_resp_err_t code;
    bool answered;
    while ((r->count = kafka_partition_count(r->rk, r->topic, LOOK_UP_MS, &code, &answered)) == 0 &&
           answered && kafka_is_passing(code) && clock_mono_ms() < deadline_ms)
        kafka_await_leaders(r->rk, r->topic);
    if (!answered)
        return kafka_no_broker(r->config, code, err);
    if (kafka_is_passing(code))
        return error_set(err, ERROR_UNREACHABLE, "topic \"%s\": %s", r->topic,
                         rd_kafka_err2str(code));
    return r->count > 0 ||
           error_set(err, ERROR_FAILED,
                     "topic \"%s\" does not exist on this cluster: create it, or correct "
                     "kafka.topic",
                     r->topic);
}

static bool find_ends(struct reader *r, struct error *err)
{
    r->ends = calloc(r->count + 1, sizeof *r->ends); /* never of size 0 */
    if (r->ends == NULL)
        return error_no_memory(err);
    return kafka_watermarks_awaited(r->rk, r->topic, r->count, NULL, r->ends, LOOK_UP_MS, err);
}

static rd_kafka_resp_err_t ask_times(struct reader *r, rd_kafka_topic_partition_list_t *list,
                                     int64_t time_ms)
{
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = time_ms;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(r->rk, list, LOOK_UP_MS);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
        code = list->elems[i].err;
    return code;
}

/* Turns the time into offsets; a time behind the last record is the end. */
static bool look_up_times(struct reader *r, rd_kafka_topic_partition_list_t *list, int64_t time_ms,
                          struct error *err)
{
    int64_t deadline_ms = clock_mono_ms() + LOOK_UP_MS;
    rd_kafka_resp_err_t code = ask_times(r, list, time_ms);
    while (kafka_is_passing(code) && clock_mono_ms() < deadline_ms) {
        kafka_await_leaders(r->rk, r->topic);
        code = ask_times(r, list, time_ms);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_UNREACHABLE, "offsets of a time: %s", rd_kafka_err2str(code));
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].offset < 0)
            list->elems[i].offset = r->ends[list->elems[i].partition];
    return true;
}

static bool set_starts(struct reader *r, const char *from, rd_kafka_topic_partition_list_t *list,
                       struct error *err)
{
    struct position position;
    if (!position_parse("--from", from, &position, err))
        return false;
    int64_t start =
        position.kind == POSITION_BEGINNING ? RD_KAFKA_OFFSET_BEGINNING : position.value;
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = start;
    return position.kind != POSITION_TIME || look_up_times(r, list, position.value, err);
}

/* Empty partitions, and those that begin at or behind their end, have nothing to wait for. */
static void count_open(struct reader *r, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        int64_t *end = &r->ends[list->elems[i].partition];
        if (*end == 0 || list->elems[i].offset >= *end)
            *end = -1;
        else
            r->open++;
    }
}

static bool begin(struct reader *r, const char *from, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)r->count);
    rd_kafka_topic_partition_list_add_range(list, r->topic, 0, (int32_t)r->count - 1);
    bool ok = set_starts(r, from, list, err);
    if (ok) {
        count_open(r, list);
        rd_kafka_resp_err_t code = rd_kafka_assign(r->rk, list);
        ok = code == RD_KAFKA_RESP_ERR_NO_ERROR ||
             error_set(err, ERROR_FAILED, "assign: %s", rd_kafka_err2str(code));
    }
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}

/* Reads from starts[p] up to ends[p], in those partitions where there is something between. */
static bool begin_between(struct reader *r, const int64_t *starts, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)r->count);
    for (size_t i = 0; i < r->count; i++) {
        if (starts[i] < r->ends[i]) {
            rd_kafka_topic_partition_list_add(list, r->topic, (int32_t)i)->offset = starts[i];
            r->open++;
        } else {
            r->ends[i] = -1;
        }
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(r->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_FAILED, "assign: %s", rd_kafka_err2str(code));
}

static struct reader *open_reader(const struct config *config, const char *topic, bool until_end,
                                  struct error *err)
{
    static const struct kafka_property properties[] = {
        {"queued.max.messages.kbytes",
         "16384"}, /* by default 64 MiB, which a command need not hold */
        {NULL, NULL}};
    struct reader *r = calloc(1, sizeof *r);
    if (r == NULL) {
        error_no_memory(err);
        return NULL;
    }
    /* librdkafka looks for the coordinator of a group that is never joined, too, which needs the
     * right to see it: the commands have that for this group alone. */
    const char *group = config->kafka_group != NULL ? config->kafka_group : "elementor-sync-reader";
    r->config = config;
    r->topic = topic;
    r->until_end = until_end;
    r->rk = kafka_observer_new(config, group, properties, err);
    if (r->rk == NULL || !reach_topic(r, err) || !find_ends(r, err)) {
        reader_free(r);
        return NULL;
    }
    return r;
}

struct reader *reader_new(const struct config *config, const char *from, bool until_end,
                          struct error *err)
{
    return reader_of_topic(config, config->kafka_topic, from, until_end, err);
}

struct reader *reader_of_topic(const struct config *config, const char *topic, const char *from,
                               bool until_end, struct error *err)
{
    struct reader *r = open_reader(config, topic, until_end, err);
    if (r == NULL || begin(r, from, err))
        return r;
    reader_free(r);
    return NULL;
}

struct reader *reader_between(const struct config *config, const int64_t *starts,
                              const int64_t *ends, size_t count, struct error *err)
{
    return reader_between_of(config, config->kafka_topic, starts, ends, count, err);
}

struct reader *reader_between_of(const struct config *config, const char *topic,
                                 const int64_t *starts, const int64_t *ends, size_t count,
                                 struct error *err)
{
    struct reader *r = open_reader(config, topic, true, err);
    if (r == NULL)
        return NULL;
    for (size_t i = 0; i < r->count; i++)
        r->ends[i] = i < count && ends[i] < r->ends[i] ? ends[i] : i < count ? r->ends[i] : -1;
    r->count = r->count < count ? r->count : count;
    if (begin_between(r, starts, err))
        return r;
    reader_free(r);
    return NULL;
}

void reader_free(struct reader *r)
{
    if (r == NULL)
        return;
    if (r->rk != NULL) {
        rd_kafka_consumer_close(r->rk);
        rd_kafka_destroy(r->rk);
    }
    free(r->ends);
    free(r);
}

static void reached(struct reader *r, int32_t partition)
{
    if (r->ends[partition] >= 0) {
        r->ends[partition] = -1;
        r->open--;
    }
}

/* True for a record. An end is noted, an error logged, and both are destroyed. */
static bool is_record(struct reader *r, rd_kafka_message_t *m)
{
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        reached(r, m->partition);
    else
        log_warn("read failed", LOG_S("error", rd_kafka_message_errstr(m)));
    return false;
}

rd_kafka_message_t *reader_next(struct reader *r, int timeout_ms)
{
    rd_kafka_message_t *m;
    while (!(r->until_end && r->open == 0) &&
           (m = rd_kafka_consumer_poll(r->rk, timeout_ms)) != NULL) {
        bool record = is_record(r, m), wanted = record;
        if (record && r->until_end) {
            int64_t end = r->ends[m->partition];
            wanted = end >= 0 && m->offset < end;
            if (m->offset + 1 >= end)
                reached(r, m->partition);
        }
        if (wanted)
            return m;
        rd_kafka_message_destroy(m);
    }
    return NULL;
}

bool reader_at_end(const struct reader *r)
{
    return r->open == 0;
}
