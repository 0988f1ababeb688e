/* pipeline_tried: the order's next owner goes on counting its failures. */
#include "fakes/pipeline_harness.h"
#include "sys/clock.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define BROKEN "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"

enum { ATTEMPTS = 8, FEED_US = 5000, ASK_MS = 10000, AHEAD = 8, PATIENCE_MS = 120000 };

static const struct server_rule webhook[] = {
    {"\"bad\"", SERVER_ANSWER, BROKEN, 0}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

/* ---- seen by the receiver and the parked topic ---- */

static size_t requests_of_bad(struct pipeline_harness *w)
{
    size_t count = 0, all = server_request_count(w->webhook);
    for (size_t i = 0; i < all; i++)
        count += strstr(server_request(w->webhook, i)->body, "\"bad\"") != NULL;
    return count;
}

static bool is_parked(struct pipeline_harness *w)
{
    int64_t low = 0, high = 0;
    rd_kafka_query_watermark_offsets(w->cluster.rk, CLUSTER_PARKED, 0, &low, &high, ASK_MS);
    return high > 0;
}

static int parked_number(struct pipeline_harness *w, const char *name)
{
    rd_kafka_message_t *m = cluster_parked(&w->cluster);
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;
    char text[24] = "";
    assert_non_null(m);
    assert_int_equal(rd_kafka_message_headers(m, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_header_get_last(headers, name, &value, &len),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    snprintf(text, sizeof text, "%.*s", (int)len, (const char *)value);
    cluster_parked_done(m, &w->cluster);
    return atoi(text);
}

/* Other orders are delivered all the time, until the bad one was sent so often, or is parked: no
 * more of them than are taken, or its turn would come late on a busy machine. */
static void feed_until(struct pipeline_harness *w, size_t requests)
{
    static int fed;
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    size_t bad;
    while ((bad = requests_of_bad(w)) < requests && !is_parked(w)) {
        char id[16];
        snprintf(id, sizeof id, "fine%d", fed);
        if ((size_t)fed < server_request_count(w->webhook) - bad + AHEAD) {
            pipeline_harness_produce(w, 1 + fed % 2, id, "06", "confirmed");
            fed++;
        }
        assert_true(clock_mono_ms() < deadline_ms);
        usleep(FEED_US);
    }
}

/* ---- a restart ---- */

/* Each life is far too short for ATTEMPTS failures. */
static void attempts_survive_restarts(void **state)
{
    enum { LIVES = 8, EACH = 3 };
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "retry.cap", "1s");
    pipeline_harness_produce(&w, 0, "bad", "06", "confirmed");
    for (int life = 0; !is_parked(&w); life++) {
        assert_true(life < LIVES);
        pipeline_harness_start(&w);
        feed_until(&w, requests_of_bad(&w) + EACH);
        pipeline_harness_stop(&w);
        assert_true(w.ok);
    }
    assert_true(requests_of_bad(&w) > ATTEMPTS);
    assert_int_equal(parked_number(&w, "elementor-sync.attempts"), requests_of_bad(&w));
    pipeline_harness_close(&w);
}

/* ---- kill -9, then another member ---- */

/* A member in a process of its own, which joins once it is told where. */
struct member {
    pid_t pid;
    int tell;
};

struct places {
    char brokers[200], registry[64], webhook[64];
};

static int be_member(int told)
{
    static const char *const options[][2] = {{"kafka.topic", CLUSTER_TOPIC},
                                             {"kafka.group", "shop"},
                                             {"parked.topic", CLUSTER_PARKED},
                                             {"deliveries.topic", "elementor-sync.deliveries"},
                                             {"retry.topic", "elementor-sync.retry"},
                                             {"members.topic", "elementor-sync.members"},
                                             {"control.topic", CLUSTER_CONTROL},
                                             {"kafka.start", "earliest"},
                                             {"rule.assume_op", "u"},
                                             {"retry.base", "1ms"},
                                             {"retry.cap", "1s"},
                                             {"kafka.properties.session.timeout.ms", "6000"},
                                             {"kafka.properties.heartbeat.interval.ms", "100"}};
    struct pipeline_harness w = {.config = config_new()};
    struct places places;
    if (read(told, &places, sizeof places) != (ssize_t)sizeof places)
        return 0; /* it was not needed */
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        pipeline_harness_set(&w, options[i][0], options[i][1]);
    pipeline_harness_set(&w, "kafka.brokers", places.brokers);
    pipeline_harness_set(&w, "registry.url", places.registry);
    pipeline_harness_set(&w, "webhook.url", places.webhook);
    fcntl(told, F_SETFL, O_NONBLOCK);
    const struct pipeline_options run = {.stop_fd = told, .timeout_ms = -1};
    struct pipeline *p = pipeline_new(w.config, &w.err);
    bool ok = p != NULL && pipeline_run(p, &run, &w.err);
    pipeline_free(p);
    config_free(w.config);
    return ok ? 0 : 1;
}

/* Before the test has threads. */
static struct member member_new(void)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[1]);
        _exit(be_member(ends[0]));
    }
    close(ends[0]);
    return (struct member){pid, ends[1]};
}

static void member_join(const struct member *m, const struct pipeline_harness *w)
{
    struct places places = {0};
    snprintf(places.brokers, sizeof places.brokers, "%s", w->cluster.brokers);
    snprintf(places.registry, sizeof places.registry, "http://127.0.0.1:%d",
             server_port(w->registry));
    snprintf(places.webhook, sizeof places.webhook, "http://127.0.0.1:%d/hook",
             server_port(w->webhook));
    assert_int_equal(write(m->tell, &places, sizeof places), sizeof places);
}

static void member_stop(const struct member *m)
{
    const struct signalfd_siginfo info = {.ssi_signo = SIGTERM};
    int status;
    assert_int_equal(write(m->tell, &info, sizeof info), sizeof info);
    assert_int_equal(waitpid(m->pid, &status, 0), m->pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(m->tell);
}

static void member_kill(const struct member *m)
{
    int status;
    assert_int_equal(kill(m->pid, SIGKILL), 0);
    assert_int_equal(waitpid(m->pid, &status, 0), m->pid);
    assert_true(WIFSIGNALED(status));
    close(m->tell);
}

/* The kill comes as soon as the third attempt has reached the receiver: that one may be lost, and
 * no other; the rebalance loses none. */
static void a_crash_costs_one_attempt_and_a_rebalance_none(void **state)
{
    const struct member members[] = {member_new(), member_new(), member_new()};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_produce(&w, 0, "bad", "06", "confirmed");
    member_join(&members[0], &w);
    feed_until(&w, 3);
    member_kill(&members[0]);
    member_join(&members[1], &w);
    feed_until(&w, 5);
    member_join(&members[2], &w);
    member_stop(&members[1]);
    while (!is_parked(&w))
        feed_until(&w, requests_of_bad(&w) + 1);
    member_stop(&members[2]);
    size_t requests = requests_of_bad(&w);
    size_t attempts = (size_t)parked_number(&w, "elementor-sync.attempts");
    assert_true(attempts > ATTEMPTS);
    assert_true(attempts == requests || attempts + 1 == requests);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_survive_restarts),
        cmocka_unit_test(a_crash_costs_one_attempt_and_a_rebalance_none),
    };
    return pipeline_harness_main("pipeline_tried", tests, sizeof tests / sizeof *tests);
}
