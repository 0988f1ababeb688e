/* bare_whole: what the libraries alone need for elementor-sync's job on this machine: records are
 * read, one in EVERY is posted, an outcome record is written and awaited for each, offsets are
 * committed. Nothing is decoded, decided, kept in order or tried again; the bytes are always the
 * same. No program of one loop with these libraries is faster, so what it needs more than
 * bench_bare_post is not ours to save.
 *
 *   bench_bare_whole BROKERS TOPIC IDLE_TOPIC GROUP OUTCOME_TOPIC URL CONCURRENCY COUNT EVERY
 *                    BODY_FILE          prints count, milliseconds, CPU milliseconds */
#include "bench/bare_reader.h"
#include "bench/bare_sender.h"
#include "bench/clock.h"
#include "bench/order_id.h"
#include "tools/tool_producer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { COMMIT_EVERY_MS = 20, OUTCOME_BYTES = 500 };

struct whole {
    struct bare_reader reader;
    rd_kafka_message_t *batch[BARE_BATCH];
    size_t batch_at, batch_len;
    rd_kafka_t *producer;
    rd_kafka_topic_t *outcomes;
    rd_kafka_queue_t *answers; /* of commits */
    rd_kafka_topic_partition_list_t *offsets;
    CURLM *multi;
    CURL *idle[BARE_CONCURRENCY_MAX];
    long idle_count, wanted, every, read, started, done;
    double committed_ms;
};

static long acknowledged;

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk, (void)opaque;
    need(m->err == RD_KAFKA_RESP_ERR_NO_ERROR, "outcome", rd_kafka_err2str(m->err));
    acknowledged++;
}

static void set_up_producer(struct whole *w, const char *brokers, const char *topic)
{
    const char *const settings[][2] = {{"bootstrap.servers", brokers},
                                       {"enable.idempotence", "true"},
                                       {"acks", "all"},
                                       {"linger.ms", "1"},
                                       {NULL, NULL}};
    const struct rd_kafka_metadata *metadata;
    w->producer = tool_producer(settings, on_report);
    w->outcomes = rd_kafka_topic_new(w->producer, topic, NULL);
    need(rd_kafka_metadata(w->producer, 0, w->outcomes, &metadata, 5000) ==
             RD_KAFKA_RESP_ERR_NO_ERROR,
         topic, "unknown");
    rd_kafka_metadata_destroy(metadata);
    bare_wake_by(&w->reader, rd_kafka_queue_get_main(w->producer));
}

static void set_up_sender(struct whole *w, const char *url, long concurrency, const char *body)
{
    need(concurrency > 0 && concurrency <= BARE_CONCURRENCY_MAX, "CONCURRENCY", "out of range");
    w->multi = curl_multi_init();
    curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS, concurrency);
    struct curl_slist *headers = bare_headers();
    while (w->idle_count < concurrency)
        w->idle[w->idle_count++] = bare_easy(url, headers, body);
}

/* The next record to post; NULL when nothing more has come. */
static rd_kafka_message_t *next_record(struct whole *w)
{
    for (;;) {
        while (w->batch_at < w->batch_len) {
            rd_kafka_message_t *m = w->batch[w->batch_at++];
            if (w->read++ % w->every == 0)
                return m;
            rd_kafka_message_destroy(m);
        }
        w->batch_at = 0;
        w->batch_len = bare_read(&w->reader, w->batch);
        if (w->batch_len == 0)
            return NULL;
    }
}

/* True when there was something for every handle. */
static bool post(struct whole *w)
{
    while (w->idle_count > 0 && w->started < w->wanted) {
        rd_kafka_message_t *m = next_record(w);
        if (m == NULL)
            return false;
        CURL *easy = w->idle[--w->idle_count];
        curl_easy_setopt(easy, CURLOPT_PRIVATE, m);
        bare_begin(w->multi, easy);
        w->started++;
    }
    return true;
}

static void note_offset(struct whole *w, const rd_kafka_message_t *m)
{
    const char *topic = rd_kafka_topic_name(m->rkt);
    rd_kafka_topic_partition_t *at =
        rd_kafka_topic_partition_list_find(w->offsets, topic, m->partition);
    if (at == NULL)
        at = rd_kafka_topic_partition_list_add(w->offsets, topic, m->partition);
    if (m->offset >= at->offset)
        at->offset = m->offset + 1;
}

static void conclude(struct whole *w, CURL *easy)
{
    static char value[OUTCOME_BYTES];
    char id[37], *private;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    rd_kafka_message_t *m = (rd_kafka_message_t *)(void *)private;
    order_id((uint64_t)w->done, id);
    need(rd_kafka_produce(w->outcomes, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value,
                          sizeof value, id, strlen(id), NULL) == 0,
         "outcome", "not taken");
    note_offset(w, m);
    rd_kafka_message_destroy(m);
    w->idle[w->idle_count++] = easy;
    w->done++;
}

static void commit(struct whole *w)
{
    for (rd_kafka_event_t *e; (e = rd_kafka_queue_poll(w->answers, 0)) != NULL;)
        rd_kafka_event_destroy(e);
    if (w->offsets->cnt == 0 || now_ms() - w->committed_ms < COMMIT_EVERY_MS)
        return;
    w->committed_ms = now_ms();
    rd_kafka_commit_queue(w->reader.rk, w->offsets, w->answers, NULL, NULL);
}

static void wait_for_more(struct whole *w)
{
    struct curl_waitfd wake = {w->reader.wake, CURL_WAIT_POLLIN, 0};
    uint64_t count;
    curl_multi_poll(w->multi, &wake, 1, COMMIT_EVERY_MS, NULL);
    if (wake.revents != 0)
        need(read(w->reader.wake, &count, sizeof count) > 0, "eventfd", "none");
}

static void turn(struct whole *w)
{
    int running;
    bare_serve(&w->reader);
    bool all_busy = post(w);
    need(curl_multi_perform(w->multi, &running) == CURLM_OK, "curl", "perform");
    long before = w->done;
    for (CURL *easy; (easy = bare_ended(w->multi)) != NULL;)
        conclude(w, easy);
    rd_kafka_poll(w->producer, 0);
    commit(w);
    if (!all_busy || w->done == before)
        wait_for_more(w);
}

int main(int argc, char **argv)
{
    static struct whole w;
    need(argc == 11, "usage",
         "bench_bare_whole BROKERS TOPIC IDLE_TOPIC GROUP OUTCOME_TOPIC URL CONCURRENCY COUNT "
         "EVERY BODY_FILE");
    w.wanted = atol(argv[8]);
    w.every = atol(argv[9]);
    curl_global_init(CURL_GLOBAL_ALL);
    bare_subscribe(&w.reader, argv[1], argv[4], argv[2], argv[3]);
    set_up_producer(&w, argv[1], argv[5]);
    set_up_sender(&w, argv[6], atol(argv[7]), bare_body(argv[10]));
    w.answers = rd_kafka_queue_new(w.reader.rk);
    w.offsets = rd_kafka_topic_partition_list_new(1);
    while (acknowledged < w.wanted)
        turn(&w);
    rd_kafka_commit(w.reader.rk, w.offsets, 0);
    printf("%ld %.3f %.3f\n", w.done, now_ms() - w.reader.began_ms, cpu_ms());
    fflush(stdout);
    _exit(0); /* what leaving the group costs is not measured */
}
