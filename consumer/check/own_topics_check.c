/* own_topics_check: the topics that the program writes. */
#include "check/check_internal.h"

#include "kafka/advice.h"
#include "topics/settings/cleanup_policy.h"
#include "topics/settings/cleanup_policy_rule.h"

#define OWN "own topics"

enum { ASK_MS = 5000 };

static void fail_missing(struct check *c, const struct topic_policy *topic, int32_t wanted)
{
    struct error err = {0};
    error_set(&err, ERROR_FAILED, "%s: missing, and topics.create=false: create it with %s",
              topic->name, wanted > 1 ? "the partitions of the orders' topic" : "one partition");
    report_fail(c->report, &err, OWN, topic->option);
}

static void judge_absent(struct check *c, const struct topic_policy *topic, int32_t wanted,
                         rd_kafka_resp_err_t code)
{
    struct error err = {0};
    if (check_is_missing(code) && c->config->topics_create) {
        report_add(c->report, REPORT_NOTE, OWN, topic->option, "%s: missing; run creates it",
                   topic->name);
    } else if (check_is_missing(code)) {
        fail_missing(c, topic, wanted);
    } else {
        error_set(&err, ERROR_FAILED, "%s: %s; %s", topic->name, rd_kafka_err2str(code),
                  kafka_advice_always(rd_kafka_err2str(code)));
        report_fail(c->report, &err, OWN, topic->option);
    }
}

/* Lost records are a failure; records that are only forgotten are not. */
static void judge_policy(struct check *c, const struct topic_policy *topic, const char *fault)
{
    struct error err = {0};
    error_set(&err, ERROR_FAILED, "%s: cleanup.policy=%s: %s", topic->name, topic->found, fault);
    if (topic->compact)
        report_add(c->report, REPORT_WARN, OWN, topic->option, "%s", err.text);
    else
        report_fail(c->report, &err, OWN, topic->option);
}

static void judge_own(struct check *c, const struct topic_policy *topic, int32_t wanted)
{
    rd_kafka_resp_err_t code;
    int32_t found = check_partitions(c, topic->name, &code);
    const char *fault = topic_policy_fault(topic->compact, topic->found);
    if (found == 0)
        judge_absent(c, topic, wanted, code);
    else if (fault[0] != '\0')
        judge_policy(c, topic, fault);
    else if (found < wanted)
        report_add(c->report, REPORT_WARN, OWN, topic->option,
                   "%s: %d partitions, but the orders' topic has %d: orders of the others cannot "
                   "be retried by hand until they are added",
                   topic->name, (int)found, (int)wanted);
    else
        report_add(c->report, REPORT_OK, OWN, topic->option, "%s: %d partition%s%s%s", topic->name,
                   (int)found, found == 1 ? "" : "s",
                   topic->why[0] != '\0' ? "; its cleanup.policy could not be read: " : "",
                   topic->why);
}

void check_own_topics(struct check *c)
{
    struct topic_policy topics[TOPIC_POLICIES];
    topic_policies_ask(c->rk, c->config, ASK_MS, topics);
    for (size_t i = 0; i < TOPIC_POLICIES; i++)
        judge_own(c, &topics[i], topics[i].name == c->config->retry_topic ? c->partitions : 1);
}
