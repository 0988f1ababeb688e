/* topic_policy: which cleanup.policy loses what the program keeps in a topic. */
#include "topics/settings/cleanup_policy_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void each_policy(void **state)
{
    static const struct {
        bool compact;
        const char *policy, *advice; /* "": it is right */
    } cases[] = {
        {true, "compact", ""},
        {false, "delete", ""},
        {true, "delete", "set cleanup.policy=compact"},
        {true, "compact,delete", "set cleanup.policy=compact"},
        {false, "compact", "set cleanup.policy=delete"},
        {false, "compact,delete", "set cleanup.policy=delete"},
        {true, "", ""}, /* not known */
        {false, "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *fault = topic_policy_fault(cases[i].compact, cases[i].policy);
        bool right =
            cases[i].advice[0] == '\0' ? fault[0] == '\0' : strstr(fault, cases[i].advice) != NULL;
        if (!right)
            fail_msg("%s: \"%s\"", cases[i].policy, fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_policy)};
    return cmocka_run_group_tests_name("topic_policy", tests, NULL, NULL);
}
