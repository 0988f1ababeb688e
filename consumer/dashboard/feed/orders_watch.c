#include "dashboard/feed/orders_watch.h"

#include "kafka/kafka_client.h"
#include "kafka/offsets.h"
#include "sys/background.h"
#include "sys/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVERY_MS = 2000,
    ASK_MS = 2000,
    POLL_MS = 100,
    TAIL = 8, /* the last of them may be a transaction's end, which is no record */
    BEATS = 5,
    BEAT_GUESS_MS = 60000, /* while a single one is known */
    NAME_MAX_LEN = 300
};

enum watched { ORDERS, HEARTBEATS, WATCHED_COUNT };

struct watched_partition {
    int64_t low, end, committed;   /* committed -1: nothing */
    int64_t unread_at, unread_ms;  /* the record at a commit, once read; -1: none was there */
    int64_t newest_end, newest_ms; /* the newest below an end, once read */
};

struct orders_watch {
    rd_kafka_t *rk;
    const struct config *config;
    const char *topics[WATCHED_COUNT];
    char heartbeats[NAME_MAX_LEN];
    int wake_fd;
    int64_t due_ms;
    struct background background;
    atomic_bool unwanted;
    struct orders_seen seen;

    /* The thread's, until it has ended. */
    struct watched_partition *partitions[WATCHED_COUNT];
    int32_t counts[WATCHED_COUNT];
    int64_t beats[BEATS]; /* the last ones, ascending */
    size_t beat_count;
    struct orders_seen found;
};

const char *orders_watch_heartbeats(const struct config *config, char *text, size_t size)
{
    const char *dot = strchr(config->kafka_topic, '.');
    text[0] = '\0';
    if (config->kafka_heartbeat_topic != NULL)
        snprintf(text, size, "%s", config->kafka_heartbeat_topic);
    else if (dot != NULL && strchr(dot + 1, '.') != NULL)
        snprintf(text, size, "__debezium-heartbeat.%.*s", (int)(dot - config->kafka_topic),
                 config->kafka_topic);
    return text;
}

struct orders_watch *orders_watch_new(const struct config *config, int wake_fd, struct error *err)
{
    static const struct kafka_property properties[] = {
        {"fetch.wait.max.ms", "100"},
        {"queued.min.messages", "64"}, /* more than TAIL: fetching would pause for a second */
        {"queued.max.messages.kbytes", "2048"},
        {"fetch.message.max.bytes", "65536"},
        {"isolation.level", "read_committed"},
        {NULL, NULL}};
    struct orders_watch *w = calloc(1, sizeof *w);
    if (w == NULL) {
        error_no_memory(err);
        return NULL;
    }
    w->config = config;
    w->wake_fd = wake_fd;
    w->topics[ORDERS] = config->kafka_topic;
    w->topics[HEARTBEATS] = orders_watch_heartbeats(config, w->heartbeats, sizeof w->heartbeats);
    w->seen = (struct orders_seen){.unread = WATCH_UNKNOWN,
                                   .oldest_unread_ms = WATCH_UNKNOWN,
                                   .newest_change_ms = WATCH_UNKNOWN,
                                   .heartbeat_ms = WATCH_UNKNOWN};
    /* The group's commits are asked for. */
    w->rk = kafka_observer_new(config, config->kafka_group, properties, err);
    if (w->rk != NULL)
        return w;
    free(w);
    return NULL;
}

void orders_watch_free(struct orders_watch *w)
{
    if (w == NULL)
        return;
    atomic_store(&w->unwanted, true);
    background_join(&w->background);
    rd_kafka_consumer_close(w->rk);
    rd_kafka_destroy(w->rk);
    for (int i = 0; i < WATCHED_COUNT; i++)
        free(w->partitions[i]);
    free(w);
}

/* ---- in the thread: ends and commits ---- */

/* False: Kafka did not answer. A topic that is not there has no partitions. */
static bool count_partitions(struct orders_watch *w, enum watched topic)
{
    rd_kafka_resp_err_t code;
    bool answered = true;
    size_t count = w->topics[topic][0] != '\0' && !atomic_load(&w->unwanted)
                       ? kafka_partition_count(w->rk, w->topics[topic], ASK_MS, &code, &answered)
                       : 0;
    if (count == 0 || (int32_t)count <= w->counts[topic])
        return answered;
    struct watched_partition *more =
        realloc(w->partitions[topic], count * sizeof *w->partitions[topic]);
    if (more == NULL)
        return answered;
    for (int32_t i = w->counts[topic]; i < (int32_t)count; i++)
        more[i] = (struct watched_partition){
            .unread_at = -1, .unread_ms = WATCH_NONE, .newest_end = -1, .newest_ms = WATCH_NONE};
    w->partitions[topic] = more;
    w->counts[topic] = (int32_t)count;
    return answered;
}

static rd_kafka_topic_partition_list_t *list_of(const struct orders_watch *w, enum watched topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(w->counts[topic] + 1);
    for (int32_t i = 0; i < w->counts[topic]; i++)
        rd_kafka_topic_partition_list_add(list, w->topics[topic], i);
    return list;
}

static bool find_ends(struct orders_watch *w, enum watched topic)
{
    struct error err = {0};
    size_t count = (size_t)w->counts[topic];
    int64_t *low = calloc(2 * count + 1, sizeof *low);
    if (low == NULL)
        return false;
    int64_t *high = low + count;
    bool ok = !atomic_load(&w->unwanted) &&
              (count == 0 ||
               kafka_watermarks(w->rk, w->topics[topic], 0, count, low, high, ASK_MS, &err));
    for (size_t i = 0; ok && i < count; i++) {
        w->partitions[topic][i].low = low[i];
        w->partitions[topic][i].end = high[i];
    }
    free(low);
    return ok;
}

/* A dashboard may have no right to see the group: nothing is known of it then. */
static bool is_refused(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
}

static bool find_commits(struct orders_watch *w)
{
    rd_kafka_topic_partition_list_t *list = list_of(w, ORDERS);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (list->cnt > 0)
        code = atomic_load(&w->unwanted) ? RD_KAFKA_RESP_ERR__DESTROY
                                         : kafka_committed(w->rk, list, ASK_MS);
    for (int i = 0; i < list->cnt; i++)
        w->partitions[ORDERS][i].committed =
            code == RD_KAFKA_RESP_ERR_NO_ERROR && list->elems[i].offset >= 0 ? list->elems[i].offset
                                                                             : -1;
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || is_refused(code);
}

/* ---- in the thread: the times of single records ---- */

static void note_beat(struct orders_watch *w, int64_t at_ms)
{
    if (w->beat_count > 0 && at_ms <= w->beats[w->beat_count - 1])
        return; /* known already */
    if (w->beat_count == BEATS)
        memmove(w->beats, w->beats + 1, (BEATS - 1) * sizeof *w->beats);
    else
        w->beat_count++;
    w->beats[w->beat_count - 1] = at_ms;
}

/* A partition of which something is to be read, from where. */
struct peek {
    enum watched topic;
    int32_t number;
    int64_t from;
    bool first_only; /* its first record; else all to the end */
    int64_t at_ms;   /* of the last record that was read; NONE */
    bool ended;
};

static void take(struct orders_watch *w, struct peek *peek, const rd_kafka_message_t *m)
{
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        peek->ended = true;
        return;
    }
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR || m->offset < peek->from || peek->ended)
        return;
    peek->at_ms = rd_kafka_message_timestamp(m, NULL);
    peek->ended = peek->first_only;
    if (peek->topic == HEARTBEATS)
        note_beat(w, peek->at_ms);
}

static struct peek *peek_of(const struct orders_watch *w, struct peek *peeks, size_t count,
                            const rd_kafka_message_t *m)
{
    for (size_t i = 0; m->rkt != NULL && i < count; i++)
        if (peeks[i].number == m->partition &&
            strcmp(w->topics[peeks[i].topic], rd_kafka_topic_name(m->rkt)) == 0)
            return &peeks[i];
    return NULL;
}

/* Until each has what it wants, or the time is over. */
static void read_peeks(struct orders_watch *w, struct peek *peeks, size_t count)
{
    int64_t deadline_ms = clock_mono_ms() + ASK_MS;
    size_t open = count;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count + 1);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, w->topics[peeks[i].topic], peeks[i].number)
            ->offset = peeks[i].from;
    rd_kafka_assign(w->rk, list);
    while (open > 0 && !atomic_load(&w->unwanted) && clock_mono_ms() < deadline_ms) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(w->rk, POLL_MS);
        if (m == NULL)
            continue;
        struct peek *peek = peek_of(w, peeks, count, m);
        bool was_open = peek != NULL && !peek->ended;
        if (was_open)
            take(w, peek, m);
        open -= was_open && peek->ended;
        rd_kafka_message_destroy(m);
    }
    rd_kafka_assign(w->rk, NULL);
    rd_kafka_topic_partition_list_destroy(list);
}

static int64_t later(int64_t one, int64_t two)
{
    return one > two ? one : two;
}

static bool is_behind(const struct watched_partition *p)
{
    return p->committed >= 0 && p->committed < p->end;
}

/* The record at each commit that has one: the group has not settled it. */
static void find_oldest(struct orders_watch *w, struct peek *peeks)
{
    size_t count = 0;
    for (int32_t i = 0; i < w->counts[ORDERS]; i++) {
        struct watched_partition *p = &w->partitions[ORDERS][i];
        if (is_behind(p) && (p->committed != p->unread_at || p->unread_ms == WATCH_NONE))
            peeks[count++] = (struct peek){.topic = ORDERS,
                                           .number = i,
                                           .from = later(p->committed, p->low),
                                           .first_only = true,
                                           .at_ms = WATCH_NONE};
    }
    read_peeks(w, peeks, count);
    for (size_t i = 0; i < count; i++) {
        struct watched_partition *p = &w->partitions[ORDERS][peeks[i].number];
        p->unread_at = p->committed;
        p->unread_ms = peeks[i].ended ? peeks[i].at_ms : WATCH_UNKNOWN;
    }
}

/* The last record of each partition that has grown. */
static void find_newest(struct orders_watch *w, struct peek *peeks)
{
    size_t count = 0;
    for (int topic = 0; topic < WATCHED_COUNT; topic++)
        for (int32_t i = 0; i < w->counts[topic]; i++) {
            struct watched_partition *p = &w->partitions[topic][i];
            if (p->end > p->low && p->end != p->newest_end)
                peeks[count++] = (struct peek){.topic = (enum watched)topic,
                                               .number = i,
                                               .from = later(p->end - TAIL, p->low),
                                               .at_ms = WATCH_NONE};
        }
    read_peeks(w, peeks, count);
    for (size_t i = 0; i < count; i++) {
        struct watched_partition *p = &w->partitions[peeks[i].topic][peeks[i].number];
        if (peeks[i].ended)
            p->newest_end = p->end;
        p->newest_ms = later(p->newest_ms, peeks[i].at_ms);
    }
}

/* ---- in the thread: the results ---- */

static int compare(const void *one, const void *two)
{
    const int64_t *a = one, *b = two;
    return (*a > *b) - (*a < *b);
}

/* The median of the last gaps: one that is longer or shorter, as a restart makes it, does not
 * count. */
static int64_t beat_every(const struct orders_watch *w)
{
    int64_t gaps[BEATS] = {0};
    if (w->beat_count < 2)
        return BEAT_GUESS_MS;
    size_t count = w->beat_count - 1;
    for (size_t i = 0; i < count; i++)
        gaps[i] = w->beats[i + 1] - w->beats[i];
    qsort(gaps, count, sizeof *gaps, compare);
    return gaps[count / 2];
}

static void sum_up(struct orders_watch *w)
{
    struct orders_seen *s = &w->found;
    bool any_commit = false;
    *s = (struct orders_seen){
        .asked = true,
        .answered = true,
        .oldest_unread_ms = WATCH_NONE,
        .newest_change_ms = w->counts[ORDERS] > 0 ? WATCH_NONE : WATCH_UNKNOWN,
        .heartbeat_ms = w->beat_count > 0 ? w->beats[w->beat_count - 1] : WATCH_UNKNOWN,
        .heartbeat_every_ms = beat_every(w)};
    for (int32_t i = 0; i < w->counts[ORDERS]; i++) {
        const struct watched_partition *p = &w->partitions[ORDERS][i];
        any_commit = any_commit || p->committed >= 0;
        s->newest_change_ms = later(s->newest_change_ms, p->newest_ms);
        if (!is_behind(p) || p->unread_ms == WATCH_NONE)
            continue;
        s->unread += p->end - p->committed;
        if (p->unread_ms >= 0 && (s->oldest_unread_ms < 0 || p->unread_ms < s->oldest_unread_ms))
            s->oldest_unread_ms = p->unread_ms;
        else if (p->unread_ms == WATCH_UNKNOWN && s->oldest_unread_ms == WATCH_NONE)
            s->oldest_unread_ms = WATCH_UNKNOWN;
    }
    if (!any_commit) {
        s->unread = WATCH_UNKNOWN;
        s->oldest_unread_ms = WATCH_UNKNOWN;
    }
}

static void look(void *context)
{
    struct orders_watch *w = context;
    w->found.asked = true;
    w->found.answered = count_partitions(w, ORDERS) && count_partitions(w, HEARTBEATS) &&
                        find_ends(w, ORDERS) && find_ends(w, HEARTBEATS) && find_commits(w);
    size_t most = (size_t)w->counts[ORDERS] + (size_t)w->counts[HEARTBEATS];
    struct peek *peeks = w->found.answered ? calloc(most + 1, sizeof *peeks) : NULL;
    if (peeks == NULL)
        return;
    find_oldest(w, peeks);
    find_newest(w, peeks);
    sum_up(w);
    free(peeks);
}

/* ---- in the caller's ---- */

int64_t orders_watch_turn(struct orders_watch *w, int64_t now_ms)
{
    if (background_take(&w->background)) {
        if (w->found.answered)
            w->seen = w->found;
        w->seen.asked = true;
        w->seen.answered = w->found.answered;
    }
    if (now_ms >= w->due_ms) {
        w->due_ms = now_ms + EVERY_MS;
        (void)background_start(&w->background, look, w, w->wake_fd); /* else it is under way */
    }
    return w->due_ms - now_ms;
}

const struct orders_seen *orders_watch_seen(const struct orders_watch *w)
{
    return &w->seen;
}
