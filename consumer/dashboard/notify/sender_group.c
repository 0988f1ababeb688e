#include "dashboard/notify/sender_group.h"

#include "kafka/kafka_client.h"
#include "kafka/offsets.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 5000, LOG_EVERY_MS = 600000, NAME_MAX_BYTES = 300 };

struct sender_group {
    const struct config *config;
    char name[NAME_MAX_BYTES];
    rd_kafka_t *rk;
    enum sender_role role;
    uint64_t rounds;
    struct log_limited trouble;
};

static rd_kafka_topic_partition_list_t *own_partition(const struct sender_group *g)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, g->config->members_topic, 0)->offset = 0;
    return list;
}

static void log_trouble(struct sender_group *g, const char *reason)
{
    log_limited(&g->trouble, clock_mono_ms(), LOG_EVERY_MS, "notify group failed",
                (struct log_field[]){LOG_S("group", g->name),
                                     LOG_S("error", reason),
                                     LOG_S("hint", "the dashboard needs Read on this group, by "
                                                   "which one of several dashboards tells"),
                                     {0}});
}

/* ---- the role ---- */

/* A share without the partition is the group's word that another one has it. */
static void note_role(struct sender_group *g, bool gained,
                      const rd_kafka_topic_partition_list_t *list)
{
    bool named = rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)list,
                                                    g->config->members_topic, 0) != NULL;
    if (gained) {
        g->rounds++;
        if (named || g->role != SENDER_MINE)
            g->role = named ? SENDER_MINE : SENDER_ANOTHER;
    } else if (named && g->role == SENDER_MINE) {
        g->role = SENDER_LEFT;
    }
}

static void rebalanced(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                       rd_kafka_topic_partition_list_t *list, void *context)
{
    bool gained = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (strcmp(rd_kafka_rebalance_protocol(rk), "COOPERATIVE") == 0)
        rd_kafka_error_destroy(gained ? rd_kafka_incremental_assign(rk, list)
                                      : rd_kafka_incremental_unassign(rk, list));
    else
        rd_kafka_assign(rk, gained ? list : NULL);
    if (gained)
        rd_kafka_pause_partitions(rk, list); /* nothing is read */
    note_role(context, gained, list);
}

void sender_group_poll(struct sender_group *g, int wait_ms)
{
    rd_kafka_message_t *m = rd_kafka_consumer_poll(g->rk, wait_ms);
    if (m == NULL)
        return;
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_trouble(g, rd_kafka_message_errstr(m));
    rd_kafka_message_destroy(m);
}

enum sender_role sender_group_role(const struct sender_group *g)
{
    return g->role;
}

uint64_t sender_group_rounds(const struct sender_group *g)
{
    return g->rounds;
}

/* ---- the kept state ---- */

char *sender_group_kept(struct sender_group *g)
{
    rd_kafka_topic_partition_list_t *list = own_partition(g);
    rd_kafka_resp_err_t code = kafka_committed(g->rk, list, ASK_MS);
    const rd_kafka_topic_partition_t *p = &list->elems[0];
    bool any = p->offset >= 0 && p->metadata != NULL;
    char *text = NULL;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        text = strndup(any ? p->metadata : "", any ? p->metadata_size : 0);
    else
        log_trouble(g, rd_kafka_err2str(code));
    rd_kafka_topic_partition_list_destroy(list);
    return text;
}

bool sender_group_keep(struct sender_group *g, const char *text)
{
    rd_kafka_topic_partition_list_t *list = own_partition(g);
    list->elems[0].metadata = strdup(text);
    list->elems[0].metadata_size = list->elems[0].metadata != NULL ? strlen(text) : 0;
    rd_kafka_resp_err_t code = kafka_commit(g->rk, list, ASK_MS);
    rd_kafka_topic_partition_list_destroy(list);
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        log_recovered(&g->trouble, "notify group answers", (struct log_field[]){{0}});
        return true;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION: /* the group is sharing out anew */
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST: return false;
    default: log_trouble(g, rd_kafka_err2str(code)); return false;
    }
}

/* ---- life ---- */

static bool subscribe(struct sender_group *g, struct error *err)
{
    rd_kafka_topic_partition_list_t *topics = own_partition(g);
    topics->elems[0].partition = RD_KAFKA_PARTITION_UA;
    rd_kafka_resp_err_t code = rd_kafka_subscribe(g->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_FAILED, "group %s: %s", g->name, rd_kafka_err2str(code));
}

/* The user's properties of a group are for the one that delivers. group.protocol is not known to
 * every librdkafka. */
static void make_own(rd_kafka_conf_t *conf, const struct kafka_property *properties)
{
    for (; properties->name != NULL; properties++)
        rd_kafka_conf_set(conf, properties->name, properties->value, NULL, 0);
    rd_kafka_conf_set(conf, "group.protocol", "classic", NULL, 0);
    rd_kafka_conf_set(conf, "group.instance.id", NULL, NULL, 0);
}

static bool join(struct sender_group *g, struct error *err)
{
    static const struct kafka_property properties[] = {{"partition.assignment.strategy", "range"},
                                                       {"session.timeout.ms", "10000"},
                                                       {"auto.offset.reset", "latest"},
                                                       {NULL, NULL}};
    snprintf(g->name, sizeof g->name, "%s.notify", g->config->kafka_group);
    rd_kafka_conf_t *conf = kafka_observer_conf(g->config, g->name, properties, err);
    if (conf == NULL)
        return false;
    make_own(conf, properties);
    rd_kafka_conf_set_opaque(conf, g);
    rd_kafka_conf_set_rebalance_cb(conf, rebalanced);
    g->rk = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (g->rk == NULL)
        return false;
    rd_kafka_poll_set_consumer(g->rk);
    return subscribe(g, err);
}

struct sender_group *sender_group_new(const struct config *config, struct error *err)
{
    struct sender_group *g = calloc(1, sizeof *g);
    if (g == NULL) {
        error_no_memory(err);
        return NULL;
    }
    g->config = config;
    if (join(g, err))
        return g;
    sender_group_free(g);
    return NULL;
}

void sender_group_free(struct sender_group *g)
{
    if (g == NULL)
        return;
    if (g->rk != NULL) {
        rd_kafka_consumer_close(g->rk);
        rd_kafka_destroy(g->rk);
    }
    free(g);
}
