/* labels_check_test: labels that PHP would make one name of. */
#include "config/load/labels_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *option, *label, *expected;
} cases[] = {
    {"payload.labels.client_name", "Nom", ""},
    {"payload.labels.client_phone", "T\xc3\xa9l. (mobile)", ""},
    {"payload.labels.client_name", "client_name", ""},
    {"payload.labels.client_name", " client.phone",
     "payload.labels.client_name: \" client.phone\" reaches a receiver in PHP under the name that "
     "\"client_phone\" has too; use another label"},
    {"payload.labels.status", "form name",
     "payload.labels.status: \"form name\" reaches a receiver in PHP under the name that "
     "\"form_name\" has too; use another label"},
    {"payload.labels.client_city", "form[id",
     "payload.labels.client_city: \"form[id\" reaches a receiver in PHP under the name that "
     "\"form_id\" has too; use another label"}};

static void each_label(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config *config = config_new();
        struct error err = {0};
        assert_non_null(config);
        assert_true(config_set(config, cases[i].option, cases[i].label, "test", &err));
        assert_int_equal(labels_check(config, &err), cases[i].expected[0] == '\0');
        assert_string_equal(err.text, cases[i].expected);
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_label)};
    return cmocka_run_group_tests_name("labels_check", tests, NULL, NULL);
}
