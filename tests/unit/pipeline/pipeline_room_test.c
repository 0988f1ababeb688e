/* pipeline_room: orders that fail by themselves and fill a bound do not keep the others from being
 * read, whichever bound it is; and memory stays bounded all the same. */
#include "fakes/clock.h"
#include "fakes/pipeline_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define M "elementor_sync_"
#define BAD_PHONE "0666"

enum { TEXT_MAX = 65536, PROBE_MS = 61000, PROBES_MAX = 3000, LIMIT_BYTES = 1024 * 1024 };

static const struct server_rule some_fail[] = {
    {BAD_PHONE, SERVER_ANSWER, BUSY, 0}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

static char text[TEXT_MAX];

static size_t put_text(unsigned char *at, const char *s, size_t len)
{
    size_t n = 0;
    for (size_t zigzag = len * 2; zigzag > 0x7f || n == 0 || zigzag > 0; zigzag >>= 7) {
        at[n++] = (unsigned char)((zigzag & 0x7f) | (zigzag > 0x7f ? 0x80 : 0));
        if (zigzag <= 0x7f)
            break;
    }
    memcpy(at + n, s, len);
    return n + len;
}

static void produce_wide(struct pipeline_harness *w, int32_t partition, const char *id,
                         size_t width)
{
    static unsigned char bytes[1 << 20];
    char *wide = malloc(width + 1);
    assert_non_null(wide);
    memset(wide, 'w', width);
    wide[width] = '\0';
    const char *columns[] = {id,  "CMD-1", "Amina", BAD_PHONE,  wide,
                             "1", "2.50",  "2.50",  "confirmed"};
    size_t at = 5;
    memcpy(bytes, "\0\0\0\0\1", at);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        at += put_text(bytes + at, columns[i], strlen(columns[i]));
    cluster_produce(&w->cluster, partition, bytes, at);
    free(wide);
}

/* One probe after the other until the metric is reached; memory is looked at each time. */
static void let_probe_until(struct pipeline_harness *w, const char *name, double wanted,
                            double bytes_max)
{
    for (int probes = 0; probes < PROBES_MAX; probes++) {
        clock_skip(PROBE_MS);
        pipeline_harness_scrape(w, "/metrics", text, sizeof text);
        assert_true(pipeline_harness_metric(text, M "deliveries_bytes") <= bytes_max);
        if (pipeline_harness_metric(text, name) >= wanted)
            return;
    }
    fail_msg("%s stays below %g: %s", name, wanted, text);
}

static void end(struct pipeline_harness *w)
{
    pipeline_harness_stop(w);
    assert_true(w->ok);
    pipeline_harness_close(w);
}

/* The endpoint answers each wide row with 503; a good order follows on another partition, then ten
 * on the same. All good ones get through, and by that the wide ones are known to be at fault. */
static void wide_rows(int32_t partition_of_good)
{
    enum { BAD = 60, GOOD = 12, WIDTH = 50000 };
    struct pipeline_harness w;
    char id[16];
    pipeline_harness_open(&w, some_fail);
    pipeline_harness_set(&w, "inflight.bytes", "1MiB");
    for (int i = 0; i < BAD; i++) {
        snprintf(id, sizeof id, "bad%d", i);
        produce_wide(&w, 0, id, WIDTH);
    }
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", M "breaker_open 1\n", text, sizeof text);
    for (int i = 0; i < GOOD; i++) {
        snprintf(id, sizeof id, "good%d", i);
        pipeline_harness_produce(&w, partition_of_good, id, "06", "confirmed");
    }
    let_probe_until(&w, M "records_delivered_total", GOOD, 16.2 * LIMIT_BYTES);
    end(&w);
}

static void wide_rows_that_fail_leave_other_partitions_readable(void **state)
{
    (void)state;
    wide_rows(1);
}

static void wide_rows_that_fail_leave_what_lies_behind_them_readable(void **state)
{
    (void)state;
    wide_rows(0);
}

/* Its share is full of failing orders, and no other partition has any. */
static void a_partition_full_of_failing_orders_is_read_on(const char *option, const char *value)
{
    enum { BAD = 10, GOOD = 12 };
    struct pipeline_harness w;
    char id[16];
    pipeline_harness_open(&w, some_fail);
    pipeline_harness_set(&w, option, value);
    for (int i = 0; i < BAD; i++) {
        snprintf(id, sizeof id, "bad%d", i);
        pipeline_harness_produce(&w, 0, id, BAD_PHONE, "confirmed");
    }
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", M "breaker_open 1\n", text, sizeof text);
    for (int i = 0; i < GOOD; i++) {
        snprintf(id, sizeof id, "good%d", i);
        pipeline_harness_produce(&w, 0, id, "06", "confirmed");
    }
    let_probe_until(&w, M "records_delivered_total", GOOD, 4 * LIMIT_BYTES);
    end(&w);
}

static void a_partitions_share(void **state)
{
    (void)state;
    a_partition_full_of_failing_orders_is_read_on("inflight.partition_records", "8");
}

static void the_share_of_all(void **state)
{
    (void)state;
    a_partition_full_of_failing_orders_is_read_on("inflight.records", "8");
}

/* They are known to be at fault once enough others got through: nothing waits for retry.give_up. */
static void failing_orders_are_parked_in_time(void **state)
{
    enum { BAD = 10, GOOD = 40 };
    struct pipeline_harness w;
    char id[16];
    (void)state;
    pipeline_harness_open(&w, some_fail);
    pipeline_harness_set(&w, "inflight.partition_records", "8");
    pipeline_harness_set(&w, "retry.give_up", "365d");
    for (int i = 0; i < BAD; i++) {
        snprintf(id, sizeof id, "bad%d", i);
        pipeline_harness_produce(&w, 0, id, BAD_PHONE, "confirmed");
    }
    for (int i = 0; i < GOOD; i++) {
        snprintf(id, sizeof id, "good%d", i);
        pipeline_harness_produce(&w, 0, id, "06", "confirmed");
    }
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", M "breaker_open 1\n", text, sizeof text);
    let_probe_until(&w, M "records_delivered_total", GOOD, 4 * LIMIT_BYTES);
    int more = 0;
    for (; pipeline_harness_metric(text, M "records_parked_total") < BAD && more < 60; more++) {
        snprintf(id, sizeof id, "more%d", more);
        pipeline_harness_produce(&w, 1, id, "06", "confirmed");
        let_probe_until(&w, M "records_delivered_total", GOOD + more + 1, 4 * LIMIT_BYTES);
    }
    assert_true(pipeline_harness_metric(text, M "records_parked_total") == BAD);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_rows_that_fail_leave_other_partitions_readable),
        cmocka_unit_test(wide_rows_that_fail_leave_what_lies_behind_them_readable),
        cmocka_unit_test(a_partitions_share),
        cmocka_unit_test(the_share_of_all),
        cmocka_unit_test(failing_orders_are_parked_in_time),
    };
    return pipeline_harness_main("pipeline_room", tests, sizeof tests / sizeof *tests);
}
