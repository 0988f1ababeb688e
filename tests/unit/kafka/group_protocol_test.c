/* group_protocol_test: which answers about a group tell of members of the other protocol. The
 * coordinator's answers are the test's own (wrapped at link time). */
#include "kafka/group/group_protocol.h"

#include "kafka/group/group_listing.h"
#include "kafka/group/group_members.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct {
    bool answers, listed;
    size_t classic;
} coordinator;

bool __wrap_group_members_list(rd_kafka_t *rk, const char *group, const char *own, int timeout_ms,
                               struct group_members *ret, struct error *err);
bool __wrap_group_members_list(rd_kafka_t *rk, const char *group, const char *own, int timeout_ms,
                               struct group_members *ret, struct error *err)
{
    (void)rk, (void)timeout_ms;
    assert_string_equal(group, "shop");
    assert_null(own);
    *ret = (struct group_members){.count = coordinator.classic};
    return coordinator.answers || error_set(err, ERROR_UNREACHABLE, "no answer");
}

bool __wrap_group_is_listed_with_members(rd_kafka_t *rk, const char *group, int timeout_ms);
bool __wrap_group_is_listed_with_members(rd_kafka_t *rk, const char *group, int timeout_ms)
{
    (void)rk, (void)timeout_ms;
    assert_string_equal(group, "shop");
    return coordinator.listed;
}

static bool has_other(const char *protocol, size_t classic, bool listed)
{
    struct error err = {0};
    struct config *config = config_new();
    assert_non_null(config);
    assert_true(config_set(config, "kafka.group", "shop", "test", &err));
    assert_true(config_set(config, "kafka.properties.group.protocol", protocol, "test", &err));
    coordinator.classic = classic;
    coordinator.listed = listed;
    bool other = group_has_other_protocol(NULL, config, 1);
    config_free(config);
    return other;
}

static void a_classic_member_sees_those_that_are_listed_and_not_named(void **state)
{
    (void)state;
    coordinator.answers = true;
    assert_true(has_other("classic", 0, true));
    assert_false(has_other("classic", 0, false));
    assert_false(has_other("classic", 1, true));
}

static void a_member_of_the_brokers_own_sees_those_that_are_named(void **state)
{
    (void)state;
    coordinator.answers = true;
    assert_true(has_other("consumer", 1, true));
    assert_false(has_other("consumer", 0, true));
    assert_false(has_other("consumer", 0, false));
}

static void without_an_answer_nothing_is_said(void **state)
{
    (void)state;
    coordinator.answers = false;
    assert_false(has_other("classic", 0, true));
    assert_false(has_other("consumer", 1, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_classic_member_sees_those_that_are_listed_and_not_named),
        cmocka_unit_test(a_member_of_the_brokers_own_sees_those_that_are_named),
        cmocka_unit_test(without_an_answer_nothing_is_said),
    };
    return cmocka_run_group_tests_name("group_protocol", tests, NULL, NULL);
}
