/* keep_connected_test: existing topics are looked up rarely, a missing one again soon. */
#include "dashboard/feed/keep_connected.h"
#include "fakes/cluster.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

/* ms from the end of the first look until the next. */
static int64_t next_look(rd_kafka_t *rk, const char *topic)
{
    struct error err = {0};
    struct pollfd wake = {.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .events = POLLIN};
    const char *const topics[] = {CLUSTER_TOPIC, topic};
    struct keep_connected *keep_connected = keep_connected_new(rk, topics, 2, wake.fd, &err);
    assert_non_null(keep_connected);
    assert_in_range(keep_connected_turn(keep_connected, 1000), 1, 10000); /* it asks at once */
    assert_int_equal(poll(&wake, 1, 20000), 1);
    int64_t wait_ms = keep_connected_turn(keep_connected, 1100);
    keep_connected_free(keep_connected);
    close(wake.fd);
    return wait_ms;
}

static void missing_topics_are_looked_up_again_soon(void **state)
{
    struct cluster c;
    (void)state;
    cluster_open(&c, 2);
    assert_in_range(next_look(c.rk, CLUSTER_PARKED), 60000, 600000 - 1); /* brokers' idle limit */
    assert_in_range(next_look(c.rk, "missing"), 1, 10000);
    assert_in_range(next_look(c.rk, "missing"), 1, 10000); /* and was not made by asking */
    cluster_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_topics_are_looked_up_again_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
