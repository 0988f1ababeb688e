/* reader_test: a topic is read from somewhere while its partitions change their leaders. */
#include "fakes/cluster.h"
#include "kafka/reader.h"
#include "sys/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000 };

/* preview meets this right after a broker was lost; it ended with exit code 3. */
static void leaders_change(void **state)
{
    static const char *const froms[] = {"beginning", "2026-11-22T09:00:00Z"};
    (void)state;
    log_setup(LOG_ERROR, false);
    for (size_t i = 0; i < sizeof froms / sizeof *froms; i++) {
        struct cluster cluster;
        struct error err = {0};
        struct config *config = config_new();
        cluster_open(&cluster, 1);
        cluster_produce(&cluster, 0, "a", 1);
        assert_true(config_set(config, "kafka.brokers", cluster.brokers, "test", &err));
        assert_true(config_set(config, "kafka.topic", CLUSTER_TOPIC, "test", &err));
        cluster_settle(&cluster);
        rd_kafka_mock_push_request_errors(
            cluster.mock, CLUSTER_LIST_OFFSETS, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
        struct reader *reader = reader_new(config, froms[i], true, &err);
        if (reader == NULL)
            fail_msg("%s", err.text);
        rd_kafka_message_t *m = i == 0 ? reader_next(reader, PATIENCE_MS) : NULL;
        assert_int_equal(m != NULL, i == 0);
        if (m != NULL)
            rd_kafka_message_destroy(m);
        assert_true(reader_at_end(reader));
        reader_free(reader);
        config_free(config);
        cluster_close(&cluster);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(leaders_change)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
