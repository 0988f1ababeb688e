/* group_wait_test: the log line of a member that waits for its group. The clock is the test's own,
 * and so is the coordinator's answer (group_members, wrapped at link time). */
#include "kafka/consumer/group_wait.h"

#include "config/config.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/wakeup.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { WITHIN_MS = 2000, PATIENCE_MS = 20000, LOG_MAX = 8192, WALL_MS = 1700000000 };

/* ---- the clock, and the coordinator ---- */

static int64_t now_ms;

int64_t clock_mono_ms(void)
{
    return now_ms;
}

int64_t clock_wall_ms(void)
{
    return WALL_MS + now_ms;
}

static struct {
    const char *names; /* NULL: an error; "": no other member */
    bool holds;        /* until it is released */
    sem_t released;
    int asked, described;
} coordinator;

bool __wrap_group_members_list(rd_kafka_t *rk, const char *group, const char *own, int timeout_ms,
                               struct group_members *ret, struct error *err);
bool __wrap_group_members_describe(rd_kafka_t *rk, const char *group, const char *own,
                                   int timeout_ms, struct group_members *ret, struct error *err);

bool __wrap_group_members_list(rd_kafka_t *rk, const char *group, const char *own, int timeout_ms,
                               struct group_members *ret, struct error *err)
{
    (void)rk, (void)own, (void)timeout_ms;
    coordinator.asked++;
    if (coordinator.holds)
        sem_wait(&coordinator.released);
    *ret = (struct group_members){.count = 0};
    if (strcmp(group, "shop") != 0 || coordinator.names == NULL)
        return error_set(err, ERROR_UNREACHABLE, "the group's members are not known: no answer");
    ret->count = *coordinator.names != '\0';
    snprintf(ret->names, sizeof ret->names, "%s", coordinator.names);
    return true;
}

bool __wrap_group_members_describe(rd_kafka_t *rk, const char *group, const char *own,
                                   int timeout_ms, struct group_members *ret, struct error *err)
{
    coordinator.described++;
    return __wrap_group_members_list(rk, group, own, timeout_ms, ret, err);
}

/* ---- the member ---- */

struct member {
    struct group_wait wait;
    struct group_wait_member now;
    struct config *config;
    int64_t began_ms;
    int log_fd, stderr_fd;
    char log[LOG_MAX];
};

static void set(struct member *m, const char *option, const char *value)
{
    struct error err = {0};
    if (!config_set(m->config, option, value, "test", &err))
        fail_msg("%s", err.text);
}

/* It has no broker to ask. */
static rd_kafka_t *quiet_client(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "log_level", "0", NULL, 0), RD_KAFKA_CONF_OK);
    return rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
}

static int open_member(void **state)
{
    static struct member only;
    struct member *m = *state = &only;
    *m = (struct member){.config = config_new()};
    coordinator.names = "shop-2 (/10.0.0.7)";
    coordinator.holds = false;
    coordinator.asked = coordinator.described = 0;
    sem_init(&coordinator.released, 0, 0);
    now_ms = m->began_ms = 5000;
    set(m, "kafka.group", "shop");
    m->wait =
        (struct group_wait){.config = m->config, .rk = quiet_client(), .wake_fd = wakeup_new()};
    assert_non_null(m->wait.rk);
    m->now =
        (struct group_wait_member){.takes_part = true, .joining_ms = m->began_ms, .has_none = true};
    m->log_fd = memfd_create("log", MFD_CLOEXEC);
    m->stderr_fd = dup(STDERR_FILENO);
    log_setup(LOG_INFO, false);
    dup2(m->log_fd, STDERR_FILENO);
    return 0;
}

static int close_member(void **state)
{
    struct member *m = *state;
    dup2(m->stderr_fd, STDERR_FILENO);
    close(m->stderr_fd);
    close(m->log_fd);
    sem_post(&coordinator.released); /* a test that failed may have left it waiting */
    group_wait_done(&m->wait);
    wakeup_free(m->wait.wake_fd);
    rd_kafka_destroy(m->wait.rk);
    config_free(m->config);
    sem_destroy(&coordinator.released);
    return 0;
}

/* The log since the last look. */
static const char *logged(struct member *m)
{
    ssize_t len = pread(m->log_fd, m->log, sizeof m->log - 1, 0);
    m->log[len > 0 ? len : 0] = '\0';
    assert_int_equal(ftruncate(m->log_fd, 0), 0);
    lseek(m->log_fd, 0, SEEK_SET);
    return m->log;
}

/* The next step that it asked the loop for; what was logged at it. */
static const char *next(struct member *m)
{
    int64_t wake_ms = group_wait_wake_ms(&m->wait, &m->now);
    assert_true(wake_ms >= 0);
    now_ms += wake_ms;
    group_wait_turn(&m->wait, &m->now);
    return logged(m);
}

/* The coordinator has answered, and the loop was woken for it. */
static const char *answered(struct member *m)
{
    assert_true(wakeup_wait(m->wait.wake_fd, PATIENCE_MS));
    group_wait_turn(&m->wait, &m->now);
    return logged(m);
}

static void assert_line(const char *log, const char *text)
{
    if (strstr(log, "event=\"group wait\"") == NULL || strstr(log, text) == NULL)
        fail_msg("no group wait with %s: %s", text, log);
}

/* ---- tests ---- */

static void the_line_names_whom_and_until_when(void **state)
{
    struct member *m = *state;
    group_wait_turn(&m->wait, &m->now);
    assert_int_equal(coordinator.asked, 0);
    assert_string_equal(next(m), "");
    const char *log = answered(m);
    assert_in_range(now_ms - m->began_ms, 1, WITHIN_MS);
    assert_line(log, "for=\"shop-2 (/10.0.0.7)\"");
    assert_line(log, "until=1970-01-20T16:13:35.000Z"); /* ten seconds after it began */
    assert_line(log, "group=shop");
    assert_int_equal(coordinator.described, 0);
    group_wait_turn(&m->wait, &m->now); /* once */
    assert_string_equal(logged(m), "");
    m->now.joining_ms = 0;
    m->now.joined = true;
    group_wait_turn(&m->wait, &m->now);
    assert_non_null(strstr(logged(m), "event=\"group wait over\""));
}

static void a_silent_coordinator_delays_it_no_longer(void **state)
{
    struct member *m = *state;
    coordinator.holds = true;
    assert_string_equal(next(m), "");
    assert_line(next(m), "for=\"not known: the coordinator did not say\"");
    assert_in_range(now_ms - m->began_ms, 1, WITHIN_MS);
    sem_post(&coordinator.released);
    assert_string_equal(answered(m), ""); /* too late */
}

static void no_answer_and_no_member_have_their_words(void **state)
{
    struct member *m = *state;
    coordinator.names = NULL;
    (void)next(m);
    assert_line(answered(m), "the group's members are not known: no answer");
    m->now.joining_ms = 0;
    group_wait_turn(&m->wait, &m->now);
    coordinator.names = "";
    m->now.joining_ms = now_ms;
    (void)next(m);
    assert_line(answered(m), "no other member is there yet");
}

/* A rebalance among healthy members is over by then. */
static void a_short_wait_leaves_no_line(void **state)
{
    struct member *m = *state;
    now_ms += group_wait_wake_ms(&m->wait, &m->now) - 1;
    group_wait_turn(&m->wait, &m->now);
    m->now.joining_ms = 0;
    m->now.joined = true;
    now_ms += WITHIN_MS;
    group_wait_turn(&m->wait, &m->now);
    assert_int_equal(group_wait_wake_ms(&m->wait, &m->now), -1);
    assert_string_equal(logged(m), "");
    assert_int_equal(coordinator.asked, 0);
}

/* Nothing joins there: a member waits while it has no partition, and the broker alone knows how
 * long. */
static void the_brokers_own_groups_wait_too(void **state)
{
    struct member *m = *state;
    set(m, "kafka.properties.group.protocol", "consumer");
    m->now.joining_ms = 0;
    assert_string_equal(next(m), "");
    const char *log = answered(m);
    assert_in_range(now_ms - m->began_ms, 1, WITHIN_MS);
    assert_line(log, "for=\"shop-2 (/10.0.0.7)\"");
    assert_line(log, "group.consumer.session.timeout.ms");
    assert_int_equal(coordinator.described, 1);
    m->now.is_changing = true;
    group_wait_turn(&m->wait, &m->now);
    assert_int_equal(group_wait_wake_ms(&m->wait, &m->now), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_member, close_member)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_line_names_whom_and_until_when),
        TEST(a_silent_coordinator_delays_it_no_longer),
        TEST(no_answer_and_no_member_have_their_words),
        TEST(a_short_wait_leaves_no_line),
        TEST(the_brokers_own_groups_wait_too),
    };
    return cmocka_run_group_tests_name("group_wait", tests, NULL, NULL);
}
