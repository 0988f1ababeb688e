/* pipeline_bounds: what a crash may send again is bounded, and the bound never stands in the way.
 */
#include "fakes/pipeline_harness.h"

#include <stdio.h>
#include <string.h>

/* One delivery may be uncovered, and it fails at first: it must be tried again all the same. */
static void uncommitted_max_does_not_block_retries(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, BUSY, 2}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.uncommitted_max", "1");
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_confirm(&w, 0, "o2");
    pipeline_harness_confirm(&w, 1, "o3");
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 5);
    pipeline_harness_close(&w);
}

/* The same behind an open breaker: every order that was sent rests, and one of them must probe. */
static void uncommitted_max_does_not_block_probes(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, BUSY, 6}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.uncommitted_max", "2");
    pipeline_harness_set(&w, "breaker.failures_in_row", "2");
    pipeline_harness_set(&w, "breaker.probe_first", "1ms");
    pipeline_harness_set(&w, "breaker.probe_cap", "2ms");
    for (int i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_confirm(&w, i % HARNESS_PARTITIONS, id);
    }
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 11);
    pipeline_harness_close(&w);
}

/* One partition's orders all hang; the others' go on, and it is read no further than its share. */
static void stuck_partition_leaves_room_for_others(void **state)
{
    enum { WARM = 200, STUCK = 60, SHARE = 8, OTHERS = 20 };
    static const struct server_rule webhook[] = {
        {"stuck", SERVER_HOLD, NO_CONTENT, SHARE}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char text[65536];
    struct pipeline_harness w;
    char id[16];
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "inflight.partition_records", "8");
    pipeline_harness_set(&w, "inflight.records", "40");
    cluster_begin_many(&w.cluster);
    for (int i = 0; i < WARM; i++) { /* until 16 requests may be under way */
        snprintf(id, sizeof id, "warm%d", i);
        pipeline_harness_produce(&w, 1 + i % 2, id, "06", "confirmed");
    }
    cluster_end_many(&w.cluster);
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_webhook_concurrency 16\n", text,
                                  sizeof text);
    pipeline_harness_await_requests(&w, WARM);
    for (int i = 0; i < STUCK; i++) {
        snprintf(id, sizeof id, "stuck%d", i);
        pipeline_harness_produce(&w, 0, id, "06", "confirmed");
    }
    pipeline_harness_await_requests(&w, WARM + SHARE);
    for (int i = 0; i < OTHERS; i++) {
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_produce(&w, 1, id, "06", "confirmed");
    }
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_records_delivered_total 220\n",
                                  text, sizeof text);
    assert_true(pipeline_harness_metric(text, "elementor_sync_partition_position{topic=\"orders\","
                                              "partition=\"0\"}") == SHARE);
    server_release(w.webhook);
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_records_delivered_total 280\n",
                                  text, sizeof text);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), STUCK);
    pipeline_harness_close(&w);
}

/* More gaps than the commit's metadata can tell: what is delivered at their lower end is covered by
 * the watermark all the same, and makes room for the next one. */
static void ragged_window_blocks_no_other_partition(void **state)
{
    enum { ORDERS = 1600, SOME = 20 };
    static const struct server_rule webhook[] = {
        {NULL, SERVER_HOLD, NO_CONTENT, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char text[65536];
    struct pipeline_harness w;
    char id[16];
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.uncommitted_max", "1");
    pipeline_harness_set(&w, "webhook.concurrency", "1024"); /* reads as far ahead */
    pipeline_harness_set(&w, "inflight.bytes", "64MiB");
    cluster_begin_many(&w.cluster);
    for (int i = 0; i < ORDERS; i++) {
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_produce(&w, 0, id, "06", "confirmed");
        cluster_produce(&w.cluster, 0, NULL, 0);
    }
    cluster_end_many(&w.cluster);
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(
        &w, "/metrics",
        "elementor_sync_partition_position{topic=\"orders\",partition=\"0\"} 3200\n", text,
        sizeof text);
    server_release(w.webhook);
    pipeline_harness_await_requests(&w, SOME);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    pipeline_harness_close(&w);
}

/* The same, and the order at the lower end comes again: it is the last in line by then. Its
 * predecessors are in the metadata, however little of the rest is. */
static void deliveries_told_by_cut_metadata_are_covered(void **state)
{
    enum { ORDERS = 1600, SOME = 20 };
    static const struct server_rule webhook[] = {
        {NULL, SERVER_HOLD, NO_CONTENT, 3}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char text[65536];
    struct pipeline_harness w;
    char id[16];
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.uncommitted_max", "3");
    pipeline_harness_set(&w, "webhook.concurrency", "1024"); /* reads as far ahead */
    pipeline_harness_set(&w, "inflight.bytes", "64MiB");
    pipeline_harness_confirm(&w, 0, "again");
    pipeline_harness_confirm(&w, 0, "again");
    cluster_begin_many(&w.cluster);
    for (int i = 0; i < ORDERS; i++) {
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_produce(&w, 0, id, "06", "confirmed");
        cluster_produce(&w.cluster, 0, NULL, 0);
    }
    cluster_end_many(&w.cluster);
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(
        &w, "/metrics",
        "elementor_sync_partition_position{topic=\"orders\",partition=\"0\"} 3206\n", text,
        sizeof text);
    server_release(w.webhook);
    pipeline_harness_await_requests(&w, SOME);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    pipeline_harness_close(&w);
}

/* Four orders for each slot, besides those that are under way: more would only take memory. */
static void reading_stays_near_what_requests_need(void **state)
{
    enum { ORDERS = 60 };
    static const struct server_rule webhook[] = {
        {NULL, SERVER_HOLD, NO_CONTENT, 2}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char text[65536];
    struct pipeline_harness w;
    char id[16];
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.concurrency", "2");
    for (int i = 0; i < ORDERS; i++) {
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_produce(&w, 0, id, "06", "confirmed");
    }
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 2);
    pipeline_harness_await_scrape(
        &w, "/metrics", "elementor_sync_partition_position{topic=\"orders\",partition=\"0\"} 10\n",
        text, sizeof text);
    server_release(w.webhook);
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_records_delivered_total 60\n",
                                  text, sizeof text);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uncommitted_max_does_not_block_retries),
        cmocka_unit_test(uncommitted_max_does_not_block_probes),
        cmocka_unit_test(stuck_partition_leaves_room_for_others),
        cmocka_unit_test(ragged_window_blocks_no_other_partition),
        cmocka_unit_test(deliveries_told_by_cut_metadata_are_covered),
        cmocka_unit_test(reading_stays_near_what_requests_need),
    };
    return pipeline_harness_main("pipeline_bounds", tests, sizeof tests / sizeof *tests);
}
