#include "topics/control_watch.h"

#include "kafka/client_end.h"
#include "kafka/kafka_client.h"
#include "kafka/message.h"
#include "kafka/offsets.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 100, END_MS = 3000 };

struct control_watch {
    const struct config *config;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    int64_t end; /* of the topic when reading began; -1: not known */
    struct control_view view;
};

struct control_watch *control_watch_new(const struct config *config, int wake_fd, struct error *err)
{
    static const struct kafka_property properties[] = {
        {"queued.max.messages.kbytes", "1024"},
        {"fetch.wait.max.ms", "5000"}, /* a word ends the wait at once */
        {NULL, NULL}};
    struct control_watch *w = calloc(1, sizeof *w);
    if (w == NULL) {
        error_no_memory(err);
        return NULL;
    }
    w->config = config;
    /* The member's own group: a user that may run a member may use it. */
    w->rk = kafka_observer_new(config, config->kafka_group, properties, err);
    if (w->rk == NULL) {
        free(w);
        return NULL;
    }
    w->queue = kafka_observer_queue(w->rk, wake_fd);
    return w;
}

void control_watch_free(struct control_watch *w)
{
    if (w == NULL)
        return;
    rd_kafka_queue_destroy(w->queue);
    (void)kafka_end(w->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, END_MS);
    free(w);
}

/* Without the end, an empty answer to a fetch would be waited for (fetch.wait.max.ms) before
 * anything may be sent. Asked before reading begins: a broker answers in order, behind a fetch that
 * waits. A topic that was made a moment ago is not known everywhere yet. */
_Static_assert(CONTROL_PARTITION == 0, "the first one's end is asked for");
static void ask_end(struct control_watch *w, int timeout_ms)
{
    int64_t low, high, deadline_ms = clock_mono_ms() + timeout_ms;
    const char *topic = w->config->control_topic;
    struct error why = {0};
    w->end = -1;
    while (!kafka_watermarks_awaited(w->rk, topic, 1, &low, &high, timeout_ms, &why)) {
        if (clock_mono_ms() >= deadline_ms)
            return; /* the end of reading says it too, only later */
        kafka_await_leaders(w->rk, topic);
    }
    w->end = high;
    w->view.known = low == high;
}

bool control_watch_begin(struct control_watch *w, int timeout_ms, struct error *err)
{
    ask_end(w, timeout_ms);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, w->config->control_topic, CONTROL_PARTITION)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t code = rd_kafka_assign(w->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_FAILED, "control topic \"%s\": %s", w->config->control_topic,
                         rd_kafka_err2str(code));
    return true;
}

static void take(struct control_watch *w, const rd_kafka_message_t *m)
{
    struct control_word word;
    bool is_end = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR && !is_end) {
        snprintf(w->view.trouble, sizeof w->view.trouble, "%s", rd_kafka_message_errstr(m));
        return;
    }
    w->view.trouble[0] = '\0';
    if (!is_end && control_record_read(w->config, m, &word))
        w->view.word = word;
    w->view.known |= is_end || (w->end >= 0 && m->offset + 1 >= w->end);
}

void control_watch_turn(struct control_watch *w)
{
    rd_kafka_message_t *batch[BATCH];
    for (size_t count; (count = kafka_batch(w->queue, batch, BATCH)) > 0;)
        for (size_t i = 0; i < count; i++) {
            take(w, batch[i]);
            rd_kafka_message_destroy(batch[i]);
        }
}

const struct control_view *control_watch_view(const struct control_watch *w)
{
    return &w->view;
}
