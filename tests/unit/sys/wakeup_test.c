/* wakeup_test: a signal ends each way of waiting, once. */
#include "sys/wakeup.h"

#include "sys/background.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_signal_ends_the_wait_once(void **state)
{
    (void)state;
    int fd = wakeup_new();
    assert_true(fd >= 0);
    assert_false(wakeup_wait(fd, 0));
    wakeup_signal(fd);
    wakeup_signal(fd);
    assert_true(wakeup_wait(fd, 0));
    assert_false(wakeup_wait(fd, 0));
    wakeup_free(fd);
}

static void nothing(void *context)
{
    (void)context;
}

static void the_end_of_background_work_wakes(void **state)
{
    (void)state;
    struct background background = {.running = false};
    int fd = wakeup_new();
    assert_true(background_start(&background, nothing, NULL, fd));
    assert_true(wakeup_wait(fd, 10000));
    background_join(&background);
    wakeup_free(fd);
}

static void a_signal_ends_the_loops_wait(void **state)
{
    (void)state;
    struct error err = {0};
    struct loop *loop = loop_new(&err);
    int fd = wakeup_new();
    assert_true(wakeup_watch(fd, loop));
    wakeup_signal(fd);
    assert_int_equal(loop_wait(loop, 10000), 1);
    assert_int_equal(loop_wait(loop, 0), 0);
    loop_forget(loop, fd);
    wakeup_free(fd);
    loop_free(loop);
}

static void no_descriptor_is_accepted(void **state)
{
    (void)state;
    wakeup_signal(-1);
    wakeup_clear(-1);
    wakeup_free(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_ends_the_wait_once),
        cmocka_unit_test(the_end_of_background_work_wakes),
        cmocka_unit_test(a_signal_ends_the_loops_wait),
        cmocka_unit_test(no_descriptor_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
