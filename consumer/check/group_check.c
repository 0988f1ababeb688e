/* group_check: the members of the group. */
#include "check/check_internal.h"

#include "kafka/group/group_listing.h"
#include "kafka/group/group_question.h"
#include "kafka/group/group_view.h"
#include "topics/settings/cleanup_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KAFKA "kafka"

enum { ASK_MS = 5000, MEMBERS_MAX = 64 };

static struct group_member read_member(const struct check *c,
                                       const rd_kafka_MemberDescription_t *from)
{
    const char *instance = rd_kafka_MemberDescription_group_instance_id(from);
    struct group_member m = {.client_id = rd_kafka_MemberDescription_client_id(from),
                             .host = rd_kafka_MemberDescription_host(from),
                             .instance = instance != NULL ? instance : ""};
    const rd_kafka_MemberAssignment_t *assignment = rd_kafka_MemberDescription_assignment(from);
    const rd_kafka_topic_partition_list_t *list =
        assignment != NULL ? rd_kafka_MemberAssignment_partitions(assignment) : NULL;
    for (int i = 0; list != NULL && i < list->cnt; i++)
        if (strcmp(list->elems[i].topic, c->config->kafka_topic) == 0)
            m.has_topic = true;
        else
            m.other_topic = list->elems[i].topic;
    return m;
}

/* No member that this librdkafka can describe. */
static void report_empty(struct check *c)
{
    if (group_is_listed_with_members(c->rk, c->config->kafka_group, ASK_MS))
        report_add(c->report, REPORT_WARN, KAFKA, "members",
                   "some of the brokers' own group protocol (KIP-848), which librdkafka %s cannot "
                   "name: unless each is a run of this topic, the orders of the partitions that it "
                   "gets are not sent; stop it, or give it another group",
                   rd_kafka_version_str());
    else
        report_add(c->report, REPORT_NOTE, KAFKA, "members", "none now: start run");
}

static void report_members(struct check *c, size_t count, enum group_view view, const char *text)
{
    struct error err = {0};
    switch (view) {
    case GROUP_IS_EMPTY: report_empty(c); return;
    case GROUP_IS_OURS:
        report_add(c->report, REPORT_OK, KAFKA, "members", "%zu now: %s", count, text);
        return;
    case GROUP_IS_MIXED:
        error_set(&err, ERROR_FAILED,
                  "%.300s: another shop's run is in this group; give each topic a kafka.group of "
                  "its own",
                  text);
        break;
    default:
        error_set(&err, ERROR_FAILED,
                  "%.300s: another program is in this group, and the orders of the partitions that "
                  "it gets are not sent; stop it, or give it another group",
                  text);
    }
    report_fail(c->report, &err, KAFKA, "members");
}

static void report_assignor(struct check *c, const rd_kafka_ConsumerGroupDescription_t *d)
{
    const char *found = rd_kafka_ConsumerGroupDescription_partition_assignor(d);
    const char *set = config_property(c->config, "partition.assignment.strategy");
    const char *wanted = set != NULL ? set : "cooperative-sticky";
    if (found != NULL && *found != '\0' && strstr(wanted, found) == NULL)
        report_add(c->report, REPORT_WARN, KAFKA, "members",
                   "they use the assignor %s, this configuration %s: a member with it cannot join "
                   "until the others have left",
                   found, wanted);
}

static void judge(struct check *c, const rd_kafka_ConsumerGroupDescription_t *d)
{
    struct group_member members[MEMBERS_MAX];
    char text[GROUP_VIEW_TEXT];
    size_t all = rd_kafka_ConsumerGroupDescription_member_count(d);
    size_t count = all < MEMBERS_MAX ? all : MEMBERS_MAX;
    const char *own = config_property(c->config, "client.id");
    for (size_t i = 0; i < count; i++)
        members[i] = read_member(c, rd_kafka_ConsumerGroupDescription_member(d, i));
    enum group_view view =
        group_view_of(members, count, own != NULL ? own : "elementor-sync", text);
    report_members(c, all, view, text);
    if (all > (size_t)c->partitions)
        report_add(c->report, REPORT_WARN, KAFKA, "members",
                   "%zu of them for %d partitions: the others only stand by; add partitions, or "
                   "stop members",
                   all, (int)c->partitions);
    if (all > 0)
        report_assignor(c, d);
}

static void report_unknown(struct check *c, const char *why)
{
    report_add(c->report, REPORT_NOTE, KAFKA, "members",
               "not known (%s): make sure that no other program uses the group %s", why,
               c->config->kafka_group);
}

void check_members(struct check *c)
{
    struct error err = {0};
    if (!topic_policies_can_ask(c->rk, ASK_MS)) { /* it would be waited for in vain */
        report_unknown(c, "the cluster names no controller");
        return;
    }
    rd_kafka_event_t *event = group_question_describe(c->rk, c->config->kafka_group, ASK_MS);
    const rd_kafka_ConsumerGroupDescription_t *group = group_question_described(event, &err);
    if (group != NULL)
        judge(c, group);
    else
        report_unknown(c, err.text);
    if (event != NULL)
        rd_kafka_event_destroy(event);
}
