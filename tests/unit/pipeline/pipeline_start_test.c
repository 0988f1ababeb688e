/* pipeline_start: where a partition begins: committed, at its beginning, at its end; or not at all.
 */
#include "fakes/pipeline_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define M "elementor_sync_"
enum { TEXT_MAX = 65536 };

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

static char text[TEXT_MAX];

static void await(struct pipeline_harness *w, const char *metric)
{
    pipeline_harness_await_scrape(w, "/metrics", metric, text, sizeof text);
}

static bool is_sent(struct pipeline_harness *w, const char *order)
{
    bool found = false;
    for (size_t i = 0; i < server_request_count(w->webhook); i++)
        found |= strstr(server_request(w->webhook, i)->body, order) != NULL;
    return found;
}

/* "latest" is a number before anything is read: what comes after the first start is sent, whatever
 * happens to that start; what was before is not. */
static void latest_is_committed_at_once(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_set(&w, "kafka.start", "latest");
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        pipeline_harness_confirm(&w, p, "before");
    pipeline_harness_start(&w);
    await(&w, M "partition_position{topic=\"orders\",partition=\"2\"} 3\n");
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        assert_int_equal(cluster_committed(&w.cluster, "shop", p), 3);
    pipeline_harness_confirm(&w, 1, "after");
    await(&w, M "partition_committed{topic=\"orders\",partition=\"1\"} 6\n");
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_non_null(strstr(server_request(w.webhook, 0)->body, "after"));
    assert_int_equal(server_request_count(w.webhook), 1);
    pipeline_harness_close(&w);
}

/* Another member has resolved "latest" for its own partition a moment before: this one's are as old
 * as that, and must not be sent from their beginning. */
static void latest_holds_for_members_that_start_together(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_set(&w, "kafka.start", "latest");
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        pipeline_harness_confirm(&w, p, "before");
    cluster_commit(&w.cluster, "shop", 0, 3, "1.3..n3");
    pipeline_harness_start(&w);
    await(&w, M "partition_position{topic=\"orders\",partition=\"2\"} 3\n");
    pipeline_harness_confirm(&w, 2, "after");
    await(&w, M "records_delivered_total 1\n");
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_int_equal(server_request_count(w.webhook), 1);
    assert_non_null(strstr(server_request(w.webhook, 0)->body, "after"));
    pipeline_harness_close(&w);
}

/* The topic had two partitions when the group began: the third is new, and nothing of it has been
 * seen. */
static void partitions_that_appear_later_start_at_their_beginning(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_set(&w, "kafka.start", "latest");
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        pipeline_harness_confirm(&w, p, "o");
    cluster_commit(&w.cluster, "shop", 0, 3, "1.3..n2");
    cluster_commit(&w.cluster, "shop", 1, 3, "1.3..n2");
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 1);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 2), 3);
    pipeline_harness_close(&w);
}

/* The next owner knows the offsets that are settled above the commit, and only those. */
static void the_window_of_the_last_owner_is_heeded(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    for (int i = 0; i < 6; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_produce(&w, 0, id, "06", "confirmed");
    }
    cluster_commit(&w.cluster, "shop", 0, 1,
                   "1.1.AQIBAQ"); /* open 1, settled 2, open 1, settled 1 */
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 2);
    assert_true(is_sent(&w, "\"o1\"") && is_sent(&w, "\"o4\""));
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 6);
    pipeline_harness_close(&w);
}

/* The group was reset to an offset that the text does not belong to: the operator's word counts. */
static void an_external_reset_is_heeded(void **state)
{
    static const char *const texts[] = {"", "1.1.AQIBAQ", "somebody else's", "1.0.!!"};
    (void)state;
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        struct pipeline_harness w;
        pipeline_harness_open(&w, accepting);
        for (int i = 0; i < 6; i++) {
            char id[16];
            snprintf(id, sizeof id, "o%d", i);
            pipeline_harness_produce(&w, 0, id, "06", "confirmed");
        }
        cluster_commit(&w.cluster, "shop", 0, 0, texts[t]);
        pipeline_harness_run_to_end(&w);
        assert_int_equal(server_request_count(w.webhook), 6);
        pipeline_harness_close(&w);
    }
}

/* ---- offsets that are not there ---- */

static void a_lost_offset_stops_its_partition_alone(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_confirm(&w, 1, "o2");
    cluster_commit(&w.cluster, "shop", 0, 1000, "");
    pipeline_harness_start(&w);
    await(&w, M "partition_stopped{topic=\"orders\",partition=\"0\"} 1\n");
    await(&w, M "records_delivered_total 1\n");
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 1000);
    pipeline_harness_close(&w);
}

static void until_the_end_fails_at_once_when_a_partition_stops(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_confirm(&w, 0, "o1");
    cluster_commit(&w.cluster, "shop", 0, 1000, "");
    assert_false(pipeline_harness_try_to_end(&w));
    assert_int_equal(w.err.code, ERROR_FAILED);
    assert_non_null(strstr(w.err.text, "partition 0"));
    pipeline_harness_close(&w);
}

static void an_operator_may_let_it_go_on(void **state)
{
    static const struct {
        const char *choice;
        size_t sent;
    } choices[] = {{"earliest", 2}, {"latest", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        struct pipeline_harness w;
        pipeline_harness_open(&w, accepting);
        pipeline_harness_set(&w, "kafka.lost_offsets", choices[i].choice);
        pipeline_harness_confirm(&w, 0, "o1");
        pipeline_harness_confirm(&w, 0, "o2");
        cluster_commit(&w.cluster, "shop", 0, 1000, "1.1000.AQE");
        pipeline_harness_run_to_end(&w);
        assert_int_equal(server_request_count(w.webhook), choices[i].sent);
        assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 6);
        pipeline_harness_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latest_is_committed_at_once),
        cmocka_unit_test(latest_holds_for_members_that_start_together),
        cmocka_unit_test(partitions_that_appear_later_start_at_their_beginning),
        cmocka_unit_test(the_window_of_the_last_owner_is_heeded),
        cmocka_unit_test(an_external_reset_is_heeded),
        cmocka_unit_test(a_lost_offset_stops_its_partition_alone),
        cmocka_unit_test(until_the_end_fails_at_once_when_a_partition_stops),
        cmocka_unit_test(an_operator_may_let_it_go_on),
    };
    return pipeline_harness_main("pipeline_start", tests, sizeof tests / sizeof *tests);
}
