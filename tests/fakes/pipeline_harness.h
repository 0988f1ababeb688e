/* pipeline_harness: the real pipeline on librdkafka's mock cluster, with a scripted registry and
 * webhook.
 *
 *   struct world w;
 *   world_open(&w, (const struct server_rule[]){{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}});
 *   world_confirm(&w, 0, "o1");
 *   world_run_to_end(&w);              or world_start … world_await_requests … world_stop
 *   world_close(&w);
 *
 * The mock makes every group wait three seconds for its first members, so world_main runs each test
 * in a process of its own, all at the same time. */
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

/* A registry's answer: a row of nine texts, as world_produce writes them. */
#define WORLD_FIELD(name) "{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":\\\"string\\\"}"
#define WORLD_ANSWER(name, fields)                                             \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"schema\":\"{\\\"type\\\":" \
    "\\\"record\\\",\\\"name\\\":\\\"" name "\\\",\\\"fields\\\":[" fields "]}\"}"
#define WORLD_SCHEMA                                                                                                                      \
    WORLD_ANSWER(                                                                                                                         \
        "Row",                                                                                                                            \
        WORLD_FIELD("id") "," WORLD_FIELD("order_number") "," WORLD_FIELD("client_name") "," WORLD_FIELD("client_phone") "," WORLD_FIELD( \
            "product_name") "," WORLD_FIELD("quantity") "," WORLD_FIELD("unit_price") "," WORLD_FIELD("total_amount") "," WORLD_FIELD("status"))

enum { WORLD_PARTITIONS = 3, WORLD_PATIENCE_MS = 60000 };

struct world {
    struct cluster cluster;
    struct server *registry, *webhook;
    struct config *config;
    int stop_fd, stop_end; /* what the pipeline reads, and what is written to */
    _Atomic int ops_port;  /* 0: not known yet */
    struct pipeline_options options;
    pthread_t thread; /* while the pipeline runs in one */
    bool ok;
    struct error err;
    int log_fd, stderr_fd; /* between world_log_open and world_await_log */
};

/* The registry listens too, unless told otherwise. */
void world_open(struct world *w, const struct server_rule *webhook);
void world_open_without_registry(struct world *w, const struct server_rule *webhook);
/* A registry with answers of its own. */
void world_open_with_registry(struct world *w, const struct server_rule *webhook,
                              const struct server_rule *registry);
void world_close(struct world *w);

void world_set(struct world *w, const char *option, const char *value);

/* One row in the Confluent wire format: id, "CMD-1", "Amina", phone, …, status; and an order's
 * life: pending, confirmed, edited. */
void world_produce(struct world *w, int32_t partition, const char *id, const char *phone,
                   const char *status);
void world_confirm(struct world *w, int32_t partition, const char *id);

/* Runs up to the topic's end, or fails. */
void world_run_to_end(struct world *w);

/* The same; false, with w->err, when it does not come to its end. */
bool world_try_to_end(struct world *w);

/* In a thread; `ok` and `err` hold the result after world_stop. */
void world_start(struct world *w);
void world_stop(struct world *w);
void world_signal(struct world *w, uint32_t number);

/* Bounded: what is awaited happens in other threads. */
void world_await_requests(struct world *w, size_t count);

/* GET from the ops port (world_open sets one); the answer's body, or "" when it is no 200. Waits
 * for the port to answer. */
void world_scrape(struct world *w, const char *path, char *ret_text, size_t size);

/* Scrapes until the text holds `wanted`, or fails. */
void world_await_scrape(struct world *w, const char *path, const char *wanted, char *ret_text,
                        size_t size);

/* From here on the log's warnings go to a file, which world_await_log reads until it holds
 * `wanted`; then, or when that fails, standard error is itself again. */
void world_log_open(struct world *w);
void world_await_log(struct world *w, const char *wanted);

/* The value of a metric in a scrape: "name" or "name{labels}"; fails when it is missing. */
double world_metric(const char *text, const char *name);

void world_header(struct world *w, size_t request, const char *name, char *ret_value, size_t size);

/* Runs every test in a process of its own; returns how many failed. */
int world_main(const char *name, const struct CMUnitTest *tests, size_t count);

#endif
