#include "dashboard/feed/feed.h"

#include "dashboard/feed/partition_lookup.h"
#include "kafka/kafka_client.h"
#include "kafka/message.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/wakeup.h"
#include "topics/control_record.h"
#include "topics/parked_record.h"
#include "topics/retry_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bounds of a batch: the API waits for a turn's end. */
enum { BATCH = 2000, BATCH_MS = 50, LOOK_EVERY_MS = 5000 };

struct feed_partition {
    int64_t next;      /* the next offset to read */
    bool ended, moved; /* was read to its end once; has records that the view does not count yet */
};

struct feed {
    const struct config *config;
    struct view *view;
    struct loop *loop;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    int wake_fd;
    feed_changed *changed;
    void *context;
    const char *topics[VIEW_TOPIC_COUNT];
    int32_t partitions[VIEW_TOPIC_COUNT]; /* 0: not found yet */
    size_t unfinished;                    /* partitions that were not yet read to their end */
    bool assigned, down;
    int64_t look_ms;
    struct feed_partition *at[VIEW_TOPIC_COUNT];
    struct lookup *lookup;
    struct log_limited trouble, foreign;
};

const char *feed_identity(const struct config *config, char text[FEED_IDENTITY_MAX])
{
    snprintf(text, FEED_IDENTITY_MAX, "%s %s %s %s %s %s %s", config->kafka_topic,
             config->deliveries_topic, config->parked_topic, config->retry_topic,
             config->members_topic, config->control_topic, config->kafka_group);
    return text;
}

static bool start(struct feed *f, struct error *err)
{
    static const struct kafka_property properties[] = {
        {"fetch.wait.max.ms", "250"},
        {"fetch.message.max.bytes", "1100000"}, /* whole batches: see kafka/consumer/consumer.c */
        {"queued.max.messages.kbytes",
         "24576"}, /* of all partitions; fetching pauses for a second when it is full */
        {"isolation.level", "read_committed"},
        {NULL, NULL}};
    f->rk = kafka_observer_new(f->config, "elementor-sync-dashboard", properties, err);
    if (f->rk == NULL)
        return false;
    f->queue = kafka_observer_queue(f->rk, f->wake_fd);
    f->lookup = lookup_new(f->rk, f->topics, VIEW_TOPIC_COUNT, f->wake_fd, err);
    if (f->lookup == NULL)
        return false;
    return wakeup_watch(f->wake_fd, f->loop) || error_no_memory(err);
}

struct feed *feed_new(const struct config *config, struct view *view, struct loop *loop,
                      feed_changed *changed, void *context, struct error *err)
{
    struct feed *f = calloc(1, sizeof *f);
    if (f == NULL) {
        error_no_memory(err);
        return NULL;
    }
    *f = (struct feed){.config = config,
                       .view = view,
                       .loop = loop,
                       .changed = changed,
                       .context = context,
                       .down = true,
                       .topics = {config->deliveries_topic, config->parked_topic,
                                  config->retry_topic, config->members_topic,
                                  config->control_topic}};
    f->wake_fd = wakeup_new();
    if (start(f, err))
        return f;
    feed_free(f);
    return NULL;
}

void feed_free(struct feed *f)
{
    if (f == NULL)
        return;
    lookup_free(f->lookup); /* uses the client */
    if (f->rk != NULL) {
        rd_kafka_queue_destroy(f->queue);
        rd_kafka_consumer_close(f->rk);
        rd_kafka_destroy(f->rk);
    }
    loop_forget(f->loop, f->wake_fd);
    wakeup_free(f->wake_fd);
    for (int i = 0; i < VIEW_TOPIC_COUNT; i++)
        free(f->at[i]);
    free(f);
}

/* ---- partitions ---- */

static bool note_partitions(struct feed *f, const struct lookup_found *found)
{
    bool more = false;
    for (int i = 0; i < VIEW_TOPIC_COUNT; i++) {
        int32_t count = found->partitions[i];
        struct feed_partition *at =
            count > f->partitions[i] ? realloc(f->at[i], (size_t)count * sizeof *at) : NULL;
        if (at == NULL)
            continue;
        f->at[i] = at;
        for (int32_t n = f->partitions[i]; n < count; n++)
            at[n] = (struct feed_partition){.next = view_offset(f->view, (enum view_topic)i, n)};
        f->unfinished += (size_t)(count - f->partitions[i]);
        f->partitions[i] = count;
        more = true;
    }
    return more;
}

static void assign(struct feed *f)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(32);
    for (int i = 0; i < VIEW_TOPIC_COUNT; i++)
        for (int32_t n = 0; n < f->partitions[i]; n++)
            rd_kafka_topic_partition_list_add(list, f->topics[i], n)->offset = f->at[i][n].next;
    rd_kafka_assign(f->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    f->assigned = true;
}

/* True: a topic ends before the offset that the view has read: it was created again. */
static bool is_shorter(struct feed *f, const struct lookup_found *found)
{
    for (int i = 0; i < VIEW_TOPIC_COUNT; i++)
        for (int32_t n = 0; found->ends[i] != NULL && n < f->partitions[i]; n++)
            if (found->ends[i][n] >= 0 && found->ends[i][n] < f->at[i][n].next)
                return true;
    return false;
}

static bool read_again(struct feed *f, struct error *err)
{
    log_warn("view rebuilt", LOG_S("of", f->config->kafka_topic),
             LOG_S("reason", "a topic is shorter than what was read of it: it was created again"));
    for (int i = 0; i < VIEW_TOPIC_COUNT; i++)
        for (int32_t n = 0; n < f->partitions[i]; n++)
            f->at[i][n].next = 0;
    return view_reset(f->view, err);
}

static bool found(struct feed *f, const struct lookup_found *found, int64_t now_ms,
                  struct error *err)
{
    f->down = found->code != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (f->down) {
        log_limited(&f->trouble, now_ms, LOOK_EVERY_MS * 12, "dashboard brokers unreachable",
                    (const struct log_field[]){LOG_S("error", rd_kafka_err2str(found->code)), {0}});
        return true;
    }
    log_recovered(&f->trouble, "dashboard brokers reachable", (const struct log_field[]){{0}});
    bool first = !f->assigned;
    if (!note_partitions(f, found))
        return true;
    if (first && is_shorter(f, found) && !read_again(f, err))
        return false;
    assign(f);
    return true;
}

/* Looks often until the topics are found, then rarely. */
static bool look(struct feed *f, int64_t now_ms, struct error *err)
{
    const struct lookup_found *result = lookup_take(f->lookup);
    if (result != NULL) {
        f->look_ms = now_ms + (f->assigned ? LOOK_EVERY_MS * 12 : LOOK_EVERY_MS);
        return found(f, result, now_ms, err);
    }
    if (now_ms >= f->look_ms) {
        f->look_ms = now_ms + LOOK_EVERY_MS;
        lookup_start(f->lookup, !f->assigned);
    }
    return true;
}

/* ---- records ---- */

static int topic_of(const struct feed *f, const rd_kafka_message_t *m)
{
    const char *name = m->rkt != NULL ? rd_kafka_topic_name(m->rkt) : "";
    for (int i = 0; i < VIEW_TOPIC_COUNT; i++)
        if (strcmp(f->topics[i], name) == 0)
            return i;
    return -1;
}

static bool put_parked(struct feed *f, const rd_kafka_message_t *m, struct error *err)
{
    struct parked_record record;
    const char *why;
    if (!parked_record_read(m, &record, &why))
        return false;
    const struct parked_note note = {.partition = m->partition,
                                     .offset = m->offset,
                                     .at_ms = rd_kafka_message_timestamp(m, NULL),
                                     .topic = slice_of(record.topic),
                                     .source_partition = record.partition,
                                     .source_offset = record.offset,
                                     .class = record.class,
                                     .detail = record.detail,
                                     .response = record.response};
    return view_put_parked(f->view, &note, err);
}

/* The API cannot have such a key in a path: its record is passed over, and logged. */
static void note_foreign(struct feed *f, const rd_kafka_message_t *m, struct slice key)
{
    enum { LOG_EVERY_MS = 60000 };
    if (view_key_is_valid(key) || key.len == 0)
        return;
    log_limited(&f->foreign, clock_mono_ms(), LOG_EVERY_MS, "order key not shown",
                (const struct log_field[]){
                    LOG_S("reason", "longer than 1024 bytes, not UTF-8, or with a NUL in it"),
                    LOG_S("topic", rd_kafka_topic_name(m->rkt)),
                    LOG_I("partition", m->partition),
                    LOG_I("offset", m->offset),
                    LOG_I("bytes", (int64_t)key.len),
                    LOG_S("hint", "the commands redrive and retry can send it all the same"),
                    {0}});
}

/* A record that cannot be read is never sent: nothing is pending then. */
static bool put_retry(struct feed *f, const rd_kafka_message_t *m, struct error *err)
{
    struct retry_record record;
    const char *why;
    if (!retry_record_read(m, &record, &why))
        return false;
    note_foreign(f, m, record.order);
    const struct retry_note note = {.order = record.order,
                                    .request = slice_of(record.request),
                                    .source = slice_of(record.source),
                                    .by = slice_of(record.by),
                                    .asked_ms = rd_kafka_message_timestamp(m, NULL)};
    if (!view_put_retry(f->view, &note, err))
        return false;
    f->changed(f->context, record.order.data, record.order.len);
    return true;
}

static void put_word(struct feed *f, const rd_kafka_message_t *m, struct error *err)
{
    struct control_word word;
    if (control_record_read(f->config, m, &word))
        (void)view_put_word(f->view, &word, err);
}

static void put(struct feed *f, int topic, const rd_kafka_message_t *m, struct error *err)
{
    struct slice key = {m->key, m->key_len}, value = {m->payload, m->len};
    int64_t at_ms = rd_kafka_message_timestamp(m, NULL);
    switch (topic) {
    case VIEW_DELIVERIES:
        note_foreign(f, m, key);
        if (view_put_delivery(f->view, key, value, at_ms, err))
            f->changed(f->context, key.data, key.len);
        break;
    case VIEW_PARKED: (void)put_parked(f, m, err); break;
    case VIEW_RETRY: (void)put_retry(f, m, err); break;
    case VIEW_CONTROL: put_word(f, m, err); break;
    default:
        if (view_put_member(f->view, key, value, err))
            f->changed(f->context, NULL, 0);
    }
}

static void reached_end(struct feed *f, int topic, int32_t partition)
{
    if (f->at[topic][partition].ended)
        return;
    f->at[topic][partition].ended = true;
    f->unfinished--;
    if (f->unfinished == 0)
        log_info("view caught up", LOG_I("orders", view_count(f->view, ORDER_DELIVERED) +
                                                       view_count(f->view, ORDER_RETRYING) +
                                                       view_count(f->view, ORDER_PARKED)));
}

static void take(struct feed *f, rd_kafka_message_t *m, struct error *err)
{
    int topic = topic_of(f, m);
    if (topic < 0 || m->partition < 0 || m->partition >= f->partitions[topic])
        return;
    struct feed_partition *at = &f->at[topic][m->partition];
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        reached_end(f, topic, m->partition);
    } else if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_debug("dashboard read failed", LOG_S("error", rd_kafka_message_errstr(m)));
    } else {
        put(f, topic, m, err);
        at->next = m->offset + 1;
        at->moved = true;
    }
}

/* Stores the offsets that the batch reaches. */
static bool put_offsets(struct feed *f, struct error *err)
{
    for (int i = 0; i < VIEW_TOPIC_COUNT; i++)
        for (int32_t n = 0; n < f->partitions[i]; n++) {
            struct feed_partition *at = &f->at[i][n];
            if (at->moved && !view_set_offset(f->view, (enum view_topic)i, n, at->next, err))
                return false;
            at->moved = false;
        }
    return true;
}

/* One transaction; takes the records that librdkafka has fetched, without waiting. */
static size_t read_batch(struct feed *f, rd_kafka_message_t **batch, struct error *err)
{
    size_t count = kafka_batch(f->queue, batch, BATCH);
    bool ok = count > 0 && view_begin(f->view, err);
    for (size_t i = 0; i < count; i++) {
        if (ok)
            take(f, batch[i], err);
        ok = ok && err->code == ERROR_NONE;
        rd_kafka_message_destroy(batch[i]);
    }
    if (ok && put_offsets(f, err))
        (void)!view_commit(f->view, err);
    return count;
}

static bool at_ends(const struct feed *f)
{
    return f->assigned && f->partitions[VIEW_DELIVERIES] > 0 && f->unfinished == 0;
}

bool feed_turn(struct feed *f, int64_t now_ms, int64_t *ret_wait_ms, struct error *err)
{
    rd_kafka_message_t *batch[BATCH];
    size_t count = 1;
    if (!look(f, now_ms, err))
        return false;
    int64_t deadline = now_ms + BATCH_MS;
    while (count > 0 && err->code == ERROR_NONE && clock_mono_ms() < deadline)
        count = read_batch(f, batch, err);
    if (err->code == ERROR_NONE && at_ends(f) && !view_index(f->view, err))
        return false;
    bool more = count > 0 || (at_ends(f) && !view_is_indexed(f->view));
    *ret_wait_ms = more ? 0 : f->look_ms - now_ms;
    if (*ret_wait_ms < 0)
        *ret_wait_ms = 0;
    return err->code == ERROR_NONE;
}

bool feed_caught_up(const struct feed *f)
{
    return at_ends(f) && view_is_indexed(f->view);
}

int64_t feed_behind(const struct feed *f)
{
    int64_t behind = 0;
    for (int i = 0; i < VIEW_TOPIC_COUNT; i++)
        for (int32_t n = 0; n < f->partitions[i]; n++) {
            int64_t low, high, next = f->at[i][n].next;
            if (rd_kafka_get_watermark_offsets(f->rk, f->topics[i], n, &low, &high) ==
                    RD_KAFKA_RESP_ERR_NO_ERROR &&
                high > next)
                behind += high - next;
        }
    return behind;
}

bool feed_kafka_answers(const struct feed *f)
{
    return !f->down;
}
