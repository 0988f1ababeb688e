#include "edge/group.h"

#include "edge/kafka_conf.h"
#include "edge/kafka_offsets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 10000 };

struct group {
    const struct config *config;
    rd_kafka_t *rk;
    bool unanswered; /* a commit may be under way still */
};

struct group *group_new(const struct config *config, struct error *err)
{
    static const struct kafka_property properties[] = {{"enable.auto.commit", "false"},
                                                       {"enable.auto.offset.store", "false"},
                                                       {"allow.auto.create.topics", "false"},
                                                       {NULL, NULL}};
    struct group *g = calloc(1, sizeof *g);
    rd_kafka_conf_t *conf = g != NULL ? kafka_conf_new(config, properties, err) : NULL;
    if (conf == NULL) {
        error_set(err, ERROR_NO_MEMORY, "no memory to look at the group");
        free(g);
        return NULL;
    }
    g->config = config;
    rd_kafka_conf_set(conf, "group.id", config->kafka_group, NULL, 0);
    g->rk = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (g->rk == NULL) {
        free(g);
        return NULL;
    }
    return g;
}

void group_free(struct group *g)
{
    if (g == NULL)
        return;
    if (!g->unanswered) /* it would be waited for; the process ends soon */
        rd_kafka_destroy(g->rk);
    free(g);
}

/* ---- what is there ---- */

static bool count_partitions(struct group *g, const char *topic, size_t *ret, struct error *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(g->rk, topic, NULL);
    rd_kafka_resp_err_t code = rd_kafka_metadata(g->rk, 0, handle, &metadata, ASK_MS);
    rd_kafka_topic_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_no_broker(g->config, code, err);
    bool exists = metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    *ret = exists ? (size_t)metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    return true;
}

static bool find_ends(struct group *g, struct group_topic *t, struct error *err)
{
    int64_t *ends = calloc(t->count * 2, sizeof *ends);
    if (ends == NULL)
        return error_set(err, ERROR_NO_MEMORY, "no memory for %zu partitions", t->count);
    int64_t *high = ends + t->count;
    bool ok = kafka_watermarks(g->rk, t->name, 0, t->count, ends, high, ASK_MS, err);
    for (size_t i = 0; ok && i < t->count; i++) {
        t->partitions[i].low = ends[i];
        t->partitions[i].high = high[i];
    }
    free(ends);
    return ok;
}

/* A commit's metadata has a length and no end. */
static bool take_commit(struct group_partition *p, const rd_kafka_topic_partition_t *from)
{
    p->committed = from->offset >= 0 ? from->offset : -1;
    p->metadata = strndup(from->metadata != NULL ? from->metadata : "", from->metadata_size);
    return p->metadata != NULL;
}

static bool find_commits(struct group *g, struct group_topic *t, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)t->count);
    rd_kafka_topic_partition_list_add_range(list, t->name, 0, (int32_t)t->count - 1);
    rd_kafka_resp_err_t code = rd_kafka_committed(g->rk, list, ASK_MS);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
        code = list->elems[i].err;
    bool ok = code == RD_KAFKA_RESP_ERR_NO_ERROR ||
              error_set(err, ERROR_UNREACHABLE, "commits of the group \"%s\": %s",
                        g->config->kafka_group, rd_kafka_err2str(code));
    for (int i = 0; ok && i < list->cnt; i++)
        ok = take_commit(&t->partitions[list->elems[i].partition], &list->elems[i]) ||
             error_set(err, ERROR_NO_MEMORY, "no memory for the group's commits");
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}

bool group_look(struct group *g, const char *topic, struct group_topic *ret, struct error *err)
{
    *ret = (struct group_topic){.name = topic};
    size_t count = 0;
    if (!count_partitions(g, topic, &count, err))
        return false;
    ret->partitions = calloc(count + 1, sizeof *ret->partitions); /* never of size 0 */
    if (ret->partitions == NULL)
        return error_set(err, ERROR_NO_MEMORY, "no memory for %zu partitions", count);
    ret->count = count;
    return count == 0 || (find_ends(g, ret, err) && find_commits(g, ret, err));
}

void group_topic_done(struct group_topic *topic)
{
    for (size_t i = 0; i < topic->count; i++)
        free(topic->partitions[i].metadata);
    free(topic->partitions);
    *topic = (struct group_topic){0};
}

bool group_offsets_at(struct group *g, const struct group_topic *topic, int64_t ms,
                      int64_t *ret_offsets, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)topic->count);
    rd_kafka_topic_partition_list_add_range(list, topic->name, 0, (int32_t)topic->count - 1);
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = ms;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(g->rk, list, ASK_MS);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &list->elems[i];
        ret_offsets[p->partition] =
            p->offset >= 0 ? p->offset : topic->partitions[p->partition].high;
        code = p->err;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_UNREACHABLE, "offsets of a time: %s", rd_kafka_err2str(code));
}

/* ---- members ---- */

static bool judge_members(const struct group *g, const rd_kafka_ConsumerGroupDescription_t *d,
                          struct error *err)
{
    char names[300] = "";
    size_t count = rd_kafka_ConsumerGroupDescription_member_count(d), len = 0;
    for (size_t i = 0; i < count && len < sizeof names; i++) {
        const rd_kafka_MemberDescription_t *m = rd_kafka_ConsumerGroupDescription_member(d, i);
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s (%s)", i > 0 ? ", " : "",
                                rd_kafka_MemberDescription_client_id(m),
                                rd_kafka_MemberDescription_host(m));
    }
    return count == 0 || error_set(err, ERROR_FAILED,
                                   "the group \"%s\" has %zu active member%s: %s; stop them first",
                                   g->config->kafka_group, count, count == 1 ? "" : "s", names);
}

static bool read_description(const struct group *g, rd_kafka_event_t *event, struct error *err)
{
    size_t count = 0;
    const rd_kafka_DescribeConsumerGroups_result_t *result =
        event != NULL ? rd_kafka_event_DescribeConsumerGroups_result(event) : NULL;
    if (result == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_UNREACHABLE, "who is in the group: %s",
                         event != NULL ? rd_kafka_event_error_string(event) : "no answer");
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(result, &count);
    const rd_kafka_error_t *error =
        count == 1 ? rd_kafka_ConsumerGroupDescription_error(groups[0]) : NULL;
    if (count != 1 || error != NULL)
        return error_set(err, ERROR_FAILED, "who is in the group: %s",
                         error != NULL ? rd_kafka_error_string(error) : "no answer");
    return judge_members(g, groups[0], err);
}

bool group_is_idle(struct group *g, struct error *err)
{
    const char *names[] = {g->config->kafka_group};
    char why[200];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(g->rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(g->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, ASK_MS, why, sizeof why);
    rd_kafka_DescribeConsumerGroups(g->rk, names, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS + 1000);
    bool ok = read_description(g, event, err);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return ok;
}

/* ---- commits ---- */

static bool fill(rd_kafka_topic_partition_list_t *list, const char *topic,
                 const struct group_commit *c)
{
    rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(list, topic, c->partition);
    p->offset = c->offset;
    p->metadata = strdup(c->metadata); /* the list frees it */
    p->metadata_size = strlen(c->metadata);
    return p->metadata != NULL;
}

static bool judge_commit(const rd_kafka_topic_partition_list_t *list, rd_kafka_resp_err_t code,
                         struct error *err)
{
    int failed = 0;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
        return error_set(err, ERROR_FAILED,
                         "nothing was reset: the group has an active member again; stop it first");
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT)
        return error_set(err, ERROR_UNREACHABLE,
                         "the group's coordinator does not answer: whether the reset came to pass "
                         "is not known; see elementor-sync offsets");
    while (failed < list->cnt - 1 && list->elems[failed].err == RD_KAFKA_RESP_ERR_NO_ERROR)
        failed++;
    return error_set(err, ERROR_FAILED,
                     "the reset failed at partition %d: %s; see elementor-sync offsets",
                     (int)list->elems[failed].partition, rd_kafka_err2str(code));
}

bool group_commit(struct group *g, const char *topic, const struct group_commit *commits,
                  size_t count, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = fill(list, topic, &commits[i]);
    rd_kafka_resp_err_t code = ok ? kafka_commit(g->rk, list, ASK_MS) : RD_KAFKA_RESP_ERR__FAIL;
    g->unanswered = code == RD_KAFKA_RESP_ERR__TIMED_OUT;
    ok = ok ? judge_commit(list, code, err)
            : error_set(err, ERROR_NO_MEMORY, "no memory for the commits");
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}
