/* signals_test: a command is told to stop once, and ended by the second signal. */
#include "sys/signals.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 30000 };

/* A command that says when it is ready and when it was told to stop, and goes on waiting in a call
 * that looks at no descriptor. */
static _Noreturn void be_deaf(int said)
{
    int stop_fd = signals_of_command();
    struct pollfd fd = {.fd = stop_fd, .events = POLLIN};
    (void)!write(said, "r", 1);
    while (poll(&fd, 1, PATIENCE_MS) <= 0)
        continue; /* EINTR */
    struct error err = {0};
    (void)!write(said, signals_go_on(stop_fd, &err) ? "?" : "t", 1);
    for (;;)
        pause();
}

static void await(int said, char letter)
{
    struct pollfd fd = {.fd = said, .events = POLLIN};
    char got = 0;
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    assert_int_equal(read(said, &got, 1), 1);
    assert_int_equal(got, letter);
}

static int status_after(int first, int second)
{
    int said[2], status;
    assert_int_equal(pipe(said), 0);
    pid_t pid = fork();
    if (pid == 0)
        be_deaf(said[1]);
    await(said[0], 'r');
    kill(pid, first);
    await(said[0], 't');
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0); /* one does not end it */
    kill(pid, second);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(said[0]);
    close(said[1]);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void the_second_signal_ends_a_command(void **state)
{
    (void)state;
    assert_int_equal(status_after(SIGINT, SIGINT), 128 + SIGINT);
    assert_int_equal(status_after(SIGTERM, SIGINT), 128 + SIGINT);
    assert_int_equal(status_after(SIGHUP, SIGTERM), 128 + SIGTERM);
}

static void a_command_under_nohup_outlives_its_terminal(void **state)
{
    (void)state;
    signal(SIGHUP, SIG_IGN);
    int stop_fd = signals_of_command();
    struct error err = {0};
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(raise(SIGHUP), 0);
    assert_true(signals_go_on(stop_fd, &err));
    signals_close(stop_fd);
    signal(SIGHUP, SIG_DFL);
}

/* A signal that came while signals were still blocked is not lost. */
static void a_signal_before_is_heard(void **state)
{
    sigset_t set;
    struct error err = {0};
    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    assert_int_equal(raise(SIGTERM), 0);
    int stop_fd = signals_of_command();
    assert_false(signals_go_on(stop_fd, &err));
    assert_non_null(strstr(err.text, "stopped"));
    signals_close(stop_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_signal_ends_a_command),
        cmocka_unit_test(a_command_under_nohup_outlives_its_terminal),
        cmocka_unit_test(a_signal_before_is_heard)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
