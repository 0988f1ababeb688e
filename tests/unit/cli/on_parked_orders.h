/* on_parked_orders: what tests of a command on two parked orders, o1 and o2, share. Both have the
 * number CMD-1. For pipeline_harness_main. */
#ifndef UNIT_CLI_ON_PARKED_ORDERS_H
#define UNIT_CLI_ON_PARKED_ORDERS_H

#include "cli/arguments.h"
#include "cli/command.h"
#include "fakes/pipeline_harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define DELIVERIES "elementor-sync.deliveries"
#define RETRIES "elementor-sync.retry"
#define TOMBSTONE "(tombstone)"
#define REFUSED "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n"

enum { TEXT_MAX = 65536 };

static const struct server_rule refusing[] = {{NULL, SERVER_ANSWER, REFUSED, 0}, {0}};

static inline bool call(struct pipeline_harness *w, const struct command *command,
                        char *const *words)
{
    const struct command *const commands[] = {command, NULL};
    char *argv[16] = {"elementor-sync", (char *)(uintptr_t)command->name};
    struct invocation invocation;
    int argc = 2;
    for (; words[argc - 2] != NULL; argc++)
        argv[argc] = words[argc - 2];
    w->err = (struct error){0};
    assert_true(arguments_parse(argc, argv, commands, &invocation, &w->err));
    bool ok = command->run(w->config, invocation.options, &w->err);
    printf("%s\n", w->err.text);
    return ok;
}

struct found {
    const char *key;
    char text[TEXT_MAX];
    size_t count;
};

static inline void find(void *context, const rd_kafka_message_t *m)
{
    struct found *f = context;
    f->count++;
    if (m->key_len == strlen(f->key) && memcmp(m->key, f->key, m->key_len) == 0)
        snprintf(f->text, sizeof f->text, "%.*s",
                 m->payload != NULL ? (int)m->len : (int)strlen(TOMBSTONE),
                 m->payload != NULL ? (const char *)m->payload : TOMBSTONE);
}

static inline struct found *last_of(struct pipeline_harness *w, const char *topic, const char *key)
{
    static struct found f;
    f = (struct found){.key = key};
    cluster_read(&w->cluster, topic, find, &f);
    return &f;
}

/* No member runs any more. */
static inline void open_with_parked(struct pipeline_harness *w)
{
    static char text[TEXT_MAX];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL); /* before there are threads */
    pipeline_harness_open(w, refusing);
    pipeline_harness_produce(w, 0, "o1", "0612345678", "confirmed");
    pipeline_harness_produce(w, 0, "o2", "0698765432", "confirmed");
    pipeline_harness_start(w);
    pipeline_harness_await_scrape(w, "/metrics", "elementor_sync_records_parked_total 2\n", text,
                                  sizeof text);
    pipeline_harness_await_scrape(w, "/metrics", "elementor_sync_records_in_flight 0\n", text,
                                  sizeof text);
    pipeline_harness_stop(w);
}

#endif
