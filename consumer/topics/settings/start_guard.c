#include "topics/settings/start_guard.h"

#include "base/time_text.h"
#include "kafka/kafka_client.h"
#include "kafka/offsets.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POLL_MS = 100,
    PAUSE_MS = 200, /* between two look-ups without an answer */
    /* The offsets before the end of a deliveries partition that are read. A window without an
     * outcome of this topic leads to the next one. */
    WINDOWS = 3
};
static const int64_t windows[WINDOWS] = {300, 10000, 200000};

/* A partition of kafka.topic. */
struct offset_place {
    int64_t low, high;
    int64_t next; /* behind the newest outcome that was seen; -1: none was */
    bool committed;
};

struct guard {
    const struct config *config;
    const struct start_guard_question *question;
    rd_kafka_t *rk;
    struct offset_place *places;
    size_t count;
    bool known;        /* the group has committed something in the topic */
    size_t outcomes;   /* of this topic, among what was read */
    int64_t newest_ms; /* the time of the newest one's event; -1: none */
    int32_t newest_partition;
    int64_t newest_offset;
};

/* ---- the topic and the group's commits ---- */

static bool find_commits(struct guard *g, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)g->count);
    rd_kafka_topic_partition_list_add_range(list, g->config->kafka_topic, 0, (int32_t)g->count - 1);
    rd_kafka_resp_err_t code = kafka_committed(g->rk, list, g->question->timeout_ms);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        bool committed = list->elems[i].offset >= 0;
        g->places[list->elems[i].partition].committed = committed;
        g->known |= committed;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_UNREACHABLE, "commits of the group \"%s\": %s",
                     g->config->kafka_group, rd_kafka_err2str(code));
}

static bool find_ends(struct guard *g, struct error *err)
{
    int64_t *ends = calloc(g->count * 2, sizeof *ends);
    if (ends == NULL)
        return error_no_memory(err);
    bool ok = kafka_watermarks_awaited(g->rk, g->config->kafka_topic, g->count, ends,
                                       ends + g->count, g->question->timeout_ms, err);
    for (size_t p = 0; ok && p < g->count; p++) {
        g->places[p].low = ends[p];
        g->places[p].high = ends[g->count + p];
    }
    free(ends);
    return ok;
}

static bool find_places(struct guard *g, struct error *err)
{
    rd_kafka_resp_err_t code;
    bool answered;
    size_t count = kafka_partition_count(g->rk, g->config->kafka_topic, g->question->timeout_ms,
                                         &code, &answered);
    if (!answered)
        return error_set(err, ERROR_UNREACHABLE, "topic \"%s\": %s", g->config->kafka_topic,
                         rd_kafka_err2str(code));
    free(g->places);
    g->count = count;
    g->known = false;
    g->places = calloc(count + 1, sizeof *g->places); /* never of size 0 */
    if (g->places == NULL)
        return error_no_memory(err);
    for (size_t p = 0; p < count; p++)
        g->places[p].next = -1;
    return count == 0 || (find_commits(g, err) && find_ends(g, err));
}

static bool is_wanted(const struct guard *g)
{
    return g->question->wanted == NULL || g->question->wanted(g->question->context);
}

/* A cluster that is starting answers later: the question is repeated. */
static bool await_places(struct guard *g, struct error *err)
{
    int64_t began_ms = clock_mono_ms();
    for (;;) {
        struct error why = {0};
        if (find_places(g, &why))
            return true;
        if (!is_wanted(g))
            return false;
        bool late =
            g->question->answered_ms >= 0 && clock_mono_ms() - began_ms >= g->question->answered_ms;
        if (why.code != ERROR_UNREACHABLE || late)
            return error_set(err, why.code, "%s", why.text);
        rd_kafka_message_t *m = rd_kafka_consumer_poll(g->rk, PAUSE_MS);
        if (m != NULL)
            rd_kafka_message_destroy(m);
    }
}

/* ---- outcomes ---- */

static void note_outcome(struct guard *g, int32_t partition, int64_t offset, int64_t ms)
{
    struct offset_place *place = &g->places[partition];
    if (offset + 1 > place->next)
        place->next = offset + 1;
    if (g->outcomes++ == 0 || ms > g->newest_ms) {
        g->newest_ms = ms;
        g->newest_partition = partition;
        g->newest_offset = offset;
    }
}

static void take_outcome(struct guard *g, const rd_kafka_message_t *m)
{
    if (m->payload == NULL ||
        memmem(m->payload, m->len, g->config->kafka_topic, strlen(g->config->kafka_topic)) == NULL)
        return;
    json_t *outcome = json_loadb(m->payload, m->len, JSON_ALLOW_NUL, NULL);
    const char *topic = json_string_value(json_object_get(outcome, "topic"));
    const char *group = json_string_value(json_object_get(outcome, "group"));
    json_t *partition = json_object_get(outcome, "partition");
    json_t *offset = json_object_get(outcome, "offset");
    json_t *time = json_object_get(outcome, "timestamp_ms");
    bool is_ours = topic != NULL && strcmp(topic, g->config->kafka_topic) == 0 &&
                   (group == NULL || strcmp(group, g->config->kafka_group) == 0) &&
                   json_is_integer(partition) && json_is_integer(offset);
    json_int_t p = is_ours ? json_integer_value(partition) : -1;
    if (p >= 0 && p < (json_int_t)g->count) {
        note_outcome(g, (int32_t)p, json_integer_value(offset),
                     json_is_integer(time) ? json_integer_value(time) : -1);
    }
    json_decref(outcome);
}

/* Reads each partition of the deliveries topic from starts[p] up to ends[p]. */
static bool read_window(struct guard *g, const int64_t *starts, const int64_t *ends, size_t count,
                        int64_t deadline_ms, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    size_t open = 0;
    for (size_t p = 0; p < count; p++)
        if (starts[p] < ends[p]) {
            rd_kafka_topic_partition_list_add(list, g->config->deliveries_topic, (int32_t)p)
                ->offset = starts[p];
            open++;
        }
    rd_kafka_assign(g->rk, list);
    while (open > 0 && err->code == ERROR_NONE && is_wanted(g)) {
        if (clock_mono_ms() >= deadline_ms)
            error_set(err, ERROR_UNREACHABLE, "not read to its end in time");
        rd_kafka_message_t *m = rd_kafka_consumer_poll(g->rk, POLL_MS);
        if (m == NULL)
            continue;
        rd_kafka_topic_partition_t *at =
            rd_kafka_topic_partition_list_find(list, g->config->deliveries_topic, m->partition);
        bool is_record = m->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        if (is_record)
            take_outcome(g, m);
        else if (m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
            error_set(err, ERROR_FAILED, "%s", rd_kafka_err2str(m->err));
        bool over = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ||
                    (is_record && m->offset + 1 >= ends[m->partition]);
        if (at != NULL && at->offset >= 0 && over) {
            at->offset = -1;
            open--;
        }
        rd_kafka_message_destroy(m);
    }
    rd_kafka_assign(g->rk, NULL);
    rd_kafka_topic_partition_list_destroy(list);
    return err->code == ERROR_NONE;
}

static bool read_windows(struct guard *g, int64_t *low, int64_t *ends, size_t count,
                         int64_t *starts, struct error *err)
{
    int64_t deadline_ms = clock_mono_ms() + g->question->reading_ms;
    for (int w = 0; w < WINDOWS && g->outcomes == 0; w++) {
        bool any = false;
        for (size_t p = 0; p < count; p++) {
            int64_t start = ends[p] - windows[w];
            starts[p] = start > low[p] ? start : low[p];
            any |= starts[p] < ends[p];
        }
        if (!any)
            break;
        if (!read_window(g, starts, ends, count, deadline_ms, err))
            return false;
        memcpy(ends, starts, count * sizeof *ends);
    }
    return true;
}

/* False with err: not all of what was to be read could be. */
static bool read_outcomes(struct guard *g, struct error *err)
{
    const char *topic = g->config->deliveries_topic;
    rd_kafka_resp_err_t code;
    bool answered;
    size_t count = kafka_partition_count(g->rk, topic, g->question->timeout_ms, &code, &answered);
    if (!answered)
        return error_set(err, ERROR_UNREACHABLE, "%s", rd_kafka_err2str(code));
    if (count == 0) /* made at the first start */
        return true;
    int64_t *low = calloc(count * 3, sizeof *low), *high = low != NULL ? low + count : NULL;
    if (low == NULL)
        return error_no_memory(err);
    bool ok =
        kafka_watermarks_awaited(g->rk, topic, count, low, high, g->question->timeout_ms, err) &&
        read_windows(g, low, high, count, high + count, err);
    free(low);
    return ok;
}

/* ---- the verdict ---- */

/* The first record of a partition that a start from the end would pass by and that is not known as
 * dealt with; its end: there is none. In a group with commits only an outcome of
 * the partition itself proves that it is not a new one. */
static int64_t passed_from(const struct guard *g, const struct offset_place *place)
{
    if (place->committed || (g->known && place->next < 0))
        return place->high;
    int64_t from = place->next > place->low ? place->next : place->low;
    return from > place->high ? place->low : from; /* made again: nothing in it is known */
}

/* An hour early: in another partition the group may have been behind. Deliveries of that hour go
 * out again under their own webhook-id. */
static int64_t replay_from(const struct guard *g)
{
    enum { HOUR_MS = 3600000 };
    return g->newest_ms - HOUR_MS;
}

static bool judge(const struct guard *g, struct error *err)
{
    int64_t records = 0;
    size_t partitions = 0, first = 0;
    char text[TIMESTAMP_TEXT];
    for (size_t p = 0; p < g->count; p++) {
        int64_t more = g->places[p].high - passed_from(g, &g->places[p]);
        if (more > 0 && partitions++ == 0)
            first = p;
        records += more;
    }
    if (g->outcomes == 0 || records == 0)
        return true;
    const char *time = timestamp_text(replay_from(g) / 1000 * 1000, text);
    if (replay_from(g) < 0 || *time == '\0')
        time = "TIME";
    return error_set(
        err, ERROR_CONFIG,
        "kafka.start=latest would pass by up to %" PRId64 " records in %zu partitions (the first: "
        "partition %zu, %" PRId64 " to %" PRId64 "): group \"%.50s\" has no commit there, but its "
        "%.60s names an outcome at partition %" PRId32 ", offset %" PRId64 ", so its commits have "
        "expired. Choose: kafka.start=earliest, elementor-sync replay --from %s, or run "
        "--start-at-end",
        records, partitions, first, passed_from(g, &g->places[first]), g->places[first].high,
        g->config->kafka_group, g->config->deliveries_topic, g->newest_partition, g->newest_offset,
        time);
}

static bool look(struct guard *g, char *ret_unknown, struct error *err)
{
    struct error why = {0};
    if (!await_places(g, err))
        return false;
    bool all_committed = true;
    for (size_t p = 0; p < g->count; p++)
        all_committed &= g->places[p].committed || g->places[p].high == g->places[p].low;
    if (all_committed)
        return true;
    if (!read_outcomes(g, &why))
        snprintf(ret_unknown, ERROR_TEXT_MAX, "%s: %.300s", g->config->deliveries_topic, why.text);
    return is_wanted(g) && judge(g, err);
}

bool start_guard_allows(const struct config *config, const struct start_guard_question *question,
                        char *ret_unknown, struct error *err)
{
    static const struct kafka_property properties[] = {{"fetch.wait.max.ms", "50"}, {NULL, NULL}};
    struct guard g = {.config = config, .question = question, .newest_ms = -1};
    *ret_unknown = '\0';
    if (config->kafka_start != KAFKA_START_LATEST || question->at_end)
        return true;
    g.rk = kafka_observer_new(config, config->kafka_group, properties, err);
    if (g.rk == NULL)
        return false;
    bool ok = look(&g, ret_unknown, err);
    rd_kafka_consumer_close(g.rk);
    rd_kafka_destroy(g.rk);
    free(g.places);
    return ok;
}
