#include "kafka/group/group_members.h"

#include <stdio.h>
#include <string.h>

static void ask(rd_kafka_t *rk, const char *group, int timeout_ms, rd_kafka_queue_t *queue)
{
    const char *names[] = {group};
    char why[200];
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof why);
    rd_kafka_DescribeConsumerGroups(rk, names, 1, options, queue);
    rd_kafka_AdminOptions_destroy(options);
}

static void add_name(struct group_members *members, const char *name, const char *host)
{
    size_t len = strlen(members->names);
    snprintf(members->names + len, sizeof members->names - len, "%s%s (%s)",
             members->count > 0 ? ", " : "", name, host != NULL ? host : "?");
    members->count++;
}

static void add(struct group_members *members, const rd_kafka_MemberDescription_t *m)
{
    const char *instance = rd_kafka_MemberDescription_group_instance_id(m);
    const char *id = rd_kafka_MemberDescription_consumer_id(m);
    add_name(members, instance != NULL ? instance : id, rd_kafka_MemberDescription_host(m));
    members->static_count += instance != NULL;
}

static bool read_answer(rd_kafka_event_t *event, const char *own, struct group_members *ret,
                        struct error *err)
{
    size_t count = 0;
    *ret = (struct group_members){.count = 0};
    const rd_kafka_DescribeConsumerGroups_result_t *result =
        event != NULL ? rd_kafka_event_DescribeConsumerGroups_result(event) : NULL;
    if (result == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_UNREACHABLE, "the group's members are not known: %s",
                         event != NULL ? rd_kafka_event_error_string(event) : "no answer");
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(result, &count);
    const rd_kafka_error_t *error =
        count == 1 ? rd_kafka_ConsumerGroupDescription_error(groups[0]) : NULL;
    if (count != 1 || error != NULL)
        return error_set(err, ERROR_FAILED, "the group's members are not known: %s",
                         error != NULL ? rd_kafka_error_string(error) : "no answer");
    count = rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_MemberDescription_t *m =
            rd_kafka_ConsumerGroupDescription_member(groups[0], i);
        const char *id = rd_kafka_MemberDescription_consumer_id(m);
        if (own == NULL || id == NULL || strcmp(own, id) != 0)
            add(ret, m);
    }
    return true;
}

bool group_members_describe(rd_kafka_t *rk, const char *group, const char *own, int timeout_ms,
                            struct group_members *ret, struct error *err)
{
    enum { SLACK_MS = 1000 };
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    ask(rk, group, timeout_ms, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + SLACK_MS);
    bool ok = read_answer(event, own, ret, err);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return ok;
}

bool group_members_list(rd_kafka_t *rk, const char *group, const char *own, int timeout_ms,
                        struct group_members *ret, struct error *err)
{
    const struct rd_kafka_group_list *list;
    *ret = (struct group_members){.count = 0};
    rd_kafka_resp_err_t code = rd_kafka_list_groups(rk, group, &list, timeout_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && list->group_cnt > 0)
        code = list->groups[0].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        error_set(err, ERROR_UNREACHABLE, "the group's members are not known: %s",
                  rd_kafka_err2str(code));
    for (int g = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && g < list->group_cnt; g++)
        for (int i = 0; i < list->groups[g].member_cnt; i++) {
            const struct rd_kafka_group_member_info *m = &list->groups[g].members[i];
            if (own == NULL || strcmp(own, m->member_id) != 0)
                add_name(ret, m->member_id, m->client_host);
        }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__PARTIAL)
        rd_kafka_group_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}
