/* command_forget: what is left of an order that was forgotten, and what leaves it alone. */
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

static bool call(struct pipeline_harness *w, const struct command *command, char *const *words)
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

static void find(void *context, const rd_kafka_message_t *m)
{
    struct found *f = context;
    f->count++;
    if (m->key_len == strlen(f->key) && memcmp(m->key, f->key, m->key_len) == 0)
        snprintf(f->text, sizeof f->text, "%.*s",
                 m->payload != NULL ? (int)m->len : (int)strlen(TOMBSTONE),
                 m->payload != NULL ? (const char *)m->payload : TOMBSTONE);
}

static struct found *last_of(struct pipeline_harness *w, const char *topic, const char *key)
{
    static struct found f;
    f = (struct found){.key = key};
    cluster_read(&w->cluster, topic, find, &f);
    return &f;
}

static void open_with_parked(struct pipeline_harness *w)
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

static void nothing_of_the_person_is_left(void **state)
{
    char *forget[] = {"--order", "o1", "--yes", NULL}, *retry[] = {"--order", "o1", NULL},
         *redrive[] = {"--yes", "--rate", "1000", NULL};
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    assert_non_null(strstr(last_of(&w, DELIVERIES, "o1")->text, "CMD-1"));
    assert_true(call(&w, &command_forget, forget));
    const char *marker = last_of(&w, DELIVERIES, "o1")->text;
    assert_non_null(strstr(marker, "\"state\":\"forgotten\""));
    assert_non_null(strstr(marker, "\"order_id\":\"o1\",\"order_number\":null,"
                                   "\"confirmed_at\":null,\"webhook_id\":null"));
    assert_non_null(strstr(marker, "\"previous\":[]"));
    assert_string_equal(last_of(&w, DELIVERIES, CLUSTER_TOPIC "-0-0")->text, TOMBSTONE);
    assert_false(call(&w, &command_retry, retry));
    assert_non_null(strstr(w.err.text, "forgotten"));
    assert_true(call(&w, &command_redrive, redrive));
    assert_int_equal(last_of(&w, RETRIES, "")->count, 1); /* the other order's */
    pipeline_harness_close(&w);
}

static void it_asks_and_needs_an_order(void **state)
{
    char *nothing[] = {NULL}, *unknown[] = {"--order", "o9", "--yes", NULL},
         *several[] = {"--order", "CMD-1", "--yes", NULL}, *unsure[] = {"--order", "o1", NULL};
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    size_t before = last_of(&w, DELIVERIES, "o1")->count;
    assert_false(call(&w, &command_forget, nothing));
    assert_int_equal(w.err.code, ERROR_CONFIG);
    assert_false(call(&w, &command_forget, unknown));
    assert_false(call(&w, &command_forget, several)); /* both have this number */
    assert_non_null(strstr(w.err.text, "give the id"));
    assert_false(call(&w, &command_forget, unsure)); /* no terminal, no --yes */
    assert_int_equal(last_of(&w, DELIVERIES, "o1")->count, before);
    pipeline_harness_close(&w);
}

/* It would be sent after it was forgotten. */
static void an_order_that_waits_to_be_sent_is_kept(void **state)
{
    char *forget[] = {"--order", "o1", "--yes", NULL},
         *redrive[] = {"--yes", "--rate", "1000", NULL};
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    assert_true(call(&w, &command_redrive, redrive));
    assert_false(call(&w, &command_forget, forget));
    assert_non_null(strstr(w.err.text, "waits to be sent"));
    assert_null(strstr(last_of(&w, DELIVERIES, "o1")->text, "forgotten"));
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_the_person_is_left),
        cmocka_unit_test(it_asks_and_needs_an_order),
        cmocka_unit_test(an_order_that_waits_to_be_sent_is_kept),
    };
    return pipeline_harness_main("verb_forget", tests, sizeof tests / sizeof *tests);
}
