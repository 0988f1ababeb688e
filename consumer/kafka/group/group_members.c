#include "kafka/group/group_members.h"

#include "kafka/group/group_question.h"

#include <stdio.h>
#include <string.h>

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
    struct error reason = {0};
    *ret = (struct group_members){.count = 0};
    const rd_kafka_ConsumerGroupDescription_t *group = group_question_described(event, &reason);
    if (group == NULL)
        return error_set(err, reason.code, "the group's members are not known: %s", reason.text);
    size_t count = rd_kafka_ConsumerGroupDescription_member_count(group);
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_MemberDescription_t *m = rd_kafka_ConsumerGroupDescription_member(group, i);
        const char *id = rd_kafka_MemberDescription_consumer_id(m);
        if (own == NULL || id == NULL || strcmp(own, id) != 0)
            add(ret, m);
    }
    return true;
}

bool group_members_describe(rd_kafka_t *rk, const char *group, const char *own, int timeout_ms,
                            struct group_members *ret, struct error *err)
{
    rd_kafka_event_t *event = group_question_describe(rk, group, timeout_ms);
    bool ok = read_answer(event, own, ret, err);
    if (event != NULL)
        rd_kafka_event_destroy(event);
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
