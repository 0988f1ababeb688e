#include "edge/kafka_offsets.h"

#include "edge/clock.h"

/* The error of the call is every element's; else the first element's is the call's. */
static rd_kafka_resp_err_t spread(rd_kafka_topic_partition_list_t *list, rd_kafka_resp_err_t code)
{
    rd_kafka_resp_err_t first = code;
    for (int i = 0; i < list->cnt; i++) {
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            list->elems[i].err = code;
        else if (first == RD_KAFKA_RESP_ERR_NO_ERROR)
            first = list->elems[i].err;
    }
    return first;
}

rd_kafka_resp_err_t kafka_offsets(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                  int timeout_ms)
{
    if (list->cnt == 0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(rk, list, timeout_ms);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        rd_kafka_topic_partition_t *p = &list->elems[i];
        if (p->err == RD_KAFKA_RESP_ERR_NO_ERROR && p->offset < 0) /* the answer left it out */
            p->err = RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    }
    return spread(list, code);
}

bool kafka_offsets_refused(const rd_kafka_topic_partition_list_t *list, rd_kafka_resp_err_t code,
                           struct error *err)
{
    const char *words = code == RD_KAFKA_RESP_ERR__TIMED_OUT ? "the broker did not answer in time"
                                                             : rd_kafka_err2str(code);
    int bad = 0, first = -1;
    for (int i = list->cnt - 1; i >= 0; i--)
        if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            bad++;
            first = i;
        }
    if (first < 0)
        return error_set(err, ERROR_UNREACHABLE, "offsets: %s", words);
    const rd_kafka_topic_partition_t *p = &list->elems[first];
    if (bad == list->cnt && bad > 1)
        return error_set(err, ERROR_UNREACHABLE, "offsets of %s: %s", p->topic, words);
    return error_set(err, ERROR_UNREACHABLE, "offsets of %s, partition %d: %s", p->topic,
                     (int)p->partition, words);
}

static bool ask(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int64_t what,
                int64_t deadline_ms, int64_t *ret, struct error *err)
{
    if (ret == NULL)
        return true;
    int64_t left_ms = deadline_ms - clock_mono_ms();
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = what;
    rd_kafka_resp_err_t code = kafka_offsets(rk, list, left_ms > 0 ? (int)left_ms : 0);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_offsets_refused(list, code, err);
    for (int i = 0; i < list->cnt; i++)
        ret[i] = list->elems[i].offset;
    return true;
}

/* The beginning first: it only ever grows, so that it is not behind the end. */
bool kafka_watermarks(rd_kafka_t *rk, const char *topic, int32_t first, size_t count,
                      int64_t *ret_low, int64_t *ret_high, int timeout_ms, struct error *err)
{
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, topic, first + (int32_t)i);
    bool ok = ask(rk, list, RD_KAFKA_OFFSET_BEGINNING, deadline_ms, ret_low, err) &&
              ask(rk, list, RD_KAFKA_OFFSET_END, deadline_ms, ret_high, err);
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}

static rd_kafka_resp_err_t take_answer(rd_kafka_topic_partition_list_t *list,
                                       rd_kafka_event_t *event)
{
    const rd_kafka_topic_partition_list_t *answers = rd_kafka_event_topic_partition_list(event);
    for (int i = 0; answers != NULL && i < answers->cnt; i++) {
        const rd_kafka_topic_partition_t *a = &answers->elems[i];
        rd_kafka_topic_partition_t *p =
            rd_kafka_topic_partition_list_find(list, a->topic, a->partition);
        if (p != NULL)
            p->err = a->err;
    }
    return rd_kafka_event_error(event);
}

rd_kafka_resp_err_t kafka_commit(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                 int timeout_ms)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(rk, list, queue, NULL, NULL);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
        code = RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (event != NULL) {
            code = take_answer(list, event);
            rd_kafka_event_destroy(event);
        }
    }
    rd_kafka_queue_destroy(queue);
    return spread(list, code);
}
