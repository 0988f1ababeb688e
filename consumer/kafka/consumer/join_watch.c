#include "kafka/consumer/join_watch.h"

#include "sys/clock.h"

#include <stdbool.h>
#include <unistd.h>

#define NAME "join_watch"

enum { API_JOIN_GROUP = 11, API_HEARTBEAT = 12, API_SYNC_GROUP = 14 }; /* of Kafka's protocol */
enum {
    SETTLE_MS = 50,    /* from an answer to the JoinGroup that it asks for */
    PATIENCE_MS = 1000 /* for an answer, or a JoinGroup, that may never come */
};

static void wake(struct join_watch *watch)
{
    static const uint64_t one = 1;
    if (write(atomic_load(&watch->wake_fd), &one, sizeof one) < 0)
        return; /* it is awake already, or gone */
}

/* It may ask twice: the first answer gives it a name to ask with. */
static void begin_to_join(struct join_watch *watch)
{
    long long none = 0;
    atomic_compare_exchange_strong(&watch->joining_since_ms, &none, clock_mono_ms());
}

static rd_kafka_resp_err_t request_sent(rd_kafka_t *rk, int fd, const char *broker, int32_t id,
                                        int16_t api, int16_t version, int32_t correlation,
                                        size_t size, void *opaque)
{
    (void)rk, (void)fd, (void)broker, (void)id, (void)version, (void)correlation, (void)size;
    struct join_watch *watch = opaque;
    if (api == API_JOIN_GROUP)
        begin_to_join(watch);
    else if (api == API_HEARTBEAT)
        atomic_store(&watch->asked_until_ms, clock_mono_ms() + PATIENCE_MS);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The answer may be an error, which librdkafka has yet to act on: it asks to join again. */
static rd_kafka_resp_err_t response_received(rd_kafka_t *rk, int fd, const char *broker, int32_t id,
                                             int16_t api, int16_t version, int32_t correlation,
                                             size_t size, int64_t rtt, rd_kafka_resp_err_t err,
                                             void *opaque)
{
    (void)rk, (void)fd, (void)broker, (void)id, (void)version, (void)correlation, (void)size;
    (void)rtt, (void)err;
    struct join_watch *watch = opaque;
    if (api != API_SYNC_GROUP && api != API_HEARTBEAT)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    atomic_store(&watch->asked_until_ms, clock_mono_ms() + SETTLE_MS);
    if (api == API_SYNC_GROUP) {
        atomic_store(&watch->expected_until_ms, 0);
        atomic_store(&watch->joining_since_ms, 0);
    }
    wake(watch);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t client_made(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *opaque,
                                       char *text, size_t size)
{
    (void)conf, (void)text, (void)size;
    rd_kafka_resp_err_t code =
        rd_kafka_interceptor_add_on_request_sent(rk, NAME, request_sent, opaque);
    return code
               ? code
               : rd_kafka_interceptor_add_on_response_received(rk, NAME, response_received, opaque);
}

void join_watch_add(rd_kafka_conf_t *conf, struct join_watch *watch, int wake_fd)
{
    *watch = (struct join_watch){.wake_fd = wake_fd};
    rd_kafka_conf_interceptor_add_on_new(conf, NAME, client_made, watch);
}

void join_watch_expect(struct join_watch *watch)
{
    atomic_store(&watch->expected_until_ms, clock_mono_ms() + PATIENCE_MS);
}

int64_t join_watch_since_ms(const struct join_watch *watch)
{
    return atomic_load(&watch->joining_since_ms);
}

void join_watch_end(struct join_watch *watch)
{
    atomic_store(&watch->wake_fd, -1);
}

int64_t join_watch_wait_ms(const struct join_watch *watch, int64_t now_ms)
{
    int64_t asked_ms = atomic_load(&watch->asked_until_ms);
    int64_t expected_ms = atomic_load(&watch->expected_until_ms);
    int64_t until_ms = asked_ms > expected_ms ? asked_ms : expected_ms;
    if (atomic_load(&watch->joining_since_ms) > 0)
        return -1;
    return until_ms > now_ms ? until_ms - now_ms : 0;
}
