/* member_properties_test: the properties with which librdkafka makes a member of the group. */
#include "kafka/group/member_properties.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The property, as librdkafka has it with that option set; "": none. */
static const char *property_with(const char *option, const char *value, const char *property)
{
    static char text[256];
    size_t size = sizeof text;
    struct error err = {0};
    struct config *config = config_new();
    assert_non_null(config);
    assert_true(config_set(config, "kafka.topic", "orders", "test", &err));
    assert_true(config_finish(config, 0, &err));
    if (option != NULL && !config_set(config, option, value, "test", &err))
        fail_msg("%s", err.text);
    rd_kafka_conf_t *conf = kafka_member_conf(config, &err);
    if (conf == NULL)
        fail_msg("%s", err.text);
    text[0] = '\0';
    (void)rd_kafka_conf_get(conf, property, text, &size); /* UNKNOWN where it has no value */
    rd_kafka_conf_destroy(conf);
    config_free(config);
    return text;
}

static void an_instance_is_a_static_member(void **state)
{
    (void)state;
    assert_string_equal(property_with(NULL, NULL, "group.instance.id"), "");
    assert_string_equal(property_with("kafka.instance", "shop-1", "group.instance.id"), "shop-1");
}

static void the_session_is_short_and_has_its_heartbeats(void **state)
{
    static const char session[] = "session.timeout.ms", heartbeat[] = "heartbeat.interval.ms";
    (void)state;
    assert_string_equal(property_with(NULL, NULL, session), "10000");
    assert_string_equal(property_with(NULL, NULL, heartbeat), "3000");
    assert_string_equal(property_with("session.timeout", "6s", session), "6000");
    assert_string_equal(property_with("session.timeout", "6s", heartbeat), "2000");
    assert_string_equal(property_with("session.timeout", "1m", heartbeat), "3000");
}

/* The pipeline alone commits, and topics are made by this program or not at all. */
static void the_group_is_ours_to_commit(void **state)
{
    (void)state;
    assert_string_equal(property_with(NULL, NULL, "group.id"), "elementor-sync.orders");
    assert_string_equal(property_with(NULL, NULL, "enable.auto.commit"), "false");
    assert_string_equal(property_with(NULL, NULL, "enable.auto.offset.store"), "false");
    assert_string_equal(property_with(NULL, NULL, "allow.auto.create.topics"), "false");
}

/* Else a partition whose queue was full waits a second, whatever room there is by then. */
static void a_full_queue_is_looked_at_again_soon(void **state)
{
    (void)state;
    if (rd_kafka_version() < 0x02020000)
        skip(); /* it does not rest */
    assert_string_equal(property_with(NULL, NULL, "fetch.queue.backoff.ms"), "20");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instance_is_a_static_member),
        cmocka_unit_test(the_session_is_short_and_has_its_heartbeats),
        cmocka_unit_test(the_group_is_ours_to_commit),
        cmocka_unit_test(a_full_queue_is_looked_at_again_soon),
    };
    return cmocka_run_group_tests_name("member_properties", tests, NULL, NULL);
}
