/* topic_keeps_test: which settings of the orders' topic lose orders. */
#include "topics/settings/topic_keeps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DAY INT64_C(86400000)

static void each_setting(void **state)
{
    static const struct {
        struct topic_settings settings;
        enum topic_keeps keeps;
        const char *why;
    } cases[] = {
        {{"delete", 7 * DAY, -1, 0}, TOPIC_KEEPS, ""},
        {{"delete", -1, -1, 0}, TOPIC_KEEPS, ""},
        {{"", 60000, 5, 0}, TOPIC_KEEPS, ""}, /* not known */
        {{"delete", 60000, -1, 0}, TOPIC_LOSES, "retention.ms=60000 (1m)"},
        {{"delete", 0, -1, 0}, TOPIC_LOSES, "retention.ms=0"},
        {{"delete", DAY, -1, 0}, TOPIC_KEEPS_LITTLE, "set retention.ms=604800000"},
        {{"delete", 7 * DAY, 1048576, 0}, TOPIC_KEEPS_LITTLE, "retention.bytes=1048576"},
        {{"compact", 60000, 5, 0}, TOPIC_LOSES, "set cleanup.policy=delete"},
        {{"compact", -1, -1, 7 * DAY}, TOPIC_KEEPS_LITTLE, "set cleanup.policy=delete"},
        {{"compact,delete", 60000, -1, 0},
         TOPIC_LOSES,
         "cleanup.policy=delete; retention.ms=60000"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[TOPIC_KEEPS_TEXT];
        enum topic_keeps keeps = topic_keeps_orders(&cases[i].settings, why);
        if (keeps != cases[i].keeps || strstr(why, cases[i].why) == NULL ||
            (keeps == TOPIC_KEEPS) != (*why == '\0'))
            fail_msg("%d: %d \"%s\"", (int)i, (int)keeps, why);
    }
}

/* Compaction of "compact" alone ignores the retention, and says nothing of it. */
static void only_what_has_an_effect(void **state)
{
    char why[TOPIC_KEEPS_TEXT];
    const struct topic_settings settings = {"compact", 60000, 5, 0};
    (void)state;
    topic_keeps_orders(&settings, why);
    assert_null(strstr(why, "retention"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_setting),
                                       cmocka_unit_test(only_what_has_an_effect)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
