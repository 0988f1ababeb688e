/* environment: names of the shop's own, and variables that are meant to be options. */
#include "config/load/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { VARIABLES_MAX = 5 };

static struct config *load(const char *const *variables)
{
    struct error err = {0};
    char *environment[VARIABLES_MAX + 1] = {NULL};
    struct config *config = config_new();
    assert_non_null(config);
    for (size_t i = 0; i < VARIABLES_MAX && variables[i] != NULL; i++)
        environment[i] = (char *)(uintptr_t)variables[i];
    if (!environment_load(config, environment, &err))
        fail_msg("%s", err.text);
    return config;
}

static void headers_have_variables(void **state)
{
    static const char *const variables[VARIABLES_MAX] = {
        "WEBHOOK_HEADERS_X_API_KEY_FILE=header", "WEBHOOK_HEADERS_X_SHOP=amina",
        "REGISTRY_HEADERS_X_REGISTRY_GROUPID=shop",
        "WEBHOOK_HEADERS_=", "TRACE_HEADERS_AUTHORIZATION_FILE=header"};
    FILE *file = fopen("header", "w");
    (void)state;
    assert_non_null(file);
    fputs("s3cr3t\n", file);
    fclose(file);
    struct config *config = load(variables);
    unlink("header");
    assert_int_equal(config->webhook_header_count, 2);
    assert_string_equal(config->webhook_headers[0].name, "x-api-key");
    assert_string_equal(config->webhook_headers[0].value, "s3cr3t");
    assert_string_equal(config->webhook_headers[1].name, "x-shop");
    assert_string_equal(config->webhook_headers[1].value, "amina");
    assert_int_equal(config->registry_header_count, 1);
    assert_string_equal(config->registry_headers[0].name, "x-registry-groupid");
    assert_int_equal(config->trace_header_count, 1);
    assert_string_equal(config->trace_headers[0].name, "authorization");
    assert_string_equal(config->trace_headers[0].value, "s3cr3t");
    config_free(config);
}

static void a_header_of_the_programs_own_is_refused(void **state)
{
    char *environment[] = {(char *)(uintptr_t) "WEBHOOK_HEADERS_WEBHOOK_ID=x", NULL};
    struct error err = {0};
    struct config *config = config_new();
    (void)state;
    assert_false(environment_load(config, environment, &err));
    assert_non_null(strstr(err.text, "WEBHOOK_HEADERS_WEBHOOK_ID"));
    config_free(config);
}

static void typing_errors_are_warned_of(void **state)
{
    static const struct {
        const char *variable, *warning; /* NULL: none */
    } cases[] = {
        {"KAFKA_BROKER=h:9092",
         "the variable KAFKA_BROKER has no effect; did you mean KAFKA_BROKERS?"},
        {"WEBHOOK_SIGNING_KEY=whsec_s3cr3t",
         "the variable WEBHOOK_SIGNING_KEY has no effect; did you mean WEBHOOK_SIGNING_KEYS?"},
        {"WEBHOOK_SIGNING_KEY_FILE=x",
         "the variable WEBHOOK_SIGNING_KEY_FILE has no effect; did you "
         "mean WEBHOOK_SIGNING_KEYS_FILE?"},
        {"ELEMENTOR_WEBOOK_URL=x",
         "the variable ELEMENTOR_WEBOOK_URL has no effect; did you mean ELEMENTOR_WEBHOOK_URL?"},
        {"PAYLOAD_FIELDS_CLIENT_FONE=x",
         "the variable PAYLOAD_FIELDS_CLIENT_FONE has no effect; did "
         "you mean PAYLOAD_FIELDS_CLIENT_PHONE?"},
        {"KAFKA_BROKERS_FILE=x",
         "KAFKA_BROKERS_FILE has no effect: only secrets are read from files"},
        {"KAFKA_BROKERS=x", NULL},
        {"ELEMENTOR_WEBHOOK_URL=x", NULL},
        {"KAFKA_BROKER=", NULL},
        /* what Kubernetes and others set */
        {"KAFKA_PORT=tcp://10.0.0.1:9092", NULL},
        {"KAFKA_SERVICE_HOST=10.0.0.1", NULL},
        {"KAFKA_PORT_9092_TCP=x", NULL},
        {"WEBHOOK_SERVICE_PORT=80", NULL},
        {"LOGNAME=amina", NULL},
        {"PATH=/bin", NULL},
        {"NO_SIGN", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const variables[VARIABLES_MAX] = {cases[i].variable};
        struct config *config = load(variables);
        if (cases[i].warning == NULL && config->warning_count > 0)
            fail_msg("%s: %s", cases[i].variable, config->warnings[0]);
        if (cases[i].warning != NULL) {
            assert_int_equal(config->warning_count, 1);
            assert_string_equal(config->warnings[0], cases[i].warning);
        }
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_have_variables),
        cmocka_unit_test(a_header_of_the_programs_own_is_refused),
        cmocka_unit_test(typing_errors_are_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
