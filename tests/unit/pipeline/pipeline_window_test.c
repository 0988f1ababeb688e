/* pipeline_window: what an earlier owner settled above its commit is not sent again. */
#include "fakes/pipeline_harness.h"
#include "offsets/commit_metadata.h"

#include <string.h>

/* As the earlier owner would have: offset and text of one partition. */
static void commit(struct pipeline_harness *w, int32_t partition, int64_t offset, const char *text)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", w->cluster.brokers, NULL, 0);
    rd_kafka_conf_set(conf, "group.id", w->config->kafka_group, NULL, 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *p =
        rd_kafka_topic_partition_list_add(list, w->config->kafka_topic, partition);
    p->offset = offset;
    p->metadata = strdup(text); /* freed with the list */
    p->metadata_size = strlen(text);
    assert_int_equal(rd_kafka_commit(rk, list, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

/* Each text has another length: what lies behind one in memory must not be read as part of it. */
static void offsets_settled_above_the_commit_are_not_sent_again(void **state)
{
    enum { ORDERS = 8, AN_ORDER = 3 /* records, the second confirms */ };
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    for (int32_t partition = 0; partition < HARNESS_PARTITIONS; partition++) {
        struct offset_window window;
        char text[COMMIT_METADATA_MAX + 1];
        offset_window_init(&window, 1);
        for (int order = 0; order < ORDERS; order++) {
            char id[8] = {(char)('a' + partition), (char)('0' + order)};
            pipeline_harness_confirm(&w, partition, id);
            assert_true(offset_window_reserve(&window));
            uint64_t sequence = offset_window_open(&window, AN_ORDER * order + 1);
            if (order > 0 && order <= 2 * partition + 2) /* the first one stays open */
                offset_window_settle(&window, sequence);
        }
        assert_true(commit_metadata_write(&window, -1, NULL, text));
        offset_window_done(&window);
        commit(&w, partition, 1, text);
    }
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 3 * ORDERS - 2 - 4 - 6);
    for (size_t i = 0; i < server_request_count(w.webhook); i++)
        assert_null(strstr(server_request(w.webhook, i)->body, "\"order_id\":\"a1\""));
    pipeline_harness_close(&w);
}

/* Records that show no row before: what lies between two confirmations tells that they are two,
 * settled or not. */
static void status_of_a_passed_record_is_remembered(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_produce(&w, 0, "o1", "06", "confirmed");
    pipeline_harness_produce(&w, 0, "o1", "06", "pending");
    pipeline_harness_produce(&w, 0, "o1", "06", "confirmed");
    commit(&w, 0, 0, "1.0.AQE"); /* one open, one settled */
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 2);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 3);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_settled_above_the_commit_are_not_sent_again),
        cmocka_unit_test(status_of_a_passed_record_is_remembered),
    };
    return pipeline_harness_main("pipeline_window", tests, sizeof tests / sizeof *tests);
}
