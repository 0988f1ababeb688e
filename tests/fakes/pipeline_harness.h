/* pipeline_harness: the real pipeline on librdkafka's mock cluster, with a scripted registry and
 * webhook.
 *
 *   struct world w;
 *   pipeline_harness_open(&w, (const struct server_rule[]){{NULL, SERVER_ANSWER, NO_CONTENT, 0},
 * {0}}); pipeline_harness_confirm(&w, 0, "o1"); pipeline_harness_run_to_end(&w);              or
 * pipeline_harness_start … pipeline_harness_await_requests … pipeline_harness_stop
 *   pipeline_harness_close(&w);
 *
 * The mock makes every group wait three seconds for its first members, so pipeline_harness_main
 * runs each test in a process of its own, all at the same time. */
#ifndef FAKES_PIPELINE_HARNESS_H
#define FAKES_PIPELINE_HARNESS_H

#include "config/config.h"
#include "fakes/cluster.h"
#include "fakes/server.h"
#include "pipeline/pipeline.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>

#define NO_CONTENT "HTTP/1.1 204 No Content\r\n\r\n"
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"

/* A registry's answer: a row of nine texts, as pipeline_harness_produce writes them. */
#define HARNESS_FIELD(name) "{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":\\\"string\\\"}"
#define HARNESS_ANSWER(name, fields)                                           \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"schema\":\"{\\\"type\\\":" \
    "\\\"record\\\",\\\"name\\\":\\\"" name "\\\",\\\"fields\\\":[" fields "]}\"}"
#define HARNESS_SCHEMA                                                                                                                              \
    HARNESS_ANSWER(                                                                                                                                 \
        "Row",                                                                                                                                      \
        HARNESS_FIELD("id") "," HARNESS_FIELD("order_number") "," HARNESS_FIELD("client_name") "," HARNESS_FIELD("client_phone") "," HARNESS_FIELD( \
            "product_name") "," HARNESS_FIELD("quantity") "," HARNESS_FIELD("unit_price") "," HARNESS_FIELD("total_amount") "," HARNESS_FIELD("status"))

enum { HARNESS_PARTITIONS = 3, HARNESS_PATIENCE_MS = 60000 };

struct pipeline_harness {
    struct cluster cluster;
    struct server *registry, *webhook;
    struct config *config;
    int stop_fd, stop_end; /* what the pipeline reads, and what is written to */
    _Atomic int ops_port;  /* 0: not known yet */
    struct pipeline_options options;
    pthread_t thread; /* while the pipeline runs in one */
    bool ok;
    struct error err;
    int log_fd, stderr_fd; /* between pipeline_harness_log_open and pipeline_harness_await_log */
};

/* The registry listens too, unless told otherwise. */
void pipeline_harness_open(struct pipeline_harness *w, const struct server_rule *webhook);
void pipeline_harness_open_without_registry(struct pipeline_harness *w,
                                            const struct server_rule *webhook);
/* A registry with answers of its own. */
void pipeline_harness_open_with_registry(struct pipeline_harness *w,
                                         const struct server_rule *webhook,
                                         const struct server_rule *registry);
void pipeline_harness_close(struct pipeline_harness *w);

void pipeline_harness_set(struct pipeline_harness *w, const char *option, const char *value);

/* One row in the Confluent wire format: id, "CMD-1", "Amina", phone, …, status; and an order's
 * life: pending, confirmed, edited. */
void pipeline_harness_produce(struct pipeline_harness *w, int32_t partition, const char *id,
                              const char *phone, const char *status);
void pipeline_harness_confirm(struct pipeline_harness *w, int32_t partition, const char *id);

/* Runs up to the topic's end, or fails. */
void pipeline_harness_run_to_end(struct pipeline_harness *w);

/* The same; false, with w->err, when it does not come to its end. */
bool pipeline_harness_try_to_end(struct pipeline_harness *w);

/* In a thread; `ok` and `err` hold the result after pipeline_harness_stop. */
void pipeline_harness_start(struct pipeline_harness *w);
void pipeline_harness_stop(struct pipeline_harness *w);
void pipeline_harness_signal(struct pipeline_harness *w, uint32_t number);

/* Bounded: what is awaited happens in other threads. */
void pipeline_harness_await_requests(struct pipeline_harness *w, size_t count);

/* GET from the ops port (pipeline_harness_open sets one); the answer's body, or "" when it is no
 * 200. Waits for the port to answer. */
void pipeline_harness_scrape(struct pipeline_harness *w, const char *path, char *ret_text,
                             size_t size);

/* Scrapes until the text holds `wanted`, or fails. */
void pipeline_harness_await_scrape(struct pipeline_harness *w, const char *path, const char *wanted,
                                   char *ret_text, size_t size);

/* A fetch of the orders' partitions is refused: the next offset is not there. Partition 2 must hold
 * `records` that are no orders, and nothing else; some more are written to it, and it is read from
 * its beginning again (kafka.lost_offsets=earliest). The other partitions have the same error then,
 * behind what was fetched of them. */
void pipeline_harness_refuse_fetch(struct pipeline_harness *w, int records);

/* From here on the log's warnings go to a file, which pipeline_harness_await_log reads until it
 * holds `wanted`; then, or when that fails, standard error is itself again. */
void pipeline_harness_log_open(struct pipeline_harness *w);
void pipeline_harness_await_log(struct pipeline_harness *w, const char *wanted);

/* The value of a metric in a scrape: "name" or "name{labels}"; fails when it is missing. */
double pipeline_harness_metric(const char *text, const char *name);

void pipeline_harness_header(struct pipeline_harness *w, size_t request, const char *name,
                             char *ret_value, size_t size);

/* Runs every test in a process of its own; returns how many failed. */
int pipeline_harness_main(const char *name, const struct CMUnitTest *tests, size_t count);

#endif
