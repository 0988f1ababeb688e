/* lookup_test: topics are looked up without blocking. */
#include "dashboard/feed/partition_lookup.h"
#include "fakes/pipeline_harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const topics[] = {CLUSTER_TOPIC, "missing"};

static rd_kafka_t *client(const char *brokers)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text);
    rd_kafka_conf_set(conf, "log_level", "0", text, sizeof text);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    assert_non_null(rk);
    return rk;
}

static const struct lookup_found *awaited(struct lookup *lookup, int fd)
{
    struct pollfd wake = {.fd = fd, .events = POLLIN};
    uint64_t count;
    assert_int_equal(poll(&wake, 1, 20000), 1);
    assert_int_equal(read(fd, &count, sizeof count), sizeof count);
    const struct lookup_found *found = lookup_take(lookup);
    assert_non_null(found);
    assert_null(lookup_take(lookup)); /* once */
    return found;
}

static void partitions_and_ends_are_found(void **state)
{
    struct cluster c;
    struct error err = {0};
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    (void)state;
    cluster_open(&c, 3);
    cluster_produce(&c, 1, "a", 1);
    cluster_produce(&c, 1, "b", 1);
    rd_kafka_t *rk = client(c.brokers);
    struct lookup *lookup = lookup_new(rk, topics, 2, fd, &err);
    assert_null(lookup_take(lookup));
    lookup_start(lookup, true);
    const struct lookup_found *found = awaited(lookup, fd);
    assert_int_equal(found->code, RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(found->partitions[0], 3);
    assert_int_equal(found->partitions[1], 0);
    assert_int_equal(found->ends[0][0], 0);
    assert_int_equal(found->ends[0][1], 2);
    lookup_start(lookup, false);
    found = awaited(lookup, fd);
    assert_int_equal(found->partitions[0], 3);
    assert_null(found->ends[0]);
    lookup_free(lookup);
    rd_kafka_destroy(rk);
    cluster_close(&c);
    close(fd);
}

static int listener(char brokers[64])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    snprintf(brokers, 64, "127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

/* A broker that accepts the connection and never answers. */
static void a_lookup_does_not_block_its_caller(void **state)
{
    struct error err = {0};
    char brokers[64];
    int silent = listener(brokers), fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    (void)state;
    rd_kafka_t *rk = client(brokers);
    struct lookup *lookup = lookup_new(rk, topics, 2, fd, &err);
    lookup_start(lookup, true);
    assert_null(lookup_take(lookup)); /* it is under way still */
    lookup_start(lookup, true);       /* no second one */
    const struct lookup_found *found = awaited(lookup, fd);
    assert_int_not_equal(found->code, RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(found->partitions[0], 0);
    lookup_start(lookup, true);
    lookup_free(lookup); /* amid one */
    rd_kafka_destroy(rk);
    close(silent);
    close(fd);
}

/* The broker answers for the topics, and does not answer for their ends. */
static void an_end_is_not_waited_for_without_end(void **state)
{
    enum { LIST_OFFSETS = 2, BROKER = 1, SILENT_MS = 15000, BOUND_MS = 10000 };
    struct cluster c;
    struct error err = {0};
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct pollfd wake = {.fd = fd, .events = POLLIN};
    (void)state;
    cluster_open(&c, 1);
    rd_kafka_t *rk = client(c.brokers);
    struct lookup *lookup = lookup_new(rk, topics, 1, fd, &err);
    rd_kafka_mock_broker_push_request_error_rtts(
        c.mock, BROKER, LIST_OFFSETS, 4, RD_KAFKA_RESP_ERR_NO_ERROR, SILENT_MS,
        RD_KAFKA_RESP_ERR_NO_ERROR, SILENT_MS, RD_KAFKA_RESP_ERR_NO_ERROR, SILENT_MS,
        RD_KAFKA_RESP_ERR_NO_ERROR, SILENT_MS);
    lookup_start(lookup, true);
    assert_int_equal(poll(&wake, 1, BOUND_MS), 1);
    const struct lookup_found *found = lookup_take(lookup);
    assert_non_null(found);
    assert_int_equal(found->partitions[0], 1);
    assert_int_equal(found->ends[0][0], -1);
    lookup_free(lookup);
    rd_kafka_destroy(rk);
    cluster_close(&c);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_and_ends_are_found),
        cmocka_unit_test(a_lookup_does_not_block_its_caller),
        cmocka_unit_test(an_end_is_not_waited_for_without_end),
    };
    return pipeline_harness_main("lookup", tests, sizeof tests / sizeof *tests);
}
