/* The command line by a command's table: what is taken, what is refused, and in which words. */
#include "cli/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

struct options {
    bool flag;
    const char *text;
    int64_t count, duration;
};

static const struct argument own[] = {
    {"--flag", ARGUMENT_FLAG, offsetof(struct options, flag), "", ""},
    {"--text", ARGUMENT_TEXT, offsetof(struct options, text), "T", ""},
    {"--count", ARGUMENT_COUNT, offsetof(struct options, count), "N", ""},
    {"--duration", ARGUMENT_DURATION, offsetof(struct options, duration), "D", ""},
};
static const struct command sing = {.name = "sing",
                                    .arguments = own,
                                    .argument_count = sizeof own / sizeof *own,
                                    .options_size = sizeof(struct options)};
static const struct command *const commands[] = {&sing, NULL};

/* Words separated by single spaces, the program's name before them. */
static bool parse(const char *line, struct invocation *call, struct error *err)
{
    static char words[400];
    char *argv[32] = {"elementor-sync"}, *rest;
    int argc = 1;
    strncpy(words, line, sizeof words - 1);
    for (char *w = strtok_r(words, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
        argv[argc++] = w;
    *err = (struct error){0};
    return arguments_parse(argc, argv, commands, call, err);
}

static void what_is_given_is_filled(void **state)
{
    struct invocation call;
    struct error err;
    (void)state;
    assert_true(parse("sing --config a.yaml --flag --text la --count 3 --set x=1 --duration 2m "
                      "--set y=2",
                      &call, &err));
    const struct options *o = (const void *)call.options;
    assert_ptr_equal(call.command, &sing);
    assert_string_equal(call.config_path, "a.yaml");
    assert_int_equal(call.set_count, 2);
    assert_string_equal(call.sets[1], "y=2");
    assert_true(o->flag);
    assert_string_equal(o->text, "la");
    assert_int_equal(o->count, 3);
    assert_int_equal(o->duration, 120000);
}

static void values_may_follow_a_sign(void **state)
{
    struct invocation call;
    struct error err;
    (void)state;
    assert_true(
        parse("sing --config=a.yaml --text=la=la --count=3 --set=x=1 --flag --text=", &call, &err));
    const struct options *o = (const void *)call.options;
    assert_string_equal(call.config_path, "a.yaml");
    assert_int_equal(call.set_count, 1);
    assert_string_equal(call.sets[0], "x=1");
    assert_string_equal(o->text, "");
    assert_int_equal(o->count, 3);
    assert_true(o->flag);
}

static void what_is_not_given_is_told_apart(void **state)
{
    struct invocation call;
    struct error err;
    (void)state;
    assert_true(parse("sing", &call, &err));
    const struct options *o = (const void *)call.options;
    assert_false(o->flag);
    assert_null(o->text);
    assert_int_equal(o->count, -1);
    assert_int_equal(o->duration, -1);
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"", "say what to do; there are sing; see elementor-sync help"},
        {"dance", "dance: no such command; see elementor-sync help"},
        {"sign", "sign: no such command; did you mean sing?"},
        {"help sign", "sign: no such command; did you mean sing?"},
        {"help dance --loud", "dance: no such command; see elementor-sync help"},
        {"help https://h/s3cr3t", "that word: no such command"},
        {"sing --loud", "--loud: sing has no such argument; see elementor-sync help sing"},
        {"sing --cuont 3", "--cuont: sing has no such argument; did you mean --count?"},
        {"sing --cuont=3", "--cuont: sing has no such argument; did you mean --count?"},
        {"sing --flag=yes", "--flag takes no value"},
        {"sing --count=", "--count: \"\" is not a whole number"},
        {"sing again", "a word of the command line is not an argument of sing (not shown"},
        {"sing --set webhook.url https://h/s3cr3t", "--set: write NAME=VALUE in one word"},
        {"sing --set webhook.signing_keys=whsec_a s3cr3t", "not shown"},
        {"sing --url=https://h/s3cr3t", "--url: sing has no such argument"},
        {"sing --set=x --https://h/s3cr3t", "--set: write NAME=VALUE in one word"},
        {"sing --https://h/s3cr3t=x", "a word of the command line"},
        {"https://h/s3cr3t", "that word: no such command"},
        {"sing --text", "--text: its value is missing"},
        {"sing --set", "--set: its value is missing"},
        {"sing --count none", "--count: \"none\" is not a whole number"},
        {"sing --count 0", "--count: \"0\" is not a whole number"},
        {"sing --count 99999999999999999999", "is not a whole number"},
        {"sing --duration soon", "--duration: "},
    };
    struct invocation call;
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(parse(cases[i].line, &call, &err));
        assert_int_equal(err.code, ERROR_CONFIG);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("\"%s\" says: %s", cases[i].line, err.text);
        assert_null(strstr(err.text, "s3cr3t"));
    }
}

/* Every user of the machine can read argv. */
static void secrets_leave_argv(void **state)
{
    char url[] = "webhook.url=https://h/s3cr3t", key[] = "kafka.properties.sasl.password=s3cr3t",
         brokers[] = "kafka.brokers=u:s3cr3t@h", plain[] = "log.level=warn",
         joined[] = "--set=webhook.url=https://h/s3cr3t";
    char *argv[] = {"elementor-sync", "sing",  "--set", url,   "--set", key,
                    "--set",          brokers, "--set", plain, joined,  NULL};
    struct invocation call;
    struct error err = {0};
    struct config *config = config_new();
    (void)state;
    assert_non_null(config);
    assert_true(arguments_parse(11, argv, commands, &call, &err));
    assert_true(arguments_hide(&call, config, &err));
    assert_string_equal(url, "webhook.url=xxxxxxxxxxxxxxxx");
    assert_string_equal(key, "kafka.properties.sasl.password=xxxxxx");
    assert_string_equal(brokers, "kafka.brokers=xxxxxxxxxx");
    assert_string_equal(plain, "log.level=warn");
    assert_string_equal(call.sets[0], "webhook.url=https://h/s3cr3t");
    assert_string_equal(call.sets[1], "kafka.properties.sasl.password=s3cr3t");
    assert_ptr_equal(call.sets[3], plain);
    assert_string_equal(joined, "--set=webhook.url=xxxxxxxxxxxxxxxx");
    assert_int_equal(config->warning_count, 4);
    assert_non_null(strstr(config->warnings[0], "--set webhook.url: a secret on the command line"));
    for (size_t i = 0; i < config->warning_count; i++)
        assert_null(strstr(config->warnings[i], "s3cr3t"));
    arguments_done(&call);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_is_filled),
        cmocka_unit_test(values_may_follow_a_sign),
        cmocka_unit_test(what_is_not_given_is_told_apart),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(secrets_leave_argv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
