/* loop_test: readiness, laziness, and fd numbers that are used again. */
#include "sys/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct seen {
    struct loop *loop;
    int calls, fd;
    unsigned events;
    int forget; /* an fd to forget and close from within the callback, or -1 */
};

static void note(void *context, int fd, unsigned events)
{
    struct seen *seen = context;
    seen->calls++;
    seen->fd = fd;
    seen->events = events;
    if (seen->forget < 0)
        return;
    loop_forget(seen->loop, seen->forget);
    close(seen->forget);
    seen->forget = -1;
}

static void make_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

static void close_pair(const int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

static void tells_what_is_ready(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    struct seen seen = {.loop = loop, .forget = -1};
    int pair[2];
    make_pair(pair);
    assert_true(loop_watch(loop, pair[0], LOOP_READ, note, &seen));
    assert_int_equal(loop_wait(loop, 0), 0);
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_int_equal(loop_wait(loop, -1), 1);
    assert_int_equal(seen.fd, pair[0]);
    assert_int_equal(seen.events, LOOP_READ);
    loop_watch(loop, pair[0], LOOP_READ | LOOP_WRITE, note, &seen);
    assert_int_equal(loop_wait(loop, -1), 1);
    assert_int_equal(seen.events, LOOP_READ | LOOP_WRITE);
    loop_watch(loop, pair[0], LOOP_WRITE, note, &seen);
    assert_int_equal(loop_wait(loop, -1), 1);
    assert_int_equal(seen.events, LOOP_WRITE);
    loop_watch(loop, pair[0], 0, note, &seen);
    assert_int_equal(loop_wait(loop, 0), 0);
    assert_int_equal(seen.calls, 3);
    assert_false(loop_watch(loop, -1, LOOP_READ, note, &seen));
    loop_free(loop);
    close_pair(pair);
    loop_free(NULL);
}

static void a_hang_up_is_readable(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    struct seen seen = {.loop = loop, .forget = -1};
    int pair[2];
    make_pair(pair);
    loop_watch(loop, pair[0], LOOP_READ, note, &seen);
    close(pair[1]);
    assert_int_equal(loop_wait(loop, -1), 1);
    assert_int_equal(seen.events, LOOP_READ);
    loop_free(loop);
    close(pair[0]);
}

/* The number of a forgotten and closed fd comes back as another socket's. */
static void numbers_are_used_again(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    struct seen old = {.loop = loop, .forget = -1}, new = old;
    int first[2], second[2];
    make_pair(first);
    loop_watch(loop, first[0], LOOP_READ, note, &old);
    assert_int_equal(loop_wait(loop, 0), 0);
    loop_forget(loop, first[0]);
    close_pair(first);
    make_pair(second);
    assert_int_equal(second[0], first[0]);
    loop_watch(loop, second[0], LOOP_READ, note, &new);
    assert_int_equal(write(second[1], "x", 1), 1);
    assert_int_equal(loop_wait(loop, -1), 1);
    assert_int_equal(old.calls, 0);
    assert_int_equal(new.calls, 1);
    loop_free(loop);
    close_pair(second);
}

/* Two are ready at once and each callback forgets the other: only one of them may run. */
static void forgotten_while_ready(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    int a[2], b[2];
    make_pair(a);
    make_pair(b);
    struct seen seen_a = {.loop = loop, .forget = b[0]}, seen_b = {.loop = loop, .forget = a[0]};
    loop_watch(loop, a[0], LOOP_READ, note, &seen_a);
    loop_watch(loop, b[0], LOOP_READ, note, &seen_b);
    assert_int_equal(write(a[1], "x", 1), 1);
    assert_int_equal(write(b[1], "x", 1), 1);
    assert_int_equal(loop_wait(loop, -1), 1);
    assert_int_equal(seen_a.calls + seen_b.calls, 1);
    loop_free(loop);
    close(seen_a.calls ? a[0] : b[0]);
    close(a[1]);
    close(b[1]);
}

static void on_alarm(int number)
{
    (void)number;
}

static void a_signal_ends_the_wait(void **state)
{
    (void)state;
    struct loop *loop = loop_new(NULL);
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval soon = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 20000};
    struct itimerval never = {0};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL); /* again and again: one may come before the wait */
    assert_int_equal(loop_wait(loop, -1), 0);
    setitimer(ITIMER_REAL, &never, NULL);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_is_ready),    cmocka_unit_test(a_hang_up_is_readable),
        cmocka_unit_test(numbers_are_used_again), cmocka_unit_test(forgotten_while_ready),
        cmocka_unit_test(a_signal_ends_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
