#include "check/check_internal.h"

#include "base/time_text.h"
#include "kafka/offsets.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RECORDS "records"

enum {
    PER_PARTITION = 100, /* newest records looked at */
    ALL_PARTITIONS = 1000,
    READ_MS = 10000, /* for one look at the topic */
    POLL_MS = 100
};

/* ---- reading a stretch of every partition ---- */

typedef void take_record(struct check *c, const rd_kafka_message_t *m, void *context);

/* Reads from from(p) on, in every partition that holds a record there, until each has been read to
 * its end as it was, or has given `most` records. */
static bool read_from(struct check *c, int64_t (*from)(const struct check *c, int32_t p),
                      int64_t most, take_record *take, void *context, struct error *err)
{
    int open = 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(c->partitions);
    for (int32_t p = 0; p < c->partitions; p++) {
        if (c->high[p] <= c->low[p])
            continue;
        rd_kafka_topic_partition_list_add(list, c->config->kafka_topic, p)->offset = from(c, p);
        open++;
    }
    rd_kafka_assign(c->rk, list);
    int64_t deadline_ms = clock_mono_ms() + READ_MS;
    while (open > 0 && clock_mono_ms() < deadline_ms && err->code == ERROR_NONE) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(c->rk, POLL_MS);
        if (m == NULL)
            continue;
        rd_kafka_topic_partition_t *at =
            rd_kafka_topic_partition_list_find(list, c->config->kafka_topic, m->partition);
        bool is_record = m->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        bool is_end = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (!is_record && !is_end && !kafka_is_passing(m->err))
            error_set(err, ERROR_FAILED, "%s", rd_kafka_message_errstr(m));
        if (at != NULL && at->offset >= 0) { /* -1: done with */
            if (is_record)
                take(c, m, context);
            int64_t end = from(c, m->partition) + most;
            end = end < c->high[m->partition] ? end : c->high[m->partition];
            if (is_end || m->offset + 1 >= end) {
                at->offset = -1;
                open--;
            }
        }
        rd_kafka_message_destroy(m);
    }
    rd_kafka_assign(c->rk, NULL);
    rd_kafka_topic_partition_list_destroy(list);
    c->unread_partitions = open;
    return err->code == ERROR_NONE;
}

/* ---- the oldest ---- */

static int64_t oldest(const struct check *c, int32_t p)
{
    return c->low[p];
}

static int64_t timestamp_of(const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    return rd_kafka_message_timestamp(m, &type);
}

static void take_oldest(struct check *c, const rd_kafka_message_t *m, void *context)
{
    int64_t *oldest_ms = context, ms = timestamp_of(m);
    (void)c;
    if (ms >= 0 && (*oldest_ms < 0 || ms < *oldest_ms))
        *oldest_ms = ms;
}

/* ---- the newest ---- */

static int64_t newest(const struct check *c, int32_t p)
{
    int64_t each = ALL_PARTITIONS / c->partitions;
    each = each > PER_PARTITION ? PER_PARTITION : each > 1 ? each : 1;
    return c->high[p] - c->low[p] > each ? c->high[p] - each : c->low[p];
}

static void take_newest(struct check *c, const rd_kafka_message_t *m, void *context)
{
    (void)context;
    check_sample_take(c, m);
}

/* ---- the report ---- */

static void report_span(struct check *c, int64_t oldest_ms)
{
    char text[TIMESTAMP_TEXT];
    int64_t count = 0;
    for (int32_t p = 0; p < c->partitions; p++)
        count += c->high[p] - c->low[p];
    bool known = oldest_ms >= 0 && *timestamp_text(oldest_ms, text) != '\0';
    report_add(c->report, REPORT_NOTE, RECORDS, "earliest",
               "kafka.start=earliest would read %" PRId64
               " records, from %s on (elementor-sync preview shows which would be sent)",
               count, known ? text : "an unknown time");
}

static void report_unread(struct check *c)
{
    if (c->unread_partitions > 0)
        report_add(c->report, REPORT_WARN, RECORDS, "newest",
                   "%d partitions could not be read within %d s: is each of their brokers "
                   "reachable from here (advertised.listeners)?",
                   c->unread_partitions, READ_MS / 1000);
}

static bool is_empty(const struct check *c)
{
    for (int32_t p = 0; p < c->partitions; p++)
        if (c->high[p] > c->low[p])
            return false;
    return true;
}

void check_records(struct check *c)
{
    struct error err = {0};
    int64_t oldest_ms = -1;
    if (c->partitions == 0)
        return;
    if (is_empty(c)) {
        report_add(c->report, REPORT_WARN, RECORDS, "newest",
                   "the topic is empty: change a row of the table, or is the connector not "
                   "running?");
        return;
    }
    if (check_sample_open(c) && read_from(c, oldest, 1, take_oldest, &oldest_ms, &err) &&
        read_from(c, newest, PER_PARTITION, take_newest, NULL, &err)) {
        report_span(c, oldest_ms);
        report_unread(c);
        check_sample_report(c);
    } else {
        error_no_memory(&err);
        report_fail(c->report, &err, RECORDS, "newest");
    }
    check_sample_done(c);
}
