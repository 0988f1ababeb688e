/* claims_test: paths of claims: names with dots, slashes and quotes; malformed ones. */
#include "dashboard/auth/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char document[] =
    "{\"role\":\"a\",\"app_metadata\":{\"role\":\"b\",\"my.role\":\"c\",\"https://x.y/r\":\"d\"},"
    "\"app_metadata.role\":\"e\",\"https://shop.example/role\":\"f\","
    "\"https://h.io/claims\":{\"x-role\":\"g\",\"x.y\":{\"z\":\"h\"}},\"list\":[{\"role\":\"i\"}],"
    "\"\":\"j\",\"text\":\"k\"}";

static void each_name_is_found(void **state)
{
    static const char *const paths[][2] = {
        {"role", "a"},
        {"app_metadata.role", "b"},
        {"app_metadata.\"role\"", "b"},
        {"\"app_metadata\".role", "b"},
        {"app_metadata.\"my.role\"", "c"},
        {"app_metadata.https://x.y/r", "d"},
        {"\"app_metadata.role\"", "e"},
        {"https://shop.example/role", "f"},
        {"\"https://shop.example/role\"", "f"},
        {"\"https://h.io/claims\".x-role", "g"},
        {"\"https://h.io/claims\".\"x.y\".z", "h"},
        {"app_metadata.my.role", NULL},
        {"https://h.io/claims.x-role", NULL},
        {"list.role", NULL},
        {"list.0.role", NULL},
        {"text.role", NULL},
        {"Role", NULL},
    };
    json_t *claims = json_loads(document, 0, NULL);
    struct error err = {0};
    (void)state;
    assert_non_null(claims);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_true(claims_check_path(paths[i][0], &err));
        const char *found = json_string_value(claims_find(claims, paths[i][0]));
        if ((found == NULL) != (paths[i][1] == NULL) ||
            (found != NULL && strcmp(found, paths[i][1]) != 0))
            fail_msg("%s: %s", paths[i][0], found);
    }
    json_decref(claims);
}

static void malformed_paths_are_said(void **state)
{
    static const char *const paths[] = {
        "",       ".",    "a.",  ".a",     "a..b",     "\"",    "\"\"",   "\"a",
        "\"a\"b", "a\"b", "a\"", "\"a\".", "\"a\"..b", "a.\"b", "a.\"\"", "\"a\"\"b\""};
    json_t *claims = json_loads(document, 0, NULL);
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct error err = {0};
        if (claims_check_path(paths[i], &err))
            fail_msg("taken: %s", paths[i]);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_null(json_string_value(claims_find(claims, paths[i])));
        claims_put(claims, paths[i], json_string("put")); /* leaks nothing */
    }
    json_decref(claims);
}

static void what_is_put_is_found(void **state)
{
    static const char *const paths[] = {"role", "app_metadata.shop.role",
                                        "https://shop.example/role",
                                        "\"https://h.io/jwt\".\"x.role\""};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        json_t *claims = json_object();
        claims_put(claims, paths[i], json_string("v"));
        assert_string_equal(json_string_value(claims_find(claims, paths[i])), "v");
        json_decref(claims);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_is_found),
        cmocka_unit_test(malformed_paths_are_said),
        cmocka_unit_test(what_is_put_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
