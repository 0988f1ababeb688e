/* metadata: the topic's existence, and the ends of topics. */
#include "kafka/consumer/consumer_internal.h"

#include "kafka/advice.h"
#include "kafka/offsets.h"
#include "sys/clock.h"

#include <stdlib.h>

enum { SLICE_MS = 1000, TOO_EARLY_MS = 50 };

static bool is_missing(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

static bool refuse_topic(struct consumer *s, rd_kafka_resp_err_t code, struct error *err)
{
    if (is_missing(code))
        return error_set(err, ERROR_FAILED,
                         "topic \"%s\" does not exist on this cluster: create it, or correct "
                         "kafka.topic",
                         s->config->kafka_topic);
    return error_set(err, ERROR_FAILED,
                     "topic \"%s\" may not be read: %s; it needs the ACL Read on this topic",
                     s->config->kafka_topic, rd_kafka_err2str(code));
}

static bool is_final(rd_kafka_resp_err_t code)
{
    return is_missing(code) || code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
}

static bool refuse_wait(struct consumer *s, rd_kafka_resp_err_t code, struct error *err)
{
    const char *words = *s->trouble.words != '\0' ? s->trouble.words : rd_kafka_err2str(code);
    const char *advice = kafka_advice(words);
    return error_set(err, ERROR_UNREACHABLE, "no broker of %s answers: %s%s%s",
                     s->config->kafka_brokers, words, *advice != '\0' ? "; " : "", advice);
}

bool consumer_start(struct consumer *s, int64_t timeout_ms, bool (*wanted)(void *context),
                    void *context, struct error *err)
{
    int64_t deadline = timeout_ms >= 0 ? clock_mono_ms() + timeout_ms : INT64_MAX;
    rd_kafka_resp_err_t code;
    while ((s->assignment.partitions = (int32_t)kafka_partition_count(
                s->rk, s->config->kafka_topic, SLICE_MS, &code, NULL)) == 0) {
        if (is_final(code))
            return refuse_topic(s, code, err);
        consumer_serve_group(s); /* brings the brokers' own words */
        client_trouble_no_broker(&s->trouble, rd_kafka_err2str(code));
        if (!wanted(context))
            return false;
        if (clock_mono_ms() >= deadline)
            return refuse_wait(s, code, err);
    }
    client_trouble_over(&s->trouble);
    return true;
}

int64_t consumer_end_known(struct consumer *s, int32_t slot)
{
    int64_t low, high;
    rd_kafka_resp_err_t code = rd_kafka_get_watermark_offsets(
        s->rk, assignment_topic(&s->assignment, slot), slot_partition(slot), &low, &high);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : -1;
}

/* A topic that was created a moment ago has no leader yet, or client and broker do not know of the
 * same one. */
static bool is_too_early(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || is_missing(code) ||
           code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           code == RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH;
}

/* Nothing is assigned yet, so there is nothing to lose. */
static void wait_a_little(struct consumer *s)
{
    rd_kafka_message_t *m = rd_kafka_consumer_poll(s->rk, TOO_EARLY_MS);
    if (m != NULL)
        rd_kafka_message_destroy(m);
}

/* The slots that exist, each to be looked up at its end. */
static rd_kafka_topic_partition_list_t *list_ends(const struct consumer *s, size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (int32_t slot = 0; slot < (int32_t)count; slot++)
        if (!slot_is_retry(slot) || slot_partition(slot) < s->assignment.retry_partitions)
            rd_kafka_topic_partition_list_add(list, assignment_topic(&s->assignment, slot),
                                              slot_partition(slot))
                ->offset = RD_KAFKA_OFFSET_END;
    return list;
}

static bool find_ends(struct consumer *s, size_t count, int64_t timeout_ms, int64_t *ret_offsets,
                      struct error *err)
{
    int64_t deadline = clock_mono_ms() + timeout_ms;
    rd_kafka_resp_err_t code;
    for (;;) {
        rd_kafka_topic_partition_list_t *list = list_ends(s, count);
        code = kafka_offsets(s->rk, list, (int)timeout_ms);
        bool again = is_too_early(code) && clock_mono_ms() < deadline;
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR && !again)
            kafka_offsets_refused(list, code, err);
        for (int i = 0; i < list->cnt; i++)
            ret_offsets[assignment_slot_of(&s->assignment, &list->elems[i])] =
                list->elems[i].offset;
        rd_kafka_topic_partition_list_destroy(list);
        if (!again)
            return code == RD_KAFKA_RESP_ERR_NO_ERROR;
        wait_a_little(s);
    }
}

bool consumer_end_offsets(struct consumer *s, int64_t timeout_ms, int64_t **ret_offsets,
                          size_t *ret_count, struct error *err)
{
    size_t count = (size_t)s->assignment.partitions * 2;
    int64_t *offsets = calloc(count, sizeof *offsets);
    if (offsets == NULL)
        return error_no_memory(err);
    if (!find_ends(s, count, timeout_ms, offsets, err)) {
        free(offsets);
        return false;
    }
    *ret_offsets = offsets;
    *ret_count = count;
    return true;
}
