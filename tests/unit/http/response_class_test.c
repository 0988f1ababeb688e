/* response_class_test: the class of every status and failure, and what the operator may change. */
#include "http/response_class.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define D RESPONSE_DELIVERED
#define T RESPONSE_TRANSIENT
#define R RESPONSE_REFUSED
#define E RESPONSE_ENDPOINT

static void each_status(void **state)
{
    static const struct {
        int from, to;
        enum response_class class;
    } expected[] = {
        {-1, 99, E},   {100, 199, T}, {200, 299, D}, {300, 399, E}, {400, 400, R}, {401, 401, E},
        {402, 402, R}, {403, 404, E}, {405, 407, R}, {408, 408, T}, {409, 409, R}, {410, 410, E},
        {411, 424, R}, {425, 425, T}, {426, 428, R}, {429, 429, T}, {430, 499, R}, {500, 500, T},
        {501, 501, E}, {502, 504, T}, {505, 505, E}, {506, 599, T}, {600, 999, E},
    };
    struct response_rules rules;
    (void)state;
    response_rules_default(&rules);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        for (int status = expected[i].from; status <= expected[i].to; status++)
            if (response_classify(&rules, status, FAILURE_NONE) != expected[i].class)
                fail_msg("%d is not %s", status, response_class_names[expected[i].class]);
}

static void each_failure(void **state)
{
    static const char *const words[] = {"network",    "dns",  "proxy",
                                        "timeout",    "tls",  "closed_without_answer",
                                        "bad_answer", "local"};
    struct response_rules rules;
    char text[48];
    (void)state;
    response_rules_default(&rules);
    for (enum response_failure f = FAILURE_NETWORK; f <= FAILURE_LOCAL; f++) {
        assert_int_equal(response_classify(&rules, 0, f), RESPONSE_TRANSIENT);
        assert_string_equal(response_reason(0, f, text, sizeof text), words[f - 1]);
    }
    assert_string_equal(response_reason(503, FAILURE_NONE, text, sizeof text), "http:503");
}

static void answers_that_ask_for_a_slower_pace(void **state)
{
    static const struct {
        int status;
        bool has_retry_after, is_pace;
    } rows[] = {{429, false, true}, {429, true, true},  {503, true, true}, {503, false, false},
                {500, true, false}, {200, true, false}, {0, true, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(outcome_is_pace(rows[i].status, rows[i].has_retry_after), rows[i].is_pace);
}

static void an_operator_changes_classes(void **state)
{
    static const struct {
        int status;
        enum response_class class;
    } expected[] = {{408, T}, {409, T}, {410, E}, {411, T}, {412, T}, {413, R},
                    {519, T}, {520, R}, {527, R}, {528, T}, {300, T}, {399, T}};
    struct response_rules rules;
    struct error err = {0};
    (void)state;
    response_rules_default(&rules);
    assert_true(response_rules_change(&rules, "409, 411-412,3xx", T, &err));
    assert_true(response_rules_change(&rules, "520-527", R, &err));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_int_equal(response_classify(&rules, expected[i].status, FAILURE_NONE),
                         expected[i].class);
}

static void nonsense_is_refused_by_name(void **state)
{
    static const char *const lists[] = {"40",      "4000", "4xy",     "xx",  "6xx",     "0xx",
                                        "599-600", "99",   "420-410", "abc", "409-",    "-409",
                                        "409;410", "2xx",  "200",     "204", "100-200", "299-301",
                                        "409,,x",  "4 09", "409 -410"};
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct response_rules rules;
        struct error err = {0};
        response_rules_default(&rules);
        if (response_rules_change(&rules, lists[i], RESPONSE_REFUSED, &err))
            fail_msg("\"%s\" was taken", lists[i]);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_int_equal(response_classify(&rules, 204, FAILURE_NONE), RESPONSE_DELIVERED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_status),
                                       cmocka_unit_test(each_failure),
                                       cmocka_unit_test(answers_that_ask_for_a_slower_pace),
                                       cmocka_unit_test(an_operator_changes_classes),
                                       cmocka_unit_test(nonsense_is_refused_by_name)};
    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
