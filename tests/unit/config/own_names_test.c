/* own_names_test: what group and topics are called where nothing was said. */
#include "config/own_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void set(struct config *config, const char *name, const char *value)
{
    struct error err = {0};
    if (!config_set(config, name, value, "test", &err))
        fail_msg("%s", err.text);
}

static void names_derive_from_the_topic(void **state)
{
    struct error err = {0};
    struct config *c = config_new();
    (void)state;
    set(c, "kafka.topic", "shop.orders");
    assert_true(config_finish(c, 0, &err));
    assert_string_equal(c->kafka_group, "elementor-sync.shop.orders");
    assert_string_equal(c->parked_topic, "elementor-sync.shop.orders.parked");
    assert_string_equal(c->deliveries_topic, "elementor-sync.shop.orders.deliveries");
    assert_string_equal(c->retry_topic, "elementor-sync.shop.orders.retry");
    assert_string_equal(c->members_topic, "elementor-sync.shop.orders.members");
    assert_string_equal(c->control_topic, "elementor-sync.shop.orders.control");
    for (size_t i = 0; i < OWN_TOPIC_COUNT; i++)
        assert_true(c->derived.topics[i] && own_name_is_default(c, &own_names[i]));
    assert_true(c->derived.group);
    config_free(c);
}

static void what_was_set_stays(void **state)
{
    struct error err = {0};
    struct config *c = config_new();
    (void)state;
    set(c, "kafka.topic", "shop.orders");
    set(c, "kafka.group", "staging");
    set(c, "retry.topic", "again");
    assert_true(config_finish(c, 0, &err));
    assert_string_equal(c->kafka_group, "staging");
    assert_string_equal(c->parked_topic, "staging.parked");
    assert_string_equal(c->retry_topic, "again");
    assert_false(c->derived.group);
    for (size_t i = 0; i < OWN_TOPIC_COUNT; i++)
        assert_int_equal(c->derived.topics[i], own_name_of(c, &own_names[i]) != c->retry_topic);
    config_free(c);
}

/* A command that asks for no topic; check, which says that it is missing. */
static void without_a_topic_they_are_the_former_ones(void **state)
{
    struct error err = {0};
    struct config *c = config_new();
    (void)state;
    assert_true(config_finish(c, 0, &err));
    assert_string_equal(c->kafka_group, "elementor-sync");
    assert_string_equal(c->members_topic, "elementor-sync.members");
    config_free(c);
}

static void any_group_makes_a_topic(void **state)
{
    static const char *const groups[][2] = {{"a b/c:d", "a_b_c_d.retry"},
                                            {"caf\xc3\xa9", "caf_.retry"},
                                            {"\xe2\x82\xac\xf0\x9f\x9b\x92", "__.retry"},
                                            {".", "..retry"},
                                            {"\x80\xbf", ".retry"}};
    char text[TOPIC_NAME_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        assert_string_equal(own_topic_name(groups[i][0], "retry", text), groups[i][1]);
        assert_true(config_name_is_topic(text));
    }
}

/* At every length around the limit: allowed, stable, and another group's is another. */
static void long_names_are_cut_and_stay_apart(void **state)
{
    char group[600], other[600], one[TOPIC_NAME_MAX + 1], two[TOPIC_NAME_MAX + 1];
    (void)state;
    for (size_t len = 225; len < sizeof group; len++) {
        memset(group, 'g', len);
        group[len] = '\0';
        memcpy(other, group, len + 1);
        other[len - 1] = 'h';
        own_topic_name(group, "deliveries", one);
        own_topic_name(other, "deliveries", two);
        assert_true(config_name_is_topic(one));
        assert_string_not_equal(one, two);
        assert_string_equal(one + strlen(one) - strlen(".deliveries"), ".deliveries");
        assert_string_equal(own_topic_name(group, "deliveries", two), one);
        if (len + strlen(".deliveries") <= TOPIC_NAME_MAX)
            assert_int_equal(strlen(one), len + strlen(".deliveries"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_derive_from_the_topic),
        cmocka_unit_test(what_was_set_stays),
        cmocka_unit_test(without_a_topic_they_are_the_former_ones),
        cmocka_unit_test(any_group_makes_a_topic),
        cmocka_unit_test(long_names_are_cut_and_stay_apart),
    };
    return cmocka_run_group_tests_name("own_names", tests, NULL, NULL);
}
