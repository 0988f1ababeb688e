#include "fakes/dashboard_harness.h"

#include "dashboard/auth/token.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <arpa/inet.h>
#include <cjose/cjose.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_LEAST_US = 5000, LOOK_MOST_US = 40000 };

/* By the real clock: the program's may jump. */
static int64_t patience_ends_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + DASHBOARD_HARNESS_PATIENCE_MS;
}

static bool is_over(int64_t deadline_ms)
{
    return patience_ends_ms() - DASHBOARD_HARNESS_PATIENCE_MS > deadline_ms;
}

/* Longer each time: an answer costs the dashboard more than the wait for it. */
static void rest(useconds_t *rest_us)
{
    usleep(*rest_us);
    if (*rest_us < LOOK_MOST_US)
        *rest_us *= 2;
}

/* ---- life ---- */

void dashboard_harness_set(struct dashboard_harness *s, const char *name, const char *value)
{
    struct error err = {0};
    if (!config_set(s->config, name, value, "test", &err))
        fail_msg("%s", err.text);
}

void dashboard_harness_sign(char *ret, size_t size, const char *claims)
{
    const char *compact;
    char text[1024];
    cjose_header_t *header = cjose_header_new(NULL);
    cjose_jwk_t *key =
        cjose_jwk_create_oct_spec((const uint8_t *)HARNESS_SECRET, strlen(HARNESS_SECRET), NULL);
    int len = snprintf(text, sizeof text, "{\"exp\":%lld,%s}",
                       (long long)(clock_wall_ms() / 1000 + 3600), claims);
    cjose_header_set(header, "alg", "HS256", NULL);
    cjose_jws_t *jws = cjose_jws_sign(key, header, (const uint8_t *)text, (size_t)len, NULL);
    assert_non_null(jws);
    assert_true(cjose_jws_export(jws, &compact, NULL));
    snprintf(ret, size, "Authorization: Bearer %s\r\n", compact);
    cjose_jws_release(jws);
    cjose_jwk_release(key);
    cjose_header_release(header);
}

void dashboard_harness_open(struct dashboard_harness *s)
{
    memset(s, 0, sizeof *s);
    log_setup(getenv("HARNESS_LOG") != NULL ? LOG_DEBUG : LOG_ERROR, false);
    cluster_open(&s->cluster, DASHBOARD_HARNESS_PARTITIONS);
    s->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    s->config = config_new();
    assert_non_null(s->config);
    dashboard_harness_set(s, "kafka.brokers", s->cluster.brokers);
    dashboard_harness_set(s, "kafka.topic", CLUSTER_TOPIC);
    dashboard_harness_set(s, "kafka.group", "elementor-sync");
    dashboard_harness_set(s, "parked.topic", CLUSTER_PARKED);
    dashboard_harness_set(s, "deliveries.topic", "elementor-sync.deliveries");
    dashboard_harness_set(s, "retry.topic", "elementor-sync.retry");
    dashboard_harness_set(s, "members.topic", "elementor-sync.members");
    dashboard_harness_set(s, "control.topic", CLUSTER_CONTROL);
    dashboard_harness_set(s, "dashboard.listen", "127.0.0.1:0");
    dashboard_harness_set(s, "dashboard.database", ":memory:");
    dashboard_harness_set(s, "auth.hs256_secret", HARNESS_SECRET);
    dashboard_harness_sign(s->operator, sizeof s->operator,
                           "\"sub\":\"olga\",\"role\":\"service_role\"");
    dashboard_harness_sign(s->customer, sizeof s->customer,
                           "\"sub\":\"u-1\",\"role\":\"authenticated\"");
}

static void *run(void *context)
{
    struct dashboard_harness *s = context;
    s->ok = dashboard_run(s->dashboard, s->stop_fd, &s->err);
    return NULL;
}

static void wait_until_ready(struct dashboard_harness *s)
{
    useconds_t rest_us = LOOK_LEAST_US;
    for (int64_t deadline = patience_ends_ms();
         dashboard_harness_ask(s, "GET", "/readyz", "", NULL).status != 200;) {
        if (is_over(deadline))
            fail_msg("the view does not catch up");
        rest(&rest_us);
    }
}

void dashboard_harness_start(struct dashboard_harness *s)
{
    s->dashboard = dashboard_new(s->config, &s->err);
    if (s->dashboard == NULL)
        fail_msg("%s", s->err.text);
    s->port = atoi(strrchr(dashboard_address(s->dashboard), ':') + 1);
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
    s->running = true;
    wait_until_ready(s);
}

void dashboard_harness_skip(struct dashboard_harness *s, int64_t ms)
{
    clock_skip(ms);
    wait_until_ready(s);
}

void dashboard_harness_close(struct dashboard_harness *s)
{
    if (s->running) {
        assert_int_equal(write(s->stop_fd, &(uint64_t){1}, sizeof(uint64_t)), sizeof(uint64_t));
        pthread_join(s->thread, NULL);
        if (!s->ok)
            fail_msg("it ended with: %s", s->err.text);
    }
    dashboard_free(s->dashboard);
    config_free(s->config);
    cluster_close(&s->cluster);
    close(s->stop_fd);
}

/* ---- calls ---- */

static int connected(struct dashboard_harness *s)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)s->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = DASHBOARD_HARNESS_PATIENCE_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

int dashboard_harness_connect(struct dashboard_harness *s)
{
    return connected(s);
}

/* Bytes that the other end does not read any more were refused. */
static void send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes += sent;
        len -= (size_t)sent;
    }
}

int dashboard_harness_send(struct dashboard_harness *s, const char *method, const char *path,
                           const char *headers, const char *body)
{
    char text[16384];
    int fd = connected(s);
    int len = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: shop.test\r\n%s", method, path,
                       headers);
    if (body != NULL)
        len += snprintf(text + len, sizeof text - (size_t)len,
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    len += snprintf(text + len, sizeof text - (size_t)len, "\r\n%s", body != NULL ? body : "");
    send_all(fd, text, (size_t)len);
    return fd;
}

/* True: the whole body is there by its length; without a length, the head. */
static bool is_whole(const char *text, size_t len)
{
    const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\nContent-Length:");
    if (end == NULL)
        return false;
    size_t body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return len >= (size_t)(end - text) + 4 + body;
}

struct answer dashboard_harness_receive(int fd)
{
    static char text[HARNESS_TEXT];
    struct answer a = {.text = text, .body = ""};
    size_t len = 0;
    text[0] = '\0';
    for (ssize_t got;
         !is_whole(text, len) && (got = recv(fd, text + len, sizeof text - 1 - len, 0)) > 0;) {
        len += (size_t)got;
        text[len] = '\0';
    }
    close(fd);
    const char *end = strstr(text, "\r\n\r\n");
    if (end != NULL) {
        a.status = atoi(text + strlen("HTTP/1.1 "));
        a.body = end + 4;
    }
    return a;
}

struct answer dashboard_harness_ask(struct dashboard_harness *s, const char *method,
                                    const char *path, const char *headers, const char *body)
{
    return dashboard_harness_receive(dashboard_harness_send(s, method, path, headers, body));
}

struct answer dashboard_harness_say(struct dashboard_harness *s, const char *bytes, size_t len)
{
    int fd = connected(s);
    send_all(fd, bytes, len);
    return dashboard_harness_receive(fd);
}

bool dashboard_harness_hears(int fd, char *text, size_t size, const char *wanted)
{
    size_t len = 0, seen = 0; /* nothing that begins before seen is wanted */
    text[0] = '\0';
    while (strstr(text + seen, wanted) == NULL && len < size - 1) {
        seen = len > strlen(wanted) ? len - strlen(wanted) : 0;
        ssize_t got = recv(fd, text + len, size - 1 - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
        text[len] = '\0';
    }
    return strstr(text + seen, wanted) != NULL;
}

int64_t answer_number(const struct answer *a, const char *name)
{
    char text[32];
    snprintf(text, sizeof text, "\"%s\":", name);
    const char *at = strstr(a->body, text);
    assert_non_null(at);
    return strtoll(at + strlen(text), NULL, 10);
}

const char *answer_header(const struct answer *a, const char *name)
{
    static char value[512];
    char line[128];
    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *at = strcasestr(a->text, line);
    if (at == NULL || at >= a->body)
        return "";
    at += strlen(line);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

/* ---- the group's records ---- */

static void quoted(char *to, size_t size, const char *text)
{
    snprintf(to, size, text != NULL ? "\"%s\"" : "null", text);
}

static void write_outcome(struct dashboard_harness *s, const struct outcome *o)
{
    char text[8192], request[80], confirmed_at[80];
    quoted(request, sizeof request, o->request);
    quoted(confirmed_at, sizeof confirmed_at, o->confirmed_at);
    int64_t now_ms = o->at_ms != 0 ? o->at_ms : clock_wall_ms();
    int len = snprintf(
        text, sizeof text,
        "{\"version\":1,\"state\":\"%s\",\"reason\":\"%s\",\"order_id\":\"%s\",\"order_number\":"
        "\"%s\",\"confirmed_at\":%s,\"webhook_id\":\"msg_1\",\"source\":\"%s\",\"request\":%s,"
        "\"topic\":\"" CLUSTER_TOPIC "\",\"partition\":0,\"offset\":%lld,\"timestamp_ms\":null,"
        "\"lsn\":2,\"attempts\":3,\"status\":null,\"first_attempt_ms\":%lld,\"last_attempt_ms\":"
        "%lld,\"settled_ms\":%lld,\"next_attempt_ms\":null,\"member\":\"m\"%s%s%s,\"previous\":[%s]"
        "}",
        o->state, o->reason != NULL ? o->reason : "", o->order,
        o->number != NULL ? o->number : "CMD-1", confirmed_at,
        o->source != NULL ? o->source : "cdc", request, (long long)o->offset, (long long)now_ms,
        (long long)now_ms, (long long)now_ms, o->owner != NULL ? ",\"owner\":\"" : "",
        o->owner != NULL ? o->owner : "", o->owner != NULL ? "\"" : "",
        o->previous != NULL ? o->previous : "");
    assert_false(rd_kafka_producev(
        s->cluster.rk, RD_KAFKA_V_TOPIC("elementor-sync.deliveries"), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_KEY(o->order, strlen(o->order)), RD_KAFKA_V_VALUE(text, (size_t)len),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
}

void dashboard_harness_outcome(struct dashboard_harness *s, const struct outcome *o)
{
    write_outcome(s, o);
    assert_false(rd_kafka_flush(s->cluster.rk, DASHBOARD_HARNESS_PATIENCE_MS));
}

void dashboard_harness_delivered(struct dashboard_harness *s, int first, int count,
                                 const char *number)
{
    char order[16];
    for (int i = first; i < first + count; i++) {
        snprintf(order, sizeof order, "o%d", i);
        write_outcome(s, &(struct outcome){.order = order, .state = "delivered", .number = number});
    }
    assert_false(rd_kafka_flush(s->cluster.rk, DASHBOARD_HARNESS_PATIENCE_MS));
}

void dashboard_harness_park(struct dashboard_harness *s, const struct outcome *o, const char *class)
{
    char offset[24];
    snprintf(offset, sizeof offset, "%lld", (long long)o->offset);
    assert_false(
        rd_kafka_producev(s->cluster.rk, RD_KAFKA_V_TOPIC(CLUSTER_PARKED), RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_HEADER("elementor-sync.topic", CLUSTER_TOPIC, -1),
                          RD_KAFKA_V_HEADER("elementor-sync.partition", "0", -1),
                          RD_KAFKA_V_HEADER("elementor-sync.offset", offset, -1),
                          RD_KAFKA_V_HEADER("elementor-sync.class", class, -1), RD_KAFKA_V_END));
    assert_false(rd_kafka_flush(s->cluster.rk, DASHBOARD_HARNESS_PATIENCE_MS));
}

void dashboard_harness_refused(struct dashboard_harness *s, const char *order, int64_t offset,
                               int64_t at_ms)
{
    const struct outcome o = {
        .order = order, .state = "parked", .reason = "http:422", .offset = offset, .at_ms = at_ms};
    dashboard_harness_park(s, &o, "refused");
    dashboard_harness_outcome(s, &o);
    dashboard_harness_await_order(s, order, "parked");
}

void dashboard_harness_await_order(struct dashboard_harness *s, const char *order,
                                   const char *state)
{
    char path[4096], wanted[64];
    snprintf(path, sizeof path, "/api/v1/orders/%s", order);
    snprintf(wanted, sizeof wanted, "\"state\":\"%s\"", state);
    useconds_t rest_us = LOOK_LEAST_US;
    for (int64_t deadline = patience_ends_ms();;) {
        struct answer a = dashboard_harness_ask(s, "GET", path, s->operator, NULL);
        if (a.status == 200 && strstr(a.body, wanted) != NULL)
            return;
        if (is_over(deadline))
            fail_msg("%s is not %s: %s", order, state, a.body);
        rest(&rest_us);
    }
}

static void take_request(void *context, const rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;
    assert_false(rd_kafka_message_headers(m, &headers));
    assert_false(rd_kafka_header_get_last(headers, "elementor-sync.request", &value, &size));
    snprintf(context, 64, "%.*s", (int)size, (const char *)value);
}

size_t dashboard_harness_retries(struct dashboard_harness *s, char ret_request[64])
{
    ret_request[0] = '\0';
    return cluster_read(&s->cluster, "elementor-sync.retry", take_request, ret_request);
}
