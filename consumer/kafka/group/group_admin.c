#include "kafka/group/group_admin.h"

#include "config/member_options.h"
#include "kafka/client_end.h"
#include "kafka/group/group_assignment.h"
#include "kafka/group/group_members.h"
#include "kafka/kafka_client.h"
#include "kafka/offsets.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 10000, LOOK_EVERY_MS = 500, GRACE_MS = 5000, END_MS = 2000 };

struct group {
    const struct config *config;
    rd_kafka_t *rk;
    bool unanswered; /* a commit may be under way still */
};

struct group *group_new(const struct config *config, struct error *err)
{
    static const struct kafka_property none = {NULL, NULL};
    struct group *g = calloc(1, sizeof *g);
    rd_kafka_conf_t *conf =
        g != NULL ? kafka_observer_conf(config, config->kafka_group, &none, err) : NULL;
    if (conf == NULL) {
        error_no_memory(err);
        free(g);
        return NULL;
    }
    g->config = config;
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
        (void)kafka_end(g->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE,
                        END_MS); /* it joined nothing */
    free(g);
}

/* ---- look-ups ---- */

/* 0: there is no such topic. */
static bool count_partitions(struct group *g, const char *topic, size_t *ret, struct error *err)
{
    rd_kafka_resp_err_t code;
    bool answered;
    *ret = kafka_partition_count(g->rk, topic, ASK_MS, &code, &answered);
    return answered || kafka_no_broker(g->config, code, err);
}

static bool find_ends(struct group *g, struct group_topic *t, struct error *err)
{
    int64_t *ends = calloc(t->count * 2, sizeof *ends);
    if (ends == NULL)
        return error_no_memory(err);
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
    rd_kafka_resp_err_t code = kafka_committed(g->rk, list, ASK_MS);
    bool ok = code == RD_KAFKA_RESP_ERR_NO_ERROR ||
              error_set(err, ERROR_UNREACHABLE, "commits of the group \"%s\": %s",
                        g->config->kafka_group, rd_kafka_err2str(code));
    for (int i = 0; ok && i < list->cnt; i++)
        ok = take_commit(&t->partitions[list->elems[i].partition], &list->elems[i]) ||
             error_no_memory(err);
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
        return error_no_memory(err);
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

enum { UUID_TEXT = 36, UUID_SHOWN = 8, MEMBER_MAX = 300 };

struct owner {
    group_owned *take;
    void *context;
    char name[MEMBER_MAX];
};

static void take_owned(void *context, struct slice topic, int32_t partition)
{
    const struct owner *owner = context;
    owner->take(owner->context, topic, partition, owner->name);
}

/* A member's id is a name and a UUID, made by the broker or the client. */
static void name_owner(struct owner *owner, const struct rd_kafka_group_member_info *m)
{
    size_t len = strlen(m->member_id);
    bool has_uuid = len > UUID_TEXT && m->member_id[len - UUID_TEXT - 1] == '-';
    len -= has_uuid ? UUID_TEXT - UUID_SHOWN : 0;
    snprintf(owner->name, sizeof owner->name, "%.*s (%s)", (int)len, m->member_id,
             *m->client_host == '/' ? m->client_host + 1 : m->client_host);
}

/* By the older question: DescribeConsumerGroups aborts librdkafka 2.0.2 where a broker does not
 * know it (group_members.h). */
bool group_owners(struct group *g, group_owned *take, void *context)
{
    const struct rd_kafka_group_list *list;
    rd_kafka_resp_err_t code = rd_kafka_list_groups(g->rk, g->config->kafka_group, &list, ASK_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__PARTIAL)
        return false;
    bool ok = code == RD_KAFKA_RESP_ERR_NO_ERROR && list->group_cnt == 1 &&
              list->groups[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; ok && i < list->groups[0].member_cnt; i++) {
        const struct rd_kafka_group_member_info *m = &list->groups[0].members[i];
        struct owner owner = {.take = take, .context = context};
        name_owner(&owner, m);
        ok = group_assignment_read(m->member_assignment, (size_t)m->member_assignment_size,
                                   take_owned, &owner);
    }
    rd_kafka_group_list_destroy(list);
    return ok;
}

static bool refuse(const struct group *g, const struct group_members *m, struct error *err)
{
    return error_set(err, ERROR_FAILED,
                     "the group \"%s\" has %zu active member%s: %s; stop them first (one that was "
                     "killed stays for its session.timeout)",
                     g->config->kafka_group, m->count, m->count == 1 ? "" : "s", m->names);
}

static bool pause_for(int stop_fd, int ms)
{
    struct pollfd fd = {.fd = stop_fd, .events = POLLIN};
    return poll(&fd, 1, ms) == 0; /* a negative descriptor is passed by */
}

/* A static member that stops does not leave the group, which keeps its place for its session. */
bool group_is_idle(struct group *g, int stop_fd, struct error *err)
{
    struct group_members m = {.count = 0};
    int64_t deadline_ms = clock_mono_ms() + config_session_ms(g->config) + GRACE_MS;
    for (bool said = false;; said = true) {
        if (!group_members_describe(g->rk, g->config->kafka_group, NULL, ASK_MS, &m, err))
            return false;
        if (m.count == 0)
            return true;
        if (m.static_count < m.count || clock_mono_ms() >= deadline_ms)
            return refuse(g, &m, err);
        if (!said)
            log_warn("waiting for static members", LOG_S("group", g->config->kafka_group),
                     LOG_S("for", m.names),
                     LOG_I("at_most_s", (deadline_ms - clock_mono_ms()) / 1000),
                     LOG_S("reason", "a member with kafka.instance stays in the group until its "
                                     "session ends; stop it if it still runs"));
        if (!pause_for(stop_fd, LOOK_EVERY_MS))
            return error_set(err, ERROR_FAILED,
                             "nothing was done: told to stop while the group "
                             "still had members");
    }
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
    ok = ok ? judge_commit(list, code, err) : error_no_memory(err);
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}
