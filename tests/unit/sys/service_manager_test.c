/* service_manager_test: the datagrams that systemd gets, read from a socket of its kind. */
#include "sys/service_manager.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct manager {
    int socket;
    char name[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* as NOTIFY_SOCKET has it */
    struct loop *loop;
    struct service_manager *told;
};

/* A socket of systemd's: at a path, or abstract. */
static void listen_at(struct manager *m, const char *name)
{
    const struct timeval limit = {.tv_sec = 60};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(m->name, sizeof m->name, name, (int)getpid());
    snprintf(address.sun_path, sizeof address.sun_path, "%s", m->name);
    if (*m->name == '@')
        address.sun_path[0] = '\0';
    else
        unlink(m->name);
    m->socket = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(m->socket, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(m->name))),
                     0);
    setsockopt(m->socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setenv("NOTIFY_SOCKET", m->name, 1);
}

static void start(struct manager *m)
{
    struct error err = {0};
    m->loop = loop_new(&err);
    assert_non_null(m->loop);
    m->told = service_manager_open(m->loop);
}

static void stop(struct manager *m)
{
    service_manager_close(m->told);
    loop_free(m->loop);
    close(m->socket);
    if (*m->name == '/')
        unlink(m->name);
}

static void assert_told(const struct manager *m, const char *expected)
{
    char text[100];
    ssize_t len = recv(m->socket, text, sizeof text - 1, 0);
    assert_true(len > 0);
    text[len] = '\0';
    assert_string_equal(text, expected);
}

static void assert_silent(const struct manager *m)
{
    char text[100];
    assert_int_equal(recv(m->socket, text, sizeof text, MSG_DONTWAIT), -1);
}

static void ready_and_stopping_are_told(void **state)
{
    static const char *const names[] = {"/tmp/service_manager_test.%d", "@service_manager_test.%d"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct manager m = {0};
        listen_at(&m, names[i]);
        start(&m);
        assert_non_null(m.told);
        assert_null(getenv("NOTIFY_SOCKET")); /* no child process speaks in our name */
        assert_silent(&m);
        service_manager_tell_ready(m.told);
        assert_told(&m, "READY=1");
        service_manager_tell_stopping(m.told);
        assert_told(&m, "STOPPING=1");
        assert_silent(&m); /* no watchdog was asked for */
        stop(&m);
    }
}

/* Only a turn of the loop sends it: while the loop stands still, systemd hears nothing. */
static void the_loop_sends_the_sign_of_life(void **state)
{
    enum { TURNS = 3 };
    char pid[32];
    struct manager m = {0};
    (void)state;
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("WATCHDOG_USEC", "20000", 1);
    setenv("WATCHDOG_PID", pid, 1);
    listen_at(&m, "@service_manager_test.%d");
    start(&m);
    for (int i = 0; i < TURNS; i++) {
        usleep(11000); /* past the timer: it is due, and still nothing is sent */
        assert_silent(&m);
        assert_int_equal(loop_wait(m.loop, 60000), 1);
        assert_told(&m, "WATCHDOG=1");
    }
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
    stop(&m);
}

/* systemd sets WATCHDOG_PID to the process that is to send; another's is not ours. */
static void anothers_watchdog_is_not_served(void **state)
{
    struct manager m = {0};
    (void)state;
    setenv("WATCHDOG_USEC", "1000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    listen_at(&m, "@service_manager_test.%d");
    start(&m);
    assert_int_equal(loop_wait(m.loop, 20), 0);
    assert_silent(&m);
    stop(&m);
}

static void without_a_manager_there_is_nothing(void **state)
{
    char long_name[300] = "/";
    const char *const unusable[] = {NULL, "", "@", "relative", "vsock:2:1", long_name};
    struct error err = {0};
    struct loop *loop = loop_new(&err);
    (void)state;
    memset(long_name + 1, 'a', sizeof long_name - 2);
    for (size_t i = 0; i < sizeof unusable / sizeof *unusable; i++) {
        if (unusable[i] != NULL)
            setenv("NOTIFY_SOCKET", unusable[i], 1);
        setenv("WATCHDOG_USEC", "1000", 1);
        struct service_manager *told = service_manager_open(loop);
        assert_null(told);
        service_manager_tell_ready(told);
        service_manager_tell_stopping(told);
        service_manager_close(told);
    }
    loop_free(loop);
}

/* A manager that has gone costs a log line, not the service. */
static void a_manager_that_left_is_survived(void **state)
{
    struct manager m = {0};
    (void)state;
    listen_at(&m, "/tmp/service_manager_test.%d");
    start(&m);
    close(m.socket);
    unlink(m.name);
    service_manager_tell_ready(m.told);
    service_manager_tell_stopping(m.told);
    m.socket = socket(AF_UNIX, SOCK_DGRAM, 0);
    stop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_and_stopping_are_told),
        cmocka_unit_test(the_loop_sends_the_sign_of_life),
        cmocka_unit_test(anothers_watchdog_is_not_served),
        cmocka_unit_test(without_a_manager_there_is_nothing),
        cmocka_unit_test(a_manager_that_left_is_survived),
    };
    return cmocka_run_group_tests_name("service_manager", tests, NULL, NULL);
}
