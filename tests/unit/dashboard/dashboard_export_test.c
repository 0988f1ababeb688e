/* dashboard_export_test: the list as a file: whole, filtered, audited and bounded. */
#include "fakes/dashboard_harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MANY = 1300,
    ROOM = 1024 * 1024,
    EXPORTS = 4,
    HEAVY = 4000,
    BATCH = 1000,
    WIDTH = 2000,
    SKIPS = 50
};

#define CSV_HEAD                                                                              \
    "order_number,order_id,state,reason,status,attempts,source,confirmed_at,first_attempt_at" \
    ",last_attempt_at,next_attempt_at,settled_at,key\r\n"

/* The whole answer, of which the last chunk is empty; chunks are taken out of their frames in
 * place. The caller frees it. */
static char *received(int fd)
{
    char *text = malloc(ROOM), *to = text;
    assert_non_null(text);
    assert_true(dashboard_harness_hears(fd, text, ROOM, "\r\n0\r\n\r\n"));
    close(fd);
    assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
    for (char *from = strstr(text, "\r\n\r\n") + 4, *end; *from != '0'; from = end + 2) {
        unsigned long size = strtoul(from, &from, 16);
        from += 2;
        end = from + size;
        memmove(to, from, size);
        to += size;
    }
    *to = '\0';
    return text;
}

static char *exported(struct dashboard_harness *s, const char *path)
{
    return received(dashboard_harness_send(s, "GET", path, s->operator, NULL));
}

static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void all_of_very_many_come_once(void **state)
{
    struct dashboard_harness s;
    char name[16];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    dashboard_harness_delivered(&s, 0, MANY, NULL);
    snprintf(name, sizeof name, "o%d", MANY - 1);
    dashboard_harness_await_order(&s, name, "delivered");
    char *text = exported(&s, "/api/v1/orders.csv");
    assert_memory_equal(text, CSV_HEAD, strlen(CSV_HEAD));
    assert_int_equal(lines_of(text), MANY + 1);
    for (int i = 0; i < MANY; i++) {
        char cell[32];
        snprintf(cell, sizeof cell, ",o%d,delivered,", i);
        const char *found = strstr(text, cell);
        assert_non_null(found);
        assert_null(strstr(found + 1, cell));
    }
    free(text);
    dashboard_harness_close(&s);
}

static void they_are_those_of_the_filters(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    dashboard_harness_outcome(
        &s, &(struct outcome){.order = "o1", .state = "delivered", .at_ms = 1795942800123});
    dashboard_harness_outcome(&s, &(struct outcome){.order = "o3",
                                                    .state = "parked",
                                                    .reason = "http:422",
                                                    .number = "=1+1",
                                                    .at_ms = 1795942802000});
    dashboard_harness_outcome(
        &s, &(struct outcome){
                .order = "o2", .state = "parked", .reason = "http:422", .at_ms = 1795942801000});
    dashboard_harness_await_order(&s, "o2", "parked");
    char *text = exported(&s, "/api/v1/orders.csv?state=parked&reason=http:422");
    const char *second = strstr(text, "\r\nCMD-1,o2,parked,http:422,");
    assert_non_null(second);
    assert_non_null(strstr(second, "\r\n'=1+1,o3,parked,http:422,"));
    assert_int_equal(lines_of(text), 3);
    free(text);
    text = exported(&s, "/api/v1/orders.ndjson?state=delivered");
    assert_int_equal(lines_of(text), 1);
    assert_non_null(strstr(text, "{\"order_number\":\"CMD-1\",\"order_id\":\"o1\",\"state\":"
                                 "\"delivered\""));
    assert_non_null(strstr(text, "\"settled_at\":\"2026-11-29T09:00:00.123Z\""));
    free(text);
    text = exported(&s, "/api/v1/orders.ndjson?q=nobody");
    assert_string_equal(text, "");
    free(text);
    struct answer a =
        dashboard_harness_ask(&s, "GET", "/api/v1/orders.csv?state=lost", s.operator, NULL);
    assert_int_equal(a.status, 400);
    a = dashboard_harness_ask(&s, "GET", "/api/v1/orders.csv?limit=3", s.operator, NULL);
    assert_int_equal(a.status, 400);
    a = dashboard_harness_ask(&s, "GET", "/api/v1/orders.csv", s.customer, NULL);
    assert_int_equal(a.status, 403);
    dashboard_harness_close(&s);
}

/* Standard error is in a file meanwhile. */
static void each_leaves_an_audit_line(void **state)
{
    struct dashboard_harness s;
    static const char path[] = "dashboard_export_test.log";
    char text[HARNESS_TEXT] = "";
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    int old = dup(STDERR_FILENO), log = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(old >= 0 && log >= 0 && dup2(log, STDERR_FILENO) >= 0);
    free(exported(&s, "/api/v1/orders.csv"));
    dup2(old, STDERR_FILENO);
    close(old);
    assert_true(pread(log, text, sizeof text - 1, 0) > 0);
    close(log);
    unlink(path);
    if (strstr(text, "level=audit event=\"audit\" who=") == NULL ||
        strstr(text, "what=\"export orders\"") == NULL)
        fail_msg("no audit line in: %s", text);
    dashboard_harness_close(&s);
}

/* Asks for the file and leaves it in the connection. -1: there are too many. */
static int begun(struct dashboard_harness *s)
{
    char text[4096];
    int fd = dashboard_harness_send(s, "GET", "/api/v1/orders.ndjson", s->operator, NULL);
    assert_true(dashboard_harness_hears(fd, text, sizeof text, "\r\n\r\n"));
    if (strstr(text, "HTTP/1.1 200 OK\r\n") != NULL)
        return fd;
    assert_non_null(strstr(text, "HTTP/1.1 429 "));
    close(fd);
    return -1;
}

/* As many can begin as there are places: each before has ended. */
static bool all_have_ended(struct dashboard_harness *s)
{
    int fds[EXPORTS], count = 0;
    while (count < EXPORTS && (fds[count] = begun(s)) >= 0)
        count++;
    for (int i = 0; i < count; i++)
        close(fds[i]);
    return count == EXPORTS;
}

/* Reads what is left: the connection ends by itself, and before the file does. */
static void expect_broken_off(int fd)
{
    enum { TAIL = 7 };
    static const char whole[] = "\r\n0\r\n\r\n";
    char *text = malloc(TAIL + ROOM);
    ssize_t got;
    assert_non_null(text);
    memset(text, 0, TAIL);
    while ((got = recv(fd, text + TAIL, ROOM, 0)) > 0)
        memmove(text, text + got, TAIL);
    assert_int_equal(got, 0);
    assert_memory_not_equal(text, whole, TAIL);
    free(text);
    close(fd);
}

/* One whose reader takes nothing ends, and is no whole file; then there is room for another. */
static void readers_that_stall_are_bounded(void **state)
{
    struct dashboard_harness s;
    int fds[EXPORTS];
    char order[16], number[WIDTH + 1];
    (void)state;
    memset(number, 'n', WIDTH);
    number[WIDTH] = '\0';
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    for (int i = 0; i < HEAVY; i += BATCH) { /* 9 MB: a socket takes in up to 4 */
        dashboard_harness_delivered(&s, i, BATCH, number);
        snprintf(order, sizeof order, "o%d", i + BATCH - 1);
        dashboard_harness_await_order(&s, order, "delivered");
    }
    for (int i = 0; i < EXPORTS; i++)
        assert_true((fds[i] = begun(&s)) >= 0);
    assert_int_equal(begun(&s), -1);
    for (int i = 0; !all_have_ended(&s);
         i++) { /* what a socket took in just before is not stalled yet */
        assert_true(i < SKIPS);
        dashboard_harness_skip(&s, 61000);
    }
    for (int i = 0; i < EXPORTS; i++)
        expect_broken_off(fds[i]);
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_very_many_come_once),
        cmocka_unit_test(they_are_those_of_the_filters),
        cmocka_unit_test(each_leaves_an_audit_line),
        cmocka_unit_test(readers_that_stall_are_bounded),
    };
    return pipeline_harness_main("dashboard_export", tests, sizeof tests / sizeof *tests);
}
