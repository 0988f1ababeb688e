/* former_names: a group and topics of a former release, beside names that derive from the topic. */
#include "fakes/pipeline_harness.h"

#include "config/own_names.h"

#include <stdlib.h>
#include <string.h>

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

/* As after an upgrade: nothing is set but what was required before. */
static void open_unnamed(struct pipeline_harness *w)
{
    char text[TOPIC_NAME_MAX + 1];
    char **const names[] = {&w->config->kafka_group,      &w->config->parked_topic,
                            &w->config->deliveries_topic, &w->config->retry_topic,
                            &w->config->members_topic,    &w->config->control_topic};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        free(*names[i]);
        *names[i] = NULL;
    }
    assert_true(own_names_fill(w->config));
    for (size_t i = 0; i < OWN_TOPIC_COUNT; i++) {
        own_topic_name("elementor-sync." CLUSTER_TOPIC, own_names[i].suffix, text);
        cluster_settle(&w->cluster);
        assert_int_equal(rd_kafka_mock_topic_create(w->cluster.mock, text, HARNESS_PARTITIONS, 1),
                         0);
    }
}

/* Before, it began at kafka.start: everything again, or what lay between passed over. */
static void commits_of_the_former_group_are_not_left_behind(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    open_unnamed(&w);
    pipeline_harness_confirm(&w, 0, "o1");
    cluster_commit(&w.cluster, "elementor-sync", 0, 2, "");
    assert_false(pipeline_harness_try_to_end(&w));
    assert_int_equal(w.err.code, ERROR_CONFIG);
    assert_non_null(strstr(w.err.text, "kafka.group=elementor-sync "));
    assert_non_null(strstr(w.err.text, "kafka.group=elementor-sync.orders"));
    assert_int_equal(server_request_count(w.webhook), 0);
    pipeline_harness_set(&w, "kafka.group", "elementor-sync.orders"); /* said: it is meant */
    w.config->derived.group = false;
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 1);
    pipeline_harness_close(&w);
}

/* Every start after that. */
static void a_group_with_commits_of_its_own_goes_on(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    open_unnamed(&w);
    pipeline_harness_confirm(&w, 0, "o1");
    cluster_commit(&w.cluster, "elementor-sync", 0, 2, "");
    cluster_commit(&w.cluster, "elementor-sync.orders", 0, 0, "");
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 1);
    assert_int_equal(cluster_committed(&w.cluster, "elementor-sync.orders", 0), 3);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_of_the_former_group_are_not_left_behind),
        cmocka_unit_test(a_group_with_commits_of_its_own_goes_on),
    };
    return pipeline_harness_main("former_names", tests, sizeof tests / sizeof *tests);
}
