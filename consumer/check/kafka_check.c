#include "check/check_internal.h"

#include "kafka/advice.h"
#include "kafka/group/member_properties.h"
#include "kafka/kafka_client.h"
#include "kafka/kafka_client_log.h"
#include "kafka/offsets.h"
#include "sys/clock.h"
#include "topics/settings/start_guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KAFKA "kafka"

enum {
    REACH_MS = 10000, /* for the first answer of a broker */
    SLICE_MS = 250,
    GRACE_MS = 1500, /* after which "all brokers down" is believed */
    KNOWN_MS = 3000, /* after which words that are understood are */
    ASK_MS = 5000,
    GUARD_MS = 5000 /* for reading outcomes */
};

/* ---- the client ---- */

/* Keeps the most useful message: one with advice wins over one without. */
static void keep_words(struct check *c, const char *words)
{
    if (*c->words == '\0' || (*kafka_advice(c->words) == '\0' && *kafka_advice(words) != '\0'))
        snprintf(c->words, sizeof c->words, "%s", words);
}

static void client_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct check *c = opaque;
    (void)rk;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
        code == RD_KAFKA_RESP_ERR__SSL)
        c->brokers_gone = true;
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        keep_words(c, reason);
}

/* Some ends of a connection are reported in the log alone. Called from hear, by way of the log
 * queue.
 */
static void client_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)level;
    (void)facility;
    text = kafka_log_text(text);
    if (*kafka_advice(text) != '\0')
        keep_words(rd_kafka_opaque(rk), text);
}

static bool open_client(struct check *c, struct error *err)
{
    static const struct kafka_property properties[] = {
        {"fetch.wait.max.ms", "50"}, /* or each look waits for the one before it */
        {NULL, NULL}};
    rd_kafka_conf_t *conf =
        kafka_member_is_accepted(c->config, err)
            ? kafka_observer_conf(c->config, c->config->kafka_group, properties, err)
            : NULL;
    if (conf == NULL)
        return false;
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_error_cb(conf, client_error);
    rd_kafka_conf_set_log_cb(conf, client_log);
    c->rk = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (c->rk == NULL)
        return false;
    rd_kafka_set_log_queue(c->rk, NULL);
    rd_kafka_poll_set_consumer(c->rk);
    return true;
}

/* Collects librdkafka's messages. Nothing is assigned, so no record can come. */
static void hear(struct check *c)
{
    for (rd_kafka_message_t *m; (m = rd_kafka_consumer_poll(c->rk, 0)) != NULL;) {
        keep_words(c, rd_kafka_message_errstr(m));
        rd_kafka_message_destroy(m);
    }
}

void check_kafka_done(struct check *c)
{
    if (c->rk != NULL) {
        rd_kafka_consumer_close(c->rk);
        rd_kafka_destroy(c->rk);
    }
    free(c->low);
    free(c->high);
}

/* ---- brokers ---- */

static bool fail_reach(struct check *c, rd_kafka_resp_err_t code)
{
    struct error err = {0};
    const char *words = *c->words != '\0' ? c->words : rd_kafka_err2str(code);
    error_set(&err, ERROR_UNREACHABLE, "%s: %.300s; %s", c->config->kafka_brokers, words,
              kafka_advice_always(words));
    report_fail(c->report, &err, KAFKA, "brokers");
    return false;
}

static bool reach_brokers(struct check *c)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(
        c->rk, c->config->kafka_topic != NULL ? c->config->kafka_topic : c->config->parked_topic,
        NULL);
    rd_kafka_resp_err_t code;
    int64_t began_ms = clock_mono_ms(), took_ms = 0;
    while ((code = rd_kafka_metadata(c->rk, 0, topic, &metadata, SLICE_MS)) !=
           RD_KAFKA_RESP_ERR_NO_ERROR) {
        hear(c);
        took_ms = clock_mono_ms() - began_ms;
        if (took_ms > REACH_MS || (c->brokers_gone && took_ms > GRACE_MS) ||
            (*kafka_advice(c->words) != '\0' && took_ms > KNOWN_MS))
            break;
    }
    rd_kafka_topic_destroy(topic);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail_reach(c, code);
    report_add(c->report, REPORT_OK, KAFKA, "brokers", "%s: %d in the cluster",
               c->config->kafka_brokers, metadata->broker_cnt);
    rd_kafka_metadata_destroy(metadata);
    return true;
}

/* ---- topics ---- */

static void fail_topic(struct check *c, rd_kafka_resp_err_t code)
{
    struct error err = {0};
    char hint[500];
    if (check_is_missing(code)) {
        check_suggest_topic(c, c->config->kafka_topic, hint, sizeof hint);
        error_set(&err, ERROR_FAILED, "topic \"%s\" does not exist on this cluster; %s",
                  c->config->kafka_topic, hint);
    } else {
        error_set(&err, ERROR_FAILED, "topic \"%s\": %s; %s", c->config->kafka_topic,
                  rd_kafka_err2str(code), kafka_advice_always(rd_kafka_err2str(code)));
    }
    report_fail(c->report, &err, KAFKA, "topic");
}

static bool ask_offsets(struct check *c)
{
    size_t count = (size_t)c->partitions;
    c->low = calloc(count, sizeof *c->low);
    c->high = calloc(count, sizeof *c->high);
    if (c->low == NULL || c->high == NULL)
        return false;
    struct error found = {0}, err = {0};
    if (kafka_watermarks_awaited(c->rk, c->config->kafka_topic, count, c->low, c->high, ASK_MS,
                                 &found))
        return true;
    hear(c);
    const char *words = *c->words != '\0' ? c->words : found.text;
    error_set(&err, ERROR_UNREACHABLE, "%.300s; %s", words, kafka_advice_always(words));
    report_fail(c->report, &err, KAFKA, "topic");
    return false;
}

static bool reach_topic(struct check *c)
{
    rd_kafka_resp_err_t code;
    char hint[500];
    if (c->config->kafka_topic == NULL) { /* already reported; this lists the choices */
        check_suggest_topic(c, NULL, hint, sizeof hint);
        report_add(c->report, REPORT_NOTE, KAFKA, "topic", "%s", hint);
        return false;
    }
    c->partitions = check_partitions(c, c->config->kafka_topic, &code);
    if (c->partitions == 0) {
        fail_topic(c, code);
        return false;
    }
    if (!ask_offsets(c)) {
        c->partitions = 0;
        return false;
    }
    report_add(c->report, REPORT_OK, KAFKA, "topic", "%s: %d partitions", c->config->kafka_topic,
               (int)c->partitions);
    check_topic_family(c);
    check_topic_keeps(c);
    return true;
}

/* ---- the group, and where it would start ---- */

/* The group's commits, added up. */
struct commits {
    int partitions, lost;
    int64_t lag;
};

static void add_up(struct check *c, const rd_kafka_topic_partition_list_t *list,
                   struct commits *ret)
{
    *ret = (struct commits){0};
    for (int i = 0; i < list->cnt; i++) {
        int64_t offset = list->elems[i].offset;
        int32_t p = list->elems[i].partition;
        if (offset < 0)
            continue;
        ret->partitions++;
        ret->lost += offset < c->low[p] || offset > c->high[p];
        ret->lag += offset < c->high[p] ? c->high[p] - offset : 0;
    }
}

static void report_start(struct check *c)
{
    const char *what = c->config->kafka_start == KAFKA_START_EARLIEST ? "earliest"
                       : c->config->kafka_start == KAFKA_START_LATEST ? "latest"
                                                                      : "not set";
    report_add(c->report, REPORT_NOTE, KAFKA, "kafka.start",
               "%s; the group has committed nothing here yet, so it counts (latest: what is "
               "confirmed from now on)",
               what);
}

/* run's own check: start_guard.h. Made whatever the commits: one of them may be missing. */
static void judge_start(struct check *c)
{
    const struct start_guard_question question = {
        .timeout_ms = ASK_MS, .reading_ms = GUARD_MS, .answered_ms = ASK_MS};
    char unknown[ERROR_TEXT_MAX];
    struct error err = {0};
    if (!start_guard_allows(c->config, &question, unknown, &err))
        report_fail(c->report, &err, KAFKA, "kafka.start");
    else if (*unknown != '\0')
        report_add(c->report, REPORT_WARN, KAFKA, "kafka.start",
                   "earlier outcomes cannot be read (%s), and only they would show that latest is "
                   "not a first start: let the program's user read deliveries.topic",
                   unknown);
}

static void report_commits(struct check *c, const struct commits *commits)
{
    report_add(c->report, REPORT_NOTE, KAFKA, "kafka.start",
               "not used: the group goes on from its commits in %d of %d partitions, %" PRId64
               " records behind",
               commits->partitions, (int)c->partitions, commits->lag);
    if (commits->lost == 0)
        return;
    struct error err = {0};
    error_set(
        &err, ERROR_FAILED,
        "the commits of %d partitions are outside the topic (deleted by retention, or the topic "
        "was made again): those partitions would stop until the group's offsets are reset",
        commits->lost);
    report_fail(c->report, &err, KAFKA, "offsets");
}

/* The error of a look-up of commits: of the whole call, or of its first partition that has one. */
static rd_kafka_resp_err_t ask_commits(struct check *c, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code;
    int64_t deadline_ms = clock_mono_ms() + ASK_MS;
    rd_kafka_topic_partition_list_add_range(list, c->config->kafka_topic, 0, c->partitions - 1);
    *c->words = '\0';
    do { /* without access to the group librdkafka keeps asking for its coordinator */
        code = kafka_committed(c->rk, list, SLICE_MS);
        hear(c);
    } while (kafka_is_unheard(code) && *kafka_advice(c->words) == '\0' &&
             clock_mono_ms() < deadline_ms);
    return code;
}

static void fail_group(struct check *c, rd_kafka_resp_err_t code)
{
    struct error err = {0};
    const char *words = *c->words != '\0' ? c->words : rd_kafka_err2str(code);
    bool forbidden = strstr(words, "authorization") != NULL;
    error_set(&err, forbidden ? ERROR_FAILED : ERROR_UNREACHABLE, "group \"%s\": %.300s; %s",
              c->config->kafka_group, words, kafka_advice_always(words));
    report_fail(c->report, &err, KAFKA, "group");
}

static void reach_group(struct check *c)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(c->partitions);
    rd_kafka_resp_err_t code = ask_commits(c, list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        struct commits commits;
        add_up(c, list, &commits);
        report_add(c->report, REPORT_OK, KAFKA, "group", "%s", c->config->kafka_group);
        if (commits.partitions > 0)
            report_commits(c, &commits);
        else
            report_start(c);
        judge_start(c);
        check_members(c);
    } else {
        fail_group(c, code);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

void check_kafka(struct check *c)
{
    struct error err = {0};
    if (c->config->kafka_brokers == NULL)
        return;
    if (!open_client(c, &err)) {
        report_fail(c->report, &err, KAFKA, "client");
        return;
    }
    if (!reach_brokers(c) || !reach_topic(c))
        return;
    reach_group(c);
    check_own_topics(c);
    check_shared(c);
    check_parked(c);
}
