/* interop: what the program says to others, written into the folder $INTEROP_DIR for check.py,
 * which reads it with other people's libraries: signed requests, a scrape in the middle of the
 * work, the records of the deliveries and members topics, the spans. */
#include "fakes/pipeline_harness.h"

#include "base/buf.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk="

#define TRACEPARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

enum { ORDERS = 30, AT_ONCE = 12 /* then several go at a time */, HELD = 3, TEXT_MAX = 65536 };

static FILE *create(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", getenv("INTEROP_DIR"), name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

static void write_record(void *context, const rd_kafka_message_t *m)
{
    if (m->payload != NULL)
        fprintf(context, "%.*s\n", (int)m->len, (const char *)m->payload);
}

static void write_topic(struct pipeline_harness *w, const char *topic, const char *name)
{
    FILE *file = create(name);
    cluster_read(&w->cluster, topic, write_record, file);
    fclose(file);
}

static void write_requests(struct server *server, const char *name)
{
    FILE *file = create(name);
    for (size_t i = 0; i < server_request_count(server); i++) {
        const struct server_request *request = server_request(server, i);
        json_t *line = json_pack("{s:s,s:s}", "head", request->head, "body", request->body);
        assert_non_null(line);
        json_dumpf(line, file, JSON_COMPACT);
        fputc('\n', file);
        json_decref(line);
    }
    fclose(file);
}

static void write_scrape(const char *text)
{
    FILE *file = create("metrics.txt");
    fputs(text, file);
    fclose(file);
}

/* Some are delivered at once, some after a failure, some parked, and some are still under way when
 * the numbers are asked for. */
static void everything_is_written(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, NO_CONTENT, AT_ONCE},
        {NULL, SERVER_HOLD, NO_CONTENT, HELD},
        {NULL, SERVER_ANSWER, BUSY, 2},
        {NULL, SERVER_ANSWER, "HTTP/1.1 422 No\r\nContent-Length: 4\r\n\r\nwhat", 2},
        {NULL, SERVER_ANSWER, NO_CONTENT, 0},
        {0}};
    static const struct server_rule taken[] = {
        {NULL, SERVER_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0}, {0}};
    static char text[TEXT_MAX];
    char url[64];
    struct pipeline_harness w;
    struct server *collector = server_new(taken);
    (void)state;
    server_listen(collector);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/traces", server_port(collector));
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.signing_keys", KEYS);
    pipeline_harness_set(&w, "trace.url", url);
    w.cluster.traceparent = TRACEPARENT; /* of the first two orders' records */
    for (int i = 0; i < ORDERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_confirm(&w, i % HARNESS_PARTITIONS, id);
        if (i == 1)
            w.cluster.traceparent = NULL;
    }
    cluster_produce(&w.cluster, 1, "junk", 4);
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_records_delivered_total 25\n",
                                  text, sizeof text);
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_records_parked_total 3\n", text,
                                  sizeof text);
    write_scrape(text);
    server_release(w.webhook);
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_records_in_flight 0\n", text,
                                  sizeof text);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    write_requests(w.webhook, "requests.ndjson");
    write_requests(collector, "traces.ndjson");
    write_topic(&w, "elementor-sync.deliveries", "outcomes.ndjson");
    write_topic(&w, "elementor-sync.members", "members.ndjson");
    pipeline_harness_close(&w);
    server_free(collector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(everything_is_written)};
    return pipeline_harness_main("interop", tests, sizeof tests / sizeof *tests);
}
