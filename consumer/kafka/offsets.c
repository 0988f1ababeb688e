#include "kafka/offsets.h"

#include "sys/clock.h"

#include <unistd.h>

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

size_t kafka_partition_count(rd_kafka_t *rk, const char *topic, int timeout_ms,
                             rd_kafka_resp_err_t *ret_code, bool *ret_answered)
{
    const struct rd_kafka_metadata *metadata;
    size_t count = 0;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    *ret_code = rd_kafka_metadata(rk, 0, handle, &metadata, timeout_ms);
    rd_kafka_topic_destroy(handle);
    bool answered = *ret_code == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (ret_answered != NULL)
        *ret_answered = answered;
    if (!answered)
        return 0;
    if (metadata->topic_cnt == 1) {
        *ret_code = metadata->topics[0].err;
        count = (size_t)metadata->topics[0].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return *ret_code == RD_KAFKA_RESP_ERR_NO_ERROR ? count : 0;
}

rd_kafka_resp_err_t kafka_committed(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                    int timeout_ms)
{
    rd_kafka_resp_err_t code = rd_kafka_committed(rk, list, timeout_ms);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
        code = list->elems[i].err;
    return code;
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

enum { AGAIN_MS = 200 };

bool kafka_is_passing(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR__TRANSPORT: return true;
    default: return false;
    }
}

bool kafka_is_unheard(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
           kafka_is_passing(code);
}

void kafka_await_leaders(rd_kafka_t *rk, const char *topic)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    usleep(AGAIN_MS * 1000);
    if (handle == NULL)
        return;
    if (rd_kafka_metadata(rk, 0, handle, &metadata, AGAIN_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
}

/* patient: ask again while a partition changes its leader. */
static rd_kafka_resp_err_t ask_once(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                    int64_t what, int64_t deadline_ms, bool patient)
{
    for (;;) {
        int64_t left_ms = deadline_ms - clock_mono_ms();
        for (int i = 0; i < list->cnt; i++)
            list->elems[i].offset = what;
        rd_kafka_resp_err_t code = kafka_offsets(rk, list, left_ms > 0 ? (int)left_ms : 0);
        if (!patient || !kafka_is_passing(code) || clock_mono_ms() >= deadline_ms)
            return code;
        kafka_await_leaders(rk, list->elems[0].topic);
    }
}

static bool ask(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int64_t what,
                int64_t deadline_ms, bool patient, int64_t *ret, struct error *err)
{
    if (ret == NULL)
        return true;
    rd_kafka_resp_err_t code = ask_once(rk, list, what, deadline_ms, patient);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_offsets_refused(list, code, err);
    for (int i = 0; i < list->cnt; i++)
        ret[i] = list->elems[i].offset;
    return true;
}

/* The beginning first: it only ever grows, so that it is not behind the end. */
static bool watermarks(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int64_t *ret_low,
                       int64_t *ret_high, int timeout_ms, bool patient, struct error *err)
{
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    return ask(rk, list, RD_KAFKA_OFFSET_BEGINNING, deadline_ms, patient, ret_low, err) &&
           ask(rk, list, RD_KAFKA_OFFSET_END, deadline_ms, patient, ret_high, err);
}

bool kafka_watermarks(rd_kafka_t *rk, const char *topic, int32_t first, size_t count,
                      int64_t *ret_low, int64_t *ret_high, int timeout_ms, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, topic, first + (int32_t)i);
    bool ok = watermarks(rk, list, ret_low, ret_high, timeout_ms, false, err);
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}

bool kafka_watermarks_awaited(rd_kafka_t *rk, const char *topic, size_t count, int64_t *ret_low,
                              int64_t *ret_high, int timeout_ms, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, topic, (int32_t)i);
    bool ok = watermarks(rk, list, ret_low, ret_high, timeout_ms, true, err);
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
