#include "reconcile/known.h"

#include "kafka/group/group_admin.h"
#include "kafka/reader.h"
#include "operator/evaluator.h"
#include "operator/requests.h"
#include "sys/signals.h"
#include "terminal/progress.h"

#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 200, LAST_RECORDS = 50 };

/* ---- outcomes ---- */

/* Records of another topic's orders, and those that cannot be read, are passed by. */
static bool note_outcome(const struct config *config, struct comparison *comparison,
                         const rd_kafka_message_t *m, struct error *err)
{
    const struct slice key = {m->key, m->key_len}, value = {m->payload, m->len};
    struct outcome outcome;
    if (key.len == 0)
        return true;
    if (value.data == NULL)
        return comparison_outcome(comparison, key, NULL, err);
    bool ok = true;
    if (outcome_read(value, &outcome) && slice_is(outcome.record.topic, config->kafka_topic))
        ok = comparison_outcome(comparison, key, &outcome.record, err);
    outcome_done(&outcome);
    return ok;
}

static bool read_outcomes(const struct config *config, struct comparison *comparison, int stop_fd,
                          struct error *err)
{
    progress_reading(config->deliveries_topic);
    struct reader *reader =
        reader_of_topic(config, config->deliveries_topic, "beginning", true, err);
    rd_kafka_message_t *m;
    bool ok = reader != NULL;
    while (ok && !reader_at_end(reader) && (ok = signals_go_on(stop_fd, err)))
        if ((m = reader_next(reader, POLL_MS)) != NULL) {
            ok = note_outcome(config, comparison, m, err);
            progress_one_more();
            rd_kafka_message_destroy(m);
        }
    reader_free(reader);
    return ok;
}

static bool read_requests(const struct config *config, struct comparison *comparison, int stop_fd,
                          struct error *err)
{
    struct requests *requests = requests_new(config, err);
    struct request request;
    bool ok = requests != NULL;
    while (ok && !requests_caught_up(requests) && (ok = signals_go_on(stop_fd, err)))
        if (requests_next(requests, POLL_MS, &request))
            ok = comparison_request(comparison, slice_of(request.order), err);
    requests_free(requests);
    return ok;
}

bool known_outcomes(const struct config *config, struct comparison *comparison, int stop_fd,
                    struct error *err)
{
    return read_outcomes(config, comparison, stop_fd, err) &&
           read_requests(config, comparison, stop_fd, err);
}

/* ---- the group's position ---- */

struct range {
    int64_t *starts, *ends;
    size_t count;
};

/* The oldest change of each range, and the newest; by partition, NO_TIME: there is none. */
struct edge {
    int64_t first_ms, first_offset, last_ms;
};

/* A record without the database's time has the connector's, which is later by what the connector
 * was behind. */
static int64_t change_ms(const struct evaluator_verdict *verdict, const rd_kafka_message_t *m)
{
    enum { BEHIND_MS = 60000 };
    return verdict->event_ms >= 0 ? verdict->event_ms
                                  : rd_kafka_message_timestamp(m, NULL) - BEHIND_MS;
}

static bool note_edge(void *context, const rd_kafka_message_t *m,
                      const struct evaluator_verdict *verdict, struct error *err)
{
    struct edge *edge = (struct edge *)context + m->partition;
    (void)err;
    if (m->payload == NULL) /* a tombstone: its deletion, which has a time, lies before it */
        return true;
    int64_t ms = change_ms(verdict, m);
    if (edge->first_ms == NO_TIME)
        *edge = (struct edge){ms, m->offset, ms};
    edge->last_ms = ms > edge->last_ms ? ms : edge->last_ms;
    return true;
}

static bool read_edges(const struct config *config, const struct range *range, int stop_fd,
                       struct edge *edges, struct error *err)
{
    struct evaluator *evaluator = evaluator_new(config, stop_fd, err);
    struct reader *reader =
        evaluator != NULL ? reader_between(config, range->starts, range->ends, range->count, err)
                          : NULL;
    bool ok = reader != NULL && evaluator_read(evaluator, reader, false, note_edge, edges, err);
    reader_free(reader);
    evaluator_free(evaluator);
    return ok;
}

/* A group that begins at the end has read what lay there before its first commit. */
static int64_t read_up_to(const struct config *config, const struct group_partition *p)
{
    if (p->committed >= 0)
        return p->committed < p->low ? p->low : p->committed;
    return config->kafka_start == KAFKA_START_LATEST ? p->high : p->low;
}

/* Of a partition that is not read to its end, the first records that are not settled; of another
 * one the last records. A few are enough, where the very first is one of a transaction's own. */
static void choose_range(const struct config *config, const struct group_topic *topic,
                         struct range *range)
{
    for (size_t i = 0; i < topic->count; i++) {
        const struct group_partition *p = &topic->partitions[i];
        int64_t read = read_up_to(config, p);
        bool behind = read < p->high;
        range->starts[i] = behind ? read : p->high - LAST_RECORDS;
        range->ends[i] = behind && read + LAST_RECORDS < p->high ? read + LAST_RECORDS : p->high;
        if (range->starts[i] < p->low)
            range->starts[i] = p->low;
    }
}

static void judge(const struct config *config, const struct group_topic *topic,
                  const struct edge *edges, struct known_position *ret)
{
    for (size_t i = 0; i < topic->count; i++) {
        bool behind = read_up_to(config, &topic->partitions[i]) < topic->partitions[i].high;
        if (edges[i].first_ms == NO_TIME)
            continue;
        if (behind && (ret->partition < 0 || edges[i].first_ms - 1 < ret->until_ms))
            *ret =
                (struct known_position){edges[i].first_ms - 1, (int32_t)i, edges[i].first_offset};
        else if (!behind && ret->partition < 0 && edges[i].last_ms > ret->until_ms)
            ret->until_ms = edges[i].last_ms;
    }
}

static bool look(const struct config *config, const struct group_topic *topic, int stop_fd,
                 struct known_position *ret, struct error *err)
{
    size_t room = topic->count + 1; /* never of size 0 */
    struct range range = {calloc(room, sizeof *range.starts), calloc(room, sizeof *range.ends),
                          topic->count};
    struct edge *edges = calloc(room, sizeof *edges);
    bool ok = range.starts != NULL && range.ends != NULL && edges != NULL;
    if (ok) {
        for (size_t i = 0; i < topic->count; i++)
            edges[i] = (struct edge){NO_TIME, -1, NO_TIME};
        choose_range(config, topic, &range);
        ok = read_edges(config, &range, stop_fd, edges, err);
        judge(config, topic, edges, ret);
    } else {
        error_no_memory(err);
    }
    free(range.starts);
    free(range.ends);
    free(edges);
    return ok;
}

bool known_position(const struct config *config, int stop_fd, struct known_position *ret,
                    struct error *err)
{
    struct group_topic topic = {0};
    *ret = (struct known_position){NO_TIME, -1, -1};
    struct group *group = group_new(config, err);
    bool ok = group != NULL && group_look(group, config->kafka_topic, &topic, err) &&
              (topic.count > 0 || error_set(err, ERROR_FAILED,
                                            "topic \"%s\" does not exist on this cluster: correct "
                                            "kafka.topic",
                                            config->kafka_topic)) &&
              look(config, &topic, stop_fd, ret, err);
    group_topic_done(&topic);
    group_free(group);
    return ok;
}
