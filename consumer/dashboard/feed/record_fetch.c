#include "dashboard/feed/record_fetch.h"

#include "dashboard/feed/keep_connected.h"
#include "kafka/kafka_client.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/wakeup.h"

#include <stdlib.h>
#include <string.h>

enum { JOB_MS = 5000 };

struct job {
    struct job *next;
    int32_t partition;
    int64_t offset, deadline_ms; /* the deadline of the job at work only */
    fetch_done *done;
    void *context;
    char topic[];
};

struct fetch {
    struct loop *loop;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    int wake_fd;
    struct keep_connected *keep_connected;
    struct job *first, **last;
    bool at_work; /* the first job's partition is assigned */
};

static bool start(struct fetch *f, const struct config *config, struct error *err)
{
    static const struct kafka_property properties[] = {
        {"auto.offset.reset", "error"}, /* an offset that is gone is reported as an error */
        {"fetch.wait.max.ms", "20"},
        {"queued.max.messages.kbytes", "256"},
        {"topic.metadata.refresh.fast.interval.ms", "20"},
        {NULL, NULL}};
    f->rk = kafka_observer_new(config, "elementor-sync-dashboard", properties, err);
    if (f->rk == NULL)
        return false;
    f->queue = kafka_observer_queue(f->rk, f->wake_fd);
    const char *topics[] = {config->parked_topic, config->kafka_topic};
    f->keep_connected = keep_connected_new(f->rk, topics, 2, f->wake_fd, err);
    if (f->keep_connected == NULL)
        return false;
    return wakeup_watch(f->wake_fd, f->loop) || error_no_memory(err);
}

struct fetch *fetch_new(const struct config *config, struct loop *loop, struct error *err)
{
    struct fetch *f = calloc(1, sizeof *f);
    if (f == NULL) {
        error_no_memory(err);
        return NULL;
    }
    f->loop = loop;
    f->last = &f->first;
    f->wake_fd = wakeup_new();
    if (start(f, config, err))
        return f;
    fetch_free(f);
    return NULL;
}

static void end_job(struct fetch *f, enum fetch_result result, const rd_kafka_message_t *m)
{
    struct job *job = f->first;
    f->first = job->next;
    if (f->first == NULL)
        f->last = &f->first;
    f->at_work = false;
    job->done(job->context, result, m);
    free(job);
}

void fetch_free(struct fetch *f)
{
    if (f == NULL)
        return;
    while (f->first != NULL)
        end_job(f, FETCH_UNAVAILABLE, NULL);
    keep_connected_free(f->keep_connected);
    if (f->rk != NULL) {
        rd_kafka_queue_destroy(f->queue);
        rd_kafka_consumer_close(f->rk);
        rd_kafka_destroy(f->rk);
    }
    loop_forget(f->loop, f->wake_fd);
    wakeup_free(f->wake_fd);
    free(f);
}

bool fetch_start(struct fetch *f, const char *topic, int32_t partition, int64_t offset,
                 fetch_done *done, void *context)
{
    size_t size = strlen(topic) + 1;
    struct job *job = calloc(1, sizeof *job + size);
    if (job == NULL)
        return false;
    job->partition = partition;
    job->offset = offset;
    job->done = done;
    job->context = context;
    memcpy(job->topic, topic, size);
    *f->last = job;
    f->last = &job->next;
    return true;
}

/* Coordinates come from records and may be invalid. */
static bool is_somewhere(const struct job *job)
{
    return job->topic[0] != '\0' && job->partition >= 0 && job->offset >= 0;
}

static void assign(struct fetch *f, int64_t now_ms)
{
    struct job *job = f->first;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, job->topic, job->partition)->offset = job->offset;
    rd_kafka_assign(f->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    job->deadline_ms = now_ms + JOB_MS;
    f->at_work = true;
}

/* True: the message ends the job, with *ret. */
static bool answers(const struct job *job, const rd_kafka_message_t *m, enum fetch_result *ret)
{
    bool of_job = m->rkt != NULL && m->partition == job->partition &&
                  strcmp(rd_kafka_topic_name(m->rkt), job->topic) == 0;
    if (!of_job)
        return false;
    switch (m->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        *ret = m->offset == job->offset ? FETCH_FOUND : FETCH_GONE;
        return m->offset >= job->offset; /* an earlier job's records may still come */
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: *ret = FETCH_GONE; return m->offset >= job->offset;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: *ret = FETCH_GONE; return true;
    default: return false;
    }
}

static bool serve(struct fetch *f)
{
    rd_kafka_message_t *m = rd_kafka_consume_queue(f->queue, 0);
    if (m == NULL)
        return false;
    enum fetch_result result;
    if (f->at_work && answers(f->first, m, &result))
        end_job(f, result, result == FETCH_FOUND ? m : NULL);
    rd_kafka_message_destroy(m);
    return true;
}

int64_t fetch_turn(struct fetch *f, int64_t now_ms)
{
    bool was_at_work = f->at_work;
    while (serve(f))
        ;
    if (f->at_work && now_ms >= f->first->deadline_ms)
        end_job(f, FETCH_UNAVAILABLE, NULL);
    while (!f->at_work && f->first != NULL && !is_somewhere(f->first))
        end_job(f, FETCH_GONE, NULL);
    if (!f->at_work && f->first != NULL)
        assign(f, now_ms);
    else if (was_at_work && !f->at_work)
        rd_kafka_assign(f->rk, NULL); /* read no further */
    int64_t wait_ms = keep_connected_turn(f->keep_connected, now_ms);
    return f->at_work && f->first->deadline_ms - now_ms < wait_ms ? f->first->deadline_ms - now_ms
                                                                  : wait_ms;
}
