/* command_retry: what the commands ask for again, and what they leave alone. */
#include "cli/arguments.h"
#include "cli/command.h"
#include "fakes/pipeline_harness.h"

#include "operator/resender.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DELIVERIES "elementor-sync.deliveries"
#define RETRIES "elementor-sync.retry"

enum { OUTCOME_MAX = 1024 };

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

/* An outcome as another run wrote it; id and number as JSON. */
static void write_outcome(struct pipeline_harness *w, const char *key, const char *id,
                          const char *number, const char *topic)
{
    char text[OUTCOME_MAX];
    int len = snprintf(text, sizeof text,
                       "{\"version\":1,\"state\":\"delivered\",\"reason\":\"\",\"order_id\":%s,"
                       "\"order_number\":%s,\"topic\":\"%s\",\"partition\":0,\"offset\":0,"
                       "\"attempts\":1,\"settled_ms\":1}",
                       id, number, topic);
    assert_int_equal(rd_kafka_producev(w->cluster.rk, RD_KAFKA_V_TOPIC(DELIVERIES),
                                       RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(key, strlen(key)),
                                       RD_KAFKA_V_VALUE(text, (size_t)len),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_flush(w->cluster.rk, HARNESS_PATIENCE_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void count(void *context, const rd_kafka_message_t *m)
{
    (void)m;
    ++*(size_t *)context;
}

static size_t retries_of(struct pipeline_harness *w)
{
    size_t records = 0;
    cluster_read(&w->cluster, RETRIES, count, &records);
    return records;
}

static bool call_retry(struct pipeline_harness *w, const char *order)
{
    static const struct command *const commands[] = {&command_retry, NULL};
    char *argv[] = {"elementor-sync", "retry", "--order", (char *)(uintptr_t)order,
                    "--timeout",      "1ms",   "--force", NULL};
    struct invocation call;
    w->err = (struct error){0};
    assert_true(arguments_parse(7, argv, commands, &call, &w->err));
    bool ok = call.command->run(w->config, call.options, &w->err);
    printf("%s\n", w->err.text);
    return ok;
}

/* A record at the same place of another topic is another order, whatever its status. */
static void a_record_of_another_topic_is_not_sent(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_produce(&w, 0, "stranger", "06", "pending");
    write_outcome(&w, "o1", "\"o1\"", "\"CMD-1\"", "orders-of-old");
    assert_false(call_retry(&w, "o1"));
    assert_int_equal(w.err.code, ERROR_FAILED);
    assert_non_null(strstr(w.err.text, "orders-of-old"));
    assert_int_equal(retries_of(&w), 0);
    pipeline_harness_close(&w);
}

/* As a script says it whose variable is empty. */
static void no_order_is_none_of_them(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_produce(&w, 0, "o1", "06", "pending");
    write_outcome(&w, CLUSTER_TOPIC "-0-0", "null", "null", CLUSTER_TOPIC);
    assert_false(call_retry(&w, ""));
    assert_int_equal(w.err.code, ERROR_CONFIG);
    assert_int_equal(retries_of(&w), 0);
    pipeline_harness_close(&w);
}

/* Ids and numbers may be of one kind: who says an id means it. */
static void an_id_goes_before_a_number(void **state)
{
    struct pipeline_harness w;
    (void)state;
    for (int other_first = 0; other_first < 2; other_first++) {
        pipeline_harness_open(&w, accepting);
        pipeline_harness_produce(&w, 0, "7", "06", "confirmed");
        if (other_first)
            write_outcome(&w, "3", "\"3\"", "\"7\"", CLUSTER_TOPIC);
        write_outcome(&w, "7", "\"7\"", "\"11\"", CLUSTER_TOPIC);
        if (!other_first)
            write_outcome(&w, "3", "\"3\"", "\"7\"", CLUSTER_TOPIC);
        assert_false(call_retry(&w, "7")); /* nobody serves it */
        assert_non_null(strstr(w.err.text, "no outcome within"));
        assert_int_equal(retries_of(&w), 1);
        pipeline_harness_close(&w);
    }
}

/* An order's id and number are a stranger's words. */
static void what_it_prints_steers_no_terminal(void **state)
{
    char text[1024];
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_produce(&w, 0, "o1", "06", "confirmed");
    write_outcome(&w, "o1", "\"o\\u001b[2J\"", "\"\\u009b31m\\u202ex\"", CLUSTER_TOPIC);
    int fd = memfd_create("stdout", MFD_CLOEXEC), out = dup(STDOUT_FILENO);
    assert_true(fd >= 0 && out >= 0);
    fflush(stdout);
    dup2(fd, STDOUT_FILENO);
    assert_false(call_retry(&w, "o\x1b[2J"));
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    assert_true(len > 0);
    text[len] = '\0';
    assert_non_null(strstr(text, "o?[2J (?31m?x): "));
    assert_null(strpbrk(text, "\x1b\xc2"));
    close(fd);
    close(out);
    pipeline_harness_close(&w);
}

/* The line names the user, the host, the order and the request. */
static void a_retry_leaves_an_audit_line(void **state)
{
    struct pipeline_harness w;
    char host[128] = "", wanted[300];
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_produce(&w, 0, "o1", "06", "confirmed");
    write_outcome(&w, "o1", "\"o1\"", "\"CMD-1\"", CLUSTER_TOPIC);
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    snprintf(wanted, sizeof wanted, "@%s what=retry order=o1 request=", host);
    pipeline_harness_log_open(&w);
    assert_false(call_retry(&w, "CMD-1")); /* nobody serves it */
    pipeline_harness_await_log(&w, wanted);
    assert_int_equal(retries_of(&w), 1);
    pipeline_harness_close(&w);
}

static void coordinates_that_are_none_are_refused(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    const struct resend_ask ask = {.source = "retry", .request = "r1"};
    struct resender *r = resender_new(w.config, &w.err);
    assert_non_null(r);
    assert_false(resender_source(r, -1, 0, -1, slice_of("o1"), &ask, &w.err));
    assert_int_equal(w.err.code, ERROR_FAILED);
    resender_free(r);
    pipeline_harness_close(&w);
}

/* The topic was created again: another record has the original's offset. */
static void a_record_of_another_time_is_not_sent(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_produce(&w, 0, "o1", "06", "confirmed");
    const struct resend_ask ask = {.source = "retry", .request = "r1"};
    struct resender *r = resender_new(w.config, &w.err);
    assert_non_null(r);
    assert_false(resender_source(r, 0, 0, 1, slice_of("o1"), &ask, &w.err));
    assert_int_equal(w.err.code, ERROR_FAILED);
    assert_int_equal(retries_of(&w), 0);
    resender_free(r);
    pipeline_harness_close(&w);
}

/* Ctrl-C is obeyed while it reads, too: with a broker that is gone that may take for ever. */
static void redrive_stops_while_it_reads(void **state)
{
    static const struct command *const commands[] = {&command_redrive, NULL};
    char *argv[] = {"elementor-sync", "redrive", "--yes", NULL};
    struct invocation call;
    struct pipeline_harness w;
    sigset_t set;
    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL); /* before there are threads */
    pipeline_harness_open(&w, accepting);
    write_outcome(&w, "o1", "\"o1\"", "\"CMD-1\"", CLUSTER_TOPIC);
    assert_int_equal(raise(SIGTERM), 0);
    assert_true(arguments_parse(3, argv, commands, &call, &w.err));
    assert_false(call.command->run(w.config, call.options, &w.err));
    assert_non_null(strstr(w.err.text, "stopped"));
    pipeline_harness_close(&w);
}

/* ---- run twice ---- */

#define REFUSED "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n"

enum { ORDERS = 3, TEXT_MAX = 65536 };

static const struct server_rule refusing_first[] = {
    {NULL, SERVER_ANSWER, REFUSED, ORDERS}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

static void open_with_parked(struct pipeline_harness *w)
{
    static char text[TEXT_MAX];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL); /* before there are threads */
    pipeline_harness_open(w, refusing_first);
    for (int i = 0; i < ORDERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_produce(w, 0, id, "06", "confirmed");
    }
    pipeline_harness_start(w);
    pipeline_harness_await_scrape(w, "/metrics", "elementor_sync_records_parked_total 3\n", text,
                                  sizeof text);
    pipeline_harness_await_scrape(w, "/metrics", "elementor_sync_records_in_flight 0\n", text,
                                  sizeof text);
}

static bool call_redrive(struct pipeline_harness *w, const char *rate)
{
    static const struct command *const commands[] = {&command_redrive, NULL};
    char *argv[] = {"elementor-sync", "redrive", "--yes", "--rate", (char *)(uintptr_t)rate, NULL};
    struct invocation call;
    struct error err = {0};
    assert_true(arguments_parse(5, argv, commands, &call, &err));
    bool ok = call.command->run(w->config, call.options, &err);
    printf("%s\n", err.text);
    return ok;
}

/* No member serves the first one's requests yet. */
static void a_second_redrive_asks_for_nothing(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    pipeline_harness_stop(&w);
    assert_true(call_redrive(&w, "1000"));
    assert_int_equal(retries_of(&w), ORDERS);
    assert_true(call_redrive(&w, "1000"));
    assert_int_equal(retries_of(&w), ORDERS);
    assert_false(call_retry(&w, "o1")); /* it waits for what was asked for already */
    assert_int_equal(retries_of(&w), ORDERS);
    pipeline_harness_close(&w);
}

/* Once all are delivered, too. */
static void redrive_and_retry_deliver_once(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    assert_true(call_redrive(&w, "1000"));
    pipeline_harness_await_requests(&w, 2 * ORDERS);
    assert_true(call_redrive(&w, "1000"));
    pipeline_harness_stop(&w);
    assert_int_equal(server_request_count(w.webhook), 2 * ORDERS);
    pipeline_harness_close(&w);
}

/* While redrive works off its list the shop confirms the others anew: theirs are delivered, and the
 * older ones are left alone. */
static void *confirm_anew(void *context)
{
    struct pipeline_harness *w = context;
    pipeline_harness_await_requests(w, ORDERS + 1); /* the first was sent again */
    for (int i = 0; i < ORDERS; i++) {
        char id[16], quoted[20];
        snprintf(id, sizeof id, "o%d", i);
        snprintf(quoted, sizeof quoted, "\"%s\"", id);
        if (strstr(server_request(w->webhook, ORDERS)->body, quoted) != NULL)
            continue;
        pipeline_harness_produce(w, 0, id, "06", "pending");
        pipeline_harness_produce(w, 0, id, "0777", "confirmed");
    }
    return NULL;
}

/* The last word on an order that was confirmed anew is the newer confirmation, whichever was
 * faster.
 */
static void what_was_confirmed_anew_is_left_alone(void **state)
{
    struct pipeline_harness w;
    pthread_t thread;
    size_t newer = 0;
    (void)state;
    open_with_parked(&w);
    assert_int_equal(pthread_create(&thread, NULL, confirm_anew, &w), 0);
    assert_true(call_redrive(&w, "1"));
    pthread_join(thread, NULL);
    pipeline_harness_await_requests(&w, 2 * ORDERS);
    pipeline_harness_stop(&w);
    for (int o = 0; o < ORDERS; o++) {
        char quoted[16];
        const char *last = "";
        snprintf(quoted, sizeof quoted, "\"o%d\"", o);
        for (size_t i = ORDERS; i < server_request_count(w.webhook); i++)
            if (strstr(server_request(w.webhook, i)->body, quoted) != NULL)
                last = server_request(w.webhook, i)->body;
        newer += strstr(last, "0777") != NULL;
    }
    assert_int_equal(newer, ORDERS - 1);
    pipeline_harness_close(&w);
}

static void a_delivered_order_is_sent_again_only_by_force(void **state)
{
    static const struct command *const commands[] = {&command_retry, NULL};
    char *argv[] = {"elementor-sync", "retry", "--order", "o1", "--timeout", "1ms", NULL};
    struct invocation call;
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_produce(&w, 0, "o1", "06", "confirmed");
    write_outcome(&w, "o1", "\"o1\"", "\"CMD-1\"", CLUSTER_TOPIC);
    assert_true(arguments_parse(6, argv, commands, &call, &w.err));
    assert_false(call.command->run(w.config, call.options, &w.err));
    assert_non_null(strstr(w.err.text, "--force"));
    assert_int_equal(retries_of(&w), 0);
    assert_false(call_retry(&w, "o1")); /* forced; nobody serves it */
    assert_int_equal(retries_of(&w), 1);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_of_another_topic_is_not_sent),
        cmocka_unit_test(no_order_is_none_of_them),
        cmocka_unit_test(an_id_goes_before_a_number),
        cmocka_unit_test(what_it_prints_steers_no_terminal),
        cmocka_unit_test(a_retry_leaves_an_audit_line),
        cmocka_unit_test(coordinates_that_are_none_are_refused),
        cmocka_unit_test(a_record_of_another_time_is_not_sent),
        cmocka_unit_test(redrive_stops_while_it_reads),
        cmocka_unit_test(a_second_redrive_asks_for_nothing),
        cmocka_unit_test(redrive_and_retry_deliver_once),
        cmocka_unit_test(what_was_confirmed_anew_is_left_alone),
        cmocka_unit_test(a_delivered_order_is_sent_again_only_by_force),
    };
    return pipeline_harness_main("verb_retry", tests, sizeof tests / sizeof *tests);
}
