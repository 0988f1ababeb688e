#include "kafka/group/group_question.h"

struct question {
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t *queue; /* of the answer */
};

static struct question begin(rd_kafka_t *rk, rd_kafka_admin_op_t op, int timeout_ms)
{
    char why[200];
    struct question q = {rd_kafka_AdminOptions_new(rk, op), rd_kafka_queue_new(rk)};
    (void)rd_kafka_AdminOptions_set_request_timeout(q.options, timeout_ms, why, sizeof why);
    return q;
}

static rd_kafka_event_t *end(struct question *q, int timeout_ms)
{
    enum { SLACK_MS = 1000 };
    rd_kafka_event_t *event = rd_kafka_queue_poll(q->queue, timeout_ms + SLACK_MS);
    rd_kafka_AdminOptions_destroy(q->options);
    rd_kafka_queue_destroy(q->queue);
    return event;
}

rd_kafka_event_t *group_question_describe(rd_kafka_t *rk, const char *group, int timeout_ms)
{
    const char *names[] = {group};
    struct question q = begin(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeout_ms);
    rd_kafka_DescribeConsumerGroups(rk, names, 1, q.options, q.queue);
    return end(&q, timeout_ms);
}

rd_kafka_event_t *group_question_list(rd_kafka_t *rk, int timeout_ms)
{
    struct question q = begin(rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, timeout_ms);
    rd_kafka_ListConsumerGroups(rk, q.options, q.queue);
    return end(&q, timeout_ms);
}

static const void *fail(struct error *err, enum error_code code, const char *why)
{
    error_set(err, code, "%s", why);
    return NULL;
}

const rd_kafka_ConsumerGroupDescription_t *group_question_described(rd_kafka_event_t *event,
                                                                    struct error *err)
{
    size_t count = 0;
    const rd_kafka_DescribeConsumerGroups_result_t *result =
        event != NULL ? rd_kafka_event_DescribeConsumerGroups_result(event) : NULL;
    if (result == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail(err, ERROR_UNREACHABLE,
                    event != NULL ? rd_kafka_event_error_string(event) : "no answer");
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(result, &count);
    const rd_kafka_error_t *error =
        count == 1 ? rd_kafka_ConsumerGroupDescription_error(groups[0]) : NULL;
    if (count != 1 || error != NULL)
        return fail(err, ERROR_FAILED, error != NULL ? rd_kafka_error_string(error) : "no answer");
    return groups[0];
}
