/* parked_check: parked orders that Kafka deletes within a week; nothing can send them again then.
 */
#include "check/check_internal.h"

#include "kafka/offsets.h"
#include "operator/parked_reader.h"
#include "sys/clock.h"
#include "topics/outcome_reader.h"
#include "topics/settings/topic_retention.h"

#include <inttypes.h>
#include <stdlib.h>

#define OWN "own topics"
#define NAME "parked orders"

enum { ASK_MS = 5000, READ_MS = 10000 };

static const int64_t day_ms = 86400000;

struct parked {
    struct check *c;
    struct parked_list list;
    int64_t deadline_ms; /* by the monotonic clock */
};

/* ---- is there a topic? ---- */

/* True when a partition's first record was written before the time. */
static bool begins_before(struct check *c, int32_t count, int64_t time_ms)
{
    bool found = false;
    struct error ignored = {0};
    int64_t *low = calloc((size_t)count * 2, sizeof *low), *high = low != NULL ? low + count : NULL;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (int32_t p = 0; p < count; p++)
        rd_kafka_topic_partition_list_add(list, c->config->parked_topic, p)->offset = time_ms;
    if (low != NULL &&
        kafka_watermarks_awaited(c->rk, c->config->parked_topic, (size_t)count, low, high, ASK_MS,
                                 &ignored) &&
        rd_kafka_offsets_for_times(c->rk, list, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        for (int32_t p = 0; p < count; p++) { /* a negative offset: no record is that new */
            int64_t first = list->elems[p].offset;
            found |= low[p] < high[p] && (first < 0 || first > low[p]);
        }
    rd_kafka_topic_partition_list_destroy(list);
    free(low);
    return found;
}

/* ---- which of them still wait ---- */

static bool in_time(void *context)
{
    const struct parked *p = context;
    return clock_mono_ms() < p->deadline_ms;
}

static bool read_parked(struct parked *p)
{
    struct error ignored = {0};
    size_t others;
    return parked_reader_read(p->c->config, &p->list, in_time, p, &others, &ignored);
}

static bool read_outcomes(struct parked *p)
{
    struct error ignored = {0};
    struct outcomes *outcomes = outcomes_new(p->c->config, &ignored);
    bool ok = outcomes != NULL;
    while (ok && !outcomes_caught_up(outcomes) && (ok = in_time(p))) {
        json_t *outcome = outcomes_next(outcomes);
        if (outcome != NULL)
            parked_reader_outcome(p->c->config, &p->list, outcome);
        json_decref(outcome);
    }
    outcomes_free(outcomes);
    return ok;
}

/* ---- the report ---- */

static void say(struct parked *p, int64_t before_ms, int64_t retention_ms)
{
    size_t count = 0;
    int64_t days = retention_ms / day_ms;
    for (size_t i = 0; i < p->list.count; i++)
        count += !p->list.entries[i].settled && !p->list.entries[i].dismissed &&
                 p->list.entries[i].parked_ms < before_ms;
    if (count > 0)
        report_add(p->c->report, REPORT_WARN, OWN, NAME,
                   "%zu parked order%s will be deleted from %s within a week (retention.ms=%" PRId64
                   ", %" PRId64 " day%s); nothing can send %s again then: elementor-sync redrive",
                   count, count == 1 ? "" : "s", p->c->config->parked_topic, retention_ms, days,
                   days == 1 ? "" : "s", count == 1 ? "it" : "them");
}

void check_parked(struct check *c)
{
    struct error ignored = {0};
    int64_t retention_ms;
    rd_kafka_resp_err_t code;
    const char *topic = c->config->parked_topic;
    int32_t count = check_partitions(c, topic, &code);
    if (count == 0 || !topic_retention_ask(c->rk, topic, ASK_MS, &retention_ms, &ignored) ||
        retention_ms < 0)
        return;
    int64_t before_ms = clock_wall_ms() - retention_ms + TOPIC_EXPIRES_SOON_MS;
    if (!begins_before(c, count, before_ms))
        return;
    struct parked p = {.c = c, .deadline_ms = clock_mono_ms() + READ_MS};
    if (read_parked(&p) && read_outcomes(&p))
        say(&p, before_ms, retention_ms);
    else
        report_add(c->report, REPORT_NOTE, OWN, NAME,
                   "some will be deleted from %s within a week; how many of them still wait was "
                   "not read in time: elementor-sync redrive shows it, and asks before it sends",
                   topic);
    parked_list_done(&p.list);
}
