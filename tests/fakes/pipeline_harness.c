#include "fakes/pipeline_harness.h"

#include "sys/clock.h"
#include "sys/log.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_US = 5000, SCRAPE_LEAST_US = 10000, SCRAPE_MOST_US = 160000, LOG_MAX = 65536 };

void pipeline_harness_set(struct pipeline_harness *w, const char *name, const char *value)
{
    struct error err = {0};
    if (!config_set(w->config, name, value, "test", &err))
        fail_msg("%s", err.text);
}

static void set_url(struct pipeline_harness *w, const char *name, const struct server *server,
                    const char *path)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server_port(server), path);
    pipeline_harness_set(w, name, url);
}

static void set_options(struct pipeline_harness *w)
{
    w->config = config_new();
    assert_non_null(w->config);
    pipeline_harness_set(w, "kafka.brokers", w->cluster.brokers);
    pipeline_harness_set(w, "kafka.topic", CLUSTER_TOPIC);
    pipeline_harness_set(w, "kafka.group", "shop");
    pipeline_harness_set(w, "parked.topic", CLUSTER_PARKED);
    pipeline_harness_set(w, "deliveries.topic", "elementor-sync.deliveries");
    pipeline_harness_set(w, "retry.topic", "elementor-sync.retry");
    pipeline_harness_set(w, "members.topic", "elementor-sync.members");
    pipeline_harness_set(w, "control.topic", CLUSTER_CONTROL);
    pipeline_harness_set(w, "kafka.start", "earliest");
    pipeline_harness_set(w, "rule.assume_op", "u");
    pipeline_harness_set(w, "retry.base", "1ms");
    pipeline_harness_set(w, "retry.cap", "50ms");
    set_url(w, "registry.url", w->registry, "");
    set_url(w, "webhook.url", w->webhook, "/hook");
    pipeline_harness_set(w, "ops.listen", "127.0.0.1:0");
}

static void open_harness(struct pipeline_harness *w, const struct server_rule *webhook,
                         const struct server_rule *registry)
{
    int ends[2];
    memset(w, 0, sizeof *w);
    log_setup(getenv("HARNESS_LOG") != NULL ? LOG_DEBUG : LOG_ERROR, false);
    cluster_open(&w->cluster, HARNESS_PARTITIONS);
    w->registry = server_new(registry);
    w->webhook = server_new(webhook);
    server_listen(w->webhook);
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    w->stop_fd = ends[0];
    w->stop_end = ends[1];
    set_options(w);
    pipeline_harness_set(w, "webhook.timeout",
                         "5m"); /* a held request is not a slow one, on a busy machine */
    pipeline_harness_set(w, "drain.timeout", "35s");
}

void pipeline_harness_open_without_registry(struct pipeline_harness *w,
                                            const struct server_rule *webhook)
{
    static const struct server_rule registry[] = {
        {"/schemas/ids/1", SERVER_ANSWER_CLOSE, HARNESS_SCHEMA, 0}, {0}};
    open_harness(w, webhook, registry);
}

void pipeline_harness_open_with_registry(struct pipeline_harness *w,
                                         const struct server_rule *webhook,
                                         const struct server_rule *registry)
{
    open_harness(w, webhook, registry);
    server_listen(w->registry);
}

void pipeline_harness_open(struct pipeline_harness *w, const struct server_rule *webhook)
{
    pipeline_harness_open_without_registry(w, webhook);
    server_listen(w->registry);
}

void pipeline_harness_close(struct pipeline_harness *w)
{
    config_free(w->config);
    server_free(w->webhook);
    server_free(w->registry);
    cluster_close(&w->cluster);
    close(w->stop_fd);
    close(w->stop_end);
}

void pipeline_harness_produce(struct pipeline_harness *w, int32_t partition, const char *id,
                              const char *phone, const char *status)
{
    const char *columns[] = {id, "CMD-1", "Amina", phone, "Watch", "1", "2.50", "2.50", status};
    unsigned char bytes[512] = {0, 0, 0, 0, 1};
    size_t at = 5;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        size_t len = strlen(columns[i]);
        bytes[at++] = (unsigned char)(len * 2);
        memcpy(bytes + at, columns[i], len);
        at += len;
    }
    cluster_produce(&w->cluster, partition, bytes, at);
}

void pipeline_harness_confirm(struct pipeline_harness *w, int32_t partition, const char *id)
{
    pipeline_harness_produce(w, partition, id, "06", "pending");
    pipeline_harness_produce(w, partition, id, "06", "confirmed");
    pipeline_harness_produce(w, partition, id, "07", "confirmed");
}

static bool run(struct pipeline_harness *w, bool until_end)
{
    w->options.until_end = until_end;
    w->options.timeout_ms = until_end ? HARNESS_PATIENCE_MS : -1;
    w->options.stop_fd = w->stop_fd;
    struct pipeline *p = pipeline_new(w->config, &w->err);
    w->ops_port = p != NULL ? pipeline_ops_port(p) : 0;
    bool ok = p != NULL && pipeline_run(p, &w->options, &w->err);
    pipeline_free(p);
    return ok;
}

bool pipeline_harness_try_to_end(struct pipeline_harness *w)
{
    w->err = (struct error){0};
    return run(w, true);
}

void pipeline_harness_run_to_end(struct pipeline_harness *w)
{
    if (!pipeline_harness_try_to_end(w))
        fail_msg("%s", w->err.text);
}

static void *run_thread(void *context)
{
    struct pipeline_harness *w = context;
    w->ok = run(w, false);
    return NULL;
}

void pipeline_harness_start(struct pipeline_harness *w)
{
    assert_int_equal(pthread_create(&w->thread, NULL, run_thread, w), 0);
}

/* In the form of a signalfd. */
void pipeline_harness_signal(struct pipeline_harness *w, uint32_t number)
{
    const struct signalfd_siginfo info = {.ssi_signo = number};
    assert_int_equal(write(w->stop_end, &info, sizeof info), sizeof info);
}

void pipeline_harness_stop(struct pipeline_harness *w)
{
    pipeline_harness_signal(w, SIGTERM);
    pthread_join(w->thread, NULL);
}

void pipeline_harness_await_requests(struct pipeline_harness *w, size_t count)
{
    int64_t deadline = clock_mono_ms() + HARNESS_PATIENCE_MS;
    while (server_request_count(w->webhook) < count) {
        if (clock_mono_ms() > deadline)
            fail_msg("%zu requests instead of %zu", server_request_count(w->webhook), count);
        usleep(LOOK_US);
    }
}

void pipeline_harness_header(struct pipeline_harness *w, size_t request, const char *name,
                             char *ret_value, size_t size)
{
    const char *at = strstr(server_request(w->webhook, request)->head, name);
    assert_non_null(at);
    at += strlen(name) + 2;
    size_t len = strcspn(at, "\r");
    snprintf(ret_value, size, "%.*s", (int)len, at);
}

static bool ask(struct pipeline_harness *w, const char *path, char *text, size_t size)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)w->ops_port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char request[128];
    if (w->ops_port <= 0)
        return false;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t len = 0;
    int asked = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n", path);
    bool ok = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
              send(fd, request, (size_t)asked, MSG_NOSIGNAL) == asked;
    for (ssize_t got; ok && len < size - 1 && (got = recv(fd, text + len, size - 1 - len, 0)) > 0;)
        len += (size_t)got;
    text[len] = '\0';
    close(fd);
    return len > 0;
}

void pipeline_harness_scrape(struct pipeline_harness *w, const char *path, char *ret_text,
                             size_t size)
{
    int64_t deadline = clock_mono_ms() + HARNESS_PATIENCE_MS;
    while (!ask(w, path, ret_text, size)) {
        if (clock_mono_ms() > deadline)
            fail_msg("the ops port does not answer");
        usleep(LOOK_US);
    }
    const char *body = strstr(ret_text, "\r\n\r\n");
    bool fine = strstr(ret_text, " 200 OK\r\n") != NULL && body != NULL;
    if (fine)
        memmove(ret_text, body + 4, strlen(body + 4) + 1);
    else
        ret_text[0] = '\0';
}

/* The text of all metrics costs more than all else that tests ask for, and a group's three seconds
 * would ask a hundred times for it: what does not come at once is asked for ever more seldom. */
void pipeline_harness_await_scrape(struct pipeline_harness *w, const char *path, const char *wanted,
                                   char *ret_text, size_t size)
{
    int64_t deadline = clock_mono_ms() + HARNESS_PATIENCE_MS;
    useconds_t rest_us = SCRAPE_LEAST_US;
    for (;;) {
        pipeline_harness_scrape(w, path, ret_text, size);
        if (strstr(ret_text, wanted) != NULL)
            return;
        if (clock_mono_ms() > deadline)
            fail_msg("no \"%s\" in %s", wanted, ret_text);
        usleep(rest_us);
        if (rest_us < SCRAPE_MOST_US)
            rest_us *= 2;
    }
}

void pipeline_harness_log_open(struct pipeline_harness *w)
{
    w->log_fd = memfd_create("log", MFD_CLOEXEC);
    w->stderr_fd = dup(STDERR_FILENO);
    assert_true(w->log_fd >= 0 && w->stderr_fd >= 0);
    log_setup(LOG_WARN, false);
    dup2(w->log_fd, STDERR_FILENO);
}

void pipeline_harness_await_log(struct pipeline_harness *w, const char *wanted)
{
    static char text[LOG_MAX];
    int64_t deadline = clock_mono_ms() + HARNESS_PATIENCE_MS;
    bool found = false;
    while (!found && clock_mono_ms() < deadline) {
        ssize_t len = pread(w->log_fd, text, sizeof text - 1, 0);
        text[len > 0 ? len : 0] = '\0';
        found = strstr(text, wanted) != NULL;
        if (!found)
            usleep(LOOK_US);
    }
    dup2(w->stderr_fd, STDERR_FILENO);
    close(w->stderr_fd);
    close(w->log_fd);
    if (!found)
        fail_msg("no \"%s\" in the log: %s", wanted, text);
}

double pipeline_harness_metric(const char *text, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = text; (at = strstr(at, name)) != NULL; at += len)
        if ((at == text || at[-1] == '\n') && at[len] == ' ')
            return strtod(at + len + 1, NULL);
    fail_msg("no %s in %s", name, text);
    return 0;
}

/* The refusal may meet the fetch of another client, that of the control topic. */
void pipeline_harness_refuse_fetch(struct pipeline_harness *w, int records)
{
    static const char consumed[] = "elementor_sync_records_consumed_total";
    enum { FETCH = 1 };
    static char text[65536];
    char position[128];
    pipeline_harness_scrape(w, "/metrics", text, sizeof text);
    for (double read = pipeline_harness_metric(text, consumed);
         pipeline_harness_metric(text, consumed) == read; read++) {
        rd_kafka_mock_push_request_errors(w->cluster.mock, FETCH, 1,
                                          RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
        cluster_settle(&w->cluster);
        pipeline_harness_produce(w, 2, "no order", "06", "pending");
        snprintf(position, sizeof position,
                 "elementor_sync_partition_position{topic=\"orders\",partition=\"2\"} %d\n",
                 ++records);
        pipeline_harness_await_scrape(w, "/metrics", position, text, sizeof text);
    }
    rd_kafka_mock_clear_request_errors(w->cluster.mock, FETCH);
    cluster_settle(&w->cluster);
}

int pipeline_harness_main(const char *name, const struct CMUnitTest *tests, size_t count)
{
    int failed = 0, status;
    const char *only = getenv("HARNESS_TEST");
    for (size_t i = 0; i < count; i++) {
        if (only != NULL && strcmp(only, tests[i].name) != 0)
            continue;
        pid_t child = fork();
        if (child == 0)
            exit(_cmocka_run_group_tests(name, &tests[i], 1, NULL, NULL));
        failed += child < 0;
    }
    while (wait(&status) > 0)
        failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    return failed;
}
