/* kafka_log_test: which of librdkafka's lines reach our log, and how often; which of libcurl's. */
#include "fakes/net.h"
#include "kafka/kafka_client_log.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { OUTPUT_MAX = 64 * 1024 };

/* Standard error goes to a file between these two; what was written is handed out. */
static int real_stderr, output;

static void capture(void)
{
    char path[] = "/tmp/kafka_log_test.XXXXXX";
    output = mkstemp(path);
    assert_true(output >= 0);
    unlink(path);
    real_stderr = dup(STDERR_FILENO);
    dup2(output, STDERR_FILENO);
}

static const char *end_capture(void)
{
    static char text[OUTPUT_MAX];
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    ssize_t len = pread(output, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    close(output);
    return text;
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    while ((text = strstr(text, part)) != NULL) {
        found++;
        text += strlen(part);
    }
    return found;
}

static void lines_by_level(void **state)
{
    (void)state;
    log_setup(LOG_INFO, false);
    capture();
    kafka_log(NULL, 2, "CRIT", "worst");
    kafka_log(NULL, 4, "MAXPOLL", "[thrd:main]: polled too late");
    kafka_log(NULL, 4, "AUTOCREATE", "not supported by broker");
    kafka_log(NULL, 3, "FAIL", "Connection refused");
    kafka_log(NULL, 4, "CONFWARN", "property x will be ignored by this producer instance");
    kafka_log(NULL, 4, "GETPID", "Coordinator load in progress: retrying");
    kafka_log(NULL, 6, "INFO", "chatter");
    const char *text = end_capture();
    assert_non_null(strstr(text, "level=error event=\"librdkafka\" facility=CRIT text=worst\n"));
    assert_non_null(strstr(
        text, "level=warn event=\"librdkafka\" facility=MAXPOLL text=\"polled too late\"\n"));
    assert_int_equal(count(text, "\n"), 2);
}

static void repeats_are_folded(void **state)
{
    (void)state;
    log_setup(LOG_INFO, false);
    capture();
    for (int i = 0; i < 100; i++)
        kafka_log(NULL, 4, "SESSTMOUT", "timed out");
    kafka_log(NULL, 4, "OTHER", "timed out");
    const char *text = end_capture();
    assert_int_equal(count(text, "facility=SESSTMOUT"), 1);
    assert_int_equal(count(text, "facility=OTHER"), 1);
}

static void set_done(void *context, const struct http_result *result)
{
    (void)result;
    ++*(int *)context;
}

/* libcurl's account is there at debug, without URL, headers and bodies. */
static const char *trace_of_a_request(enum log_level level)
{
    static const struct server_rule rules[] = {
        {NULL, SERVER_ANSWER_CLOSE, "HTTP/1.1 200 OK\r\nX: canary-header\r\n\r\ncanary-answer", 0},
        {0}};
    const struct http_endpoint endpoint = {.timeout_ms = 5000,
                                           .response_max = 1000,
                                           .http_allowed = true,
                                           .connections_max = 1,
                                           .user = "canary-user",
                                           .password = "canary-password"};
    struct server *server = server_new(rules);
    struct net net;
    char url[128];
    int done = 0;
    server_listen(server);
    log_setup(level, false);
    net_open(&net);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/canary-path", server_port(server));
    capture();
    assert_non_null(http_start(net.http, &endpoint, "POST", url, NULL, "canary-body", 11, set_done,
                               &done, NULL));
    assert_true(net_run(&net, &done, 1));
    const char *text = end_capture();
    net_close(&net);
    server_free(server);
    return text;
}

static void libcurl_at_debug_only(void **state)
{
    (void)state;
    const char *text = trace_of_a_request(LOG_DEBUG);
    assert_non_null(strstr(text, "level=debug event=\"libcurl\" text="));
    assert_null(strstr(text, "canary"));
    assert_string_equal(trace_of_a_request(LOG_INFO), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_by_level),
                                       cmocka_unit_test(repeats_are_folded),
                                       cmocka_unit_test(libcurl_at_debug_only)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
