/* config_load_test: file, environment and --set: which one wins, and every error's exact words.
 * Each case runs in a directory of the test's own, with its text in shop.yaml and its secret in a
 * file named secret. */
#include "config/load/load.h"

#include "config/load/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define CANARY "hunter2-canary"

/* ---- surroundings ---- */

static char folder[256];

static int enter_folder(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/config_load_test.XXXXXX", parent != NULL ? parent : "/tmp");
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave_folder(void **state)
{
    (void)state;
    return chdir("..") != 0 || rmdir(folder) != 0;
}

static void write_file(const char *path, const char *text, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

struct input {
    const char *yaml;           /* NULL: no file */
    const char *environment[6]; /* up to the first NULL */
    const char *sets[4];        /* up to the first NULL */
    const char *secret;         /* the file "secret"; NULL: there is none */
};

static struct config *fresh(void)
{
    struct config *config = config_new();
    assert_non_null(config);
    return config;
}

static bool load(const struct input *input, struct config *config, struct error *err)
{
    char *environment[sizeof input->environment / sizeof *input->environment + 1] = {NULL};
    size_t set_count = 0;
    for (size_t i = 0; input->environment[i] != NULL; i++)
        environment[i] = (char *)(uintptr_t)input->environment[i];
    while (set_count < sizeof input->sets / sizeof *input->sets && input->sets[set_count] != NULL)
        set_count++;
    if (input->yaml != NULL)
        write_file("shop.yaml", input->yaml, strlen(input->yaml));
    if (input->secret != NULL)
        write_file("secret", input->secret, strlen(input->secret));
    bool ok = config_load(config, input->yaml != NULL ? "shop.yaml" : NULL, environment,
                          input->sets, set_count, err);
    unlink("shop.yaml");
    unlink("secret");
    return ok;
}

/* ---- values ---- */

struct value_case {
    struct input input;
    const char *name, *expected; /* NULL: unset */
};

static const struct value_case value_cases[] = {
    /* the file's forms */
    {{.yaml = "kafka:\n  brokers: a:9092\n"}, "kafka.brokers", "a:9092"},
    {{.yaml = "kafka.brokers: a:9092\n"}, "kafka.brokers", "a:9092"},
    {{.yaml = "kafka: {brokers: 'a:9092'}"}, "kafka.brokers", "a:9092"},
    {{.yaml = "kafka: {topic: t}\nkafka.brokers: b\n"}, "kafka.brokers", "b"},
    {{.yaml = "\xef\xbb\xbfkafka.brokers: b\r\n"}, "kafka.brokers", "b"},
    {{.yaml = "kafka.brokers: \"null\"\n"}, "kafka.brokers", "null"},
    {{.yaml = "kafka:\n  properties:\n    sasl:\n      username: u\n"}, "sasl.username", "u"},
    {{.yaml = "kafka.properties.client.rack: ''\n"}, "client.rack", ""},
    {{.yaml = "kafka.properties:\n  client.id: x # of the shop\n"}, "client.id", "x"},
    {{.yaml = "payload:\n  fields:\n    order_id: nr\n"}, "payload.fields.order_id", "nr"},
    /* what the environment fills in */
    {{.yaml = "webhook.url: https://${HOST}/${PATH_}\n",
      .environment = {"HOST=h", "PATH_=" CANARY}},
     "webhook.url",
     "https://h/" CANARY},
    {{.yaml = "kafka.brokers: ${HOST:-localhost}:${PORT:-9092}\n", .environment = {"PORT=1"}},
     "kafka.brokers",
     "localhost:1"},
    {{.yaml = "kafka.brokers: ${HOST:-}a\n", .environment = {"HOST="}}, "kafka.brokers", "a"},
    {{.yaml = "kafka.brokers: $${HOST} $HOST $5 $\n"}, "kafka.brokers", "${HOST} $HOST $5 $"},
    {{.yaml = "kafka.brokers: ${A}\n", .environment = {"A=${B}", "B=c"}}, "kafka.brokers", "${B}"},
    /* empty documents */
    {{.yaml = ""}, "rule.column", "status"},
    {{.yaml = "# nothing yet\n"}, "rule.column", "status"},
    {{.yaml = "---\n"}, "rule.column", "status"},
    {{.yaml = "{}\n"}, "rule.column", "status"},
    /* file < environment < --set */
    {{.yaml = "kafka.brokers: f", .environment = {"KAFKA_BROKERS=e"}}, "kafka.brokers", "e"},
    {{.yaml = "kafka.brokers: f", .sets = {"kafka.brokers=s"}}, "kafka.brokers", "s"},
    {{.environment = {"KAFKA_BROKERS=e"}, .sets = {"kafka.brokers=s"}}, "kafka.brokers", "s"},
    {{.yaml = "kafka.brokers: f",
      .environment = {"KAFKA_BROKERS=e"},
      .sets = {"kafka.brokers=s", "kafka.brokers=s2"}},
     "kafka.brokers",
     "s2"},
    {{.yaml = "kafka.properties.client.id: f",
      .environment = {"KAFKA_PROPERTIES_CLIENT_ID=e"},
      .sets = {"kafka.properties.client.id=s=t"}},
     "client.id",
     "s=t"},
    {{.yaml = "kafka.properties.client.id: f", .environment = {"KAFKA_PROPERTIES_CLIENT_ID=e"}},
     "client.id",
     "e"},
    /* the environment */
    {{.yaml = "kafka.brokers: f", .environment = {"KAFKA_BROKERS="}}, "kafka.brokers", "f"},
    {{.environment = {"KAFKA_BROKERS=first", "KAFKA_BROKERS=second"}}, "kafka.brokers", "first"},
    {{.environment = {"KAFKA_BROKERSX=x", "KAFKA=y", "no sign", "WEBHOK_URL=z"}},
     "kafka.brokers",
     NULL},
    {{.environment = {"KAFKA_PORT=tcp://x", "KAFKA_PROPERTIES_=x", "KAFKA_PROPERTIES_A="}},
     "a",
     NULL},
    {{.environment = {"PAYLOAD_FIELDS_ORDER_ID=nr", "PAYLOAD_FIELDS_COLOUR=red"}},
     "payload.fields.order_id",
     "nr"},
    {{.environment = {"KAFKA_BROKERS_FILE=secret"}, .secret = "x"}, "kafka.brokers", NULL},
    {{.environment = {"WEBHOOK_URL=" CANARY}}, "webhook.url", CANARY},
    {{.environment = {"ELEMENTOR_WEBHOOK_URL=" CANARY}}, "webhook.url", CANARY},
    {{.yaml = "webhook.url: f", .environment = {"ELEMENTOR_WEBHOOK_URL=e"}}, "webhook.url", "e"},
    {{.environment = {"ELEMENTOR_WEBHOOK_URL=e"}, .sets = {"webhook.url=s"}}, "webhook.url", "s"},
    {{.environment = {"WEBHOOK_URL=" CANARY, "ELEMENTOR_WEBHOOK_URL=" CANARY}},
     "webhook.url",
     CANARY},
    {{.environment = {"WEBHOOK_URL=", "ELEMENTOR_WEBHOOK_URL=" CANARY}}, "webhook.url", CANARY},
    {{.environment = {"KAFKA_PROPERTIES_SASL_PASSWORD=" CANARY}}, "sasl.password", CANARY},
    /* secrets in files */
    {{.environment = {"WEBHOOK_URL_FILE=secret"}, .secret = CANARY}, "webhook.url", CANARY},
    {{.environment = {"WEBHOOK_URL_FILE=secret"}, .secret = CANARY "\n"}, "webhook.url", CANARY},
    {{.environment = {"WEBHOOK_URL_FILE=secret"}, .secret = CANARY "\r\n"}, "webhook.url", CANARY},
    {{.environment = {"WEBHOOK_URL_FILE=secret"}, .secret = "\xef\xbb\xbf" CANARY "\r\n"},
     "webhook.url",
     CANARY},
    {{.environment = {"REGISTRY_PASSWORD_FILE=secret"}, .secret = " two words "},
     "registry.password",
     " two words "},
    {{.environment = {"ELEMENTOR_WEBHOOK_URL_FILE=secret"}, .secret = CANARY},
     "webhook.url",
     CANARY},
    {{.environment = {"ELEMENTOR_WEBHOOK_URL_FILE=secret", "WEBHOOK_URL=" CANARY},
      .secret = CANARY "\n"},
     "webhook.url",
     CANARY},
    {{.environment = {"WEBHOOK_URL_FILE=", "WEBHOOK_URL=" CANARY}}, "webhook.url", CANARY},
    {{.environment = {"KAFKA_PROPERTIES_SASL_PASSWORD_FILE=secret"}, .secret = CANARY "\n"},
     "sasl.password",
     CANARY},
    {{.environment = {"KAFKA_PROPERTIES_SSL_CRL_FILE=secret"}}, "ssl.crl.file", "secret"},
};

/* The text of an option, or of a librdkafka property. */
static const char *text_of(const struct config *c, const char *name)
{
    if (strcmp(name, "kafka.brokers") == 0)
        return c->kafka_brokers;
    if (strcmp(name, "kafka.group") == 0)
        return c->kafka_group;
    if (strcmp(name, "rule.column") == 0)
        return c->rule_column;
    if (strcmp(name, "webhook.url") == 0)
        return c->webhook_url;
    if (strcmp(name, "registry.password") == 0)
        return c->registry_password;
    if (strcmp(name, "payload.fields.order_id") == 0)
        return c->payload_column[FIELD_ORDER_ID];
    for (size_t i = 0; i < c->kafka_property_count; i++)
        if (strcmp(c->kafka_properties[i].name, name) == 0)
            return c->kafka_properties[i].value;
    return NULL;
}

static void values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value_cases / sizeof *value_cases; i++) {
        const struct value_case *t = &value_cases[i];
        struct config *config = fresh();
        struct error err = {0};
        if (!load(&t->input, config, &err))
            fail_msg("case %zu: %s", i, err.text);
        const char *value = text_of(config, t->name);
        if ((value == NULL) != (t->expected == NULL))
            fail_msg("case %zu: %s is %s", i, t->name, value != NULL ? value : "unset");
        if (value != NULL)
            assert_string_equal(value, t->expected);
        config_free(config);
    }
}

/* Every option of the table answers to its own variable, and the secret ones to a file. */
static void every_option_has_a_variable(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_option_count; i++) {
        char name[64], plain[128], file[128];
        config_environment_name(config_options[i].name, name, sizeof name);
        snprintf(plain, sizeof plain, "%s=\x01\n", name); /* wrong for every type */
        snprintf(file, sizeof file, "%s_FILE=/nowhere/at/all", name);
        struct config *config = fresh();
        struct error err = {0};
        assert_false(load(&(struct input){.environment = {plain}}, config, &err));
        assert_memory_equal(err.text, name, strlen(name));
        err = (struct error){0};
        assert_int_equal(load(&(struct input){.environment = {file}}, config, &err),
                         !config_options[i].secret);
        config_free(config);
    }
}

/* ---- errors ---- */

struct error_case {
    struct input input;
    const char *expected;
};

#define WRITE "write options as NAME: VALUE, such as kafka.brokers: localhost:9092"
#define ANCHORS \
    "anchors (&) and aliases (*) are not supported; quote a value that begins with one of these"
#define TAGS "tags (!) are not supported; quote a value that begins with one"
#define NO_NAME "this is not an option's name; names look like kafka.brokers"
#define HOW_TO_SET "--set: write NAME=VALUE, such as --set webhook.timeout=5s"
#define CONTROL "WEBHOOK_URL_FILE: secret contains a control character or a second line"
#define NO_VARIABLE                                                                              \
    "\"${\" does not begin a variable here; write ${NAME} or ${NAME:-default}, and $${ for the " \
    "two "                                                                                       \
    "characters themselves"
#define TOKEN "found character that cannot start any token while scanning for the next token"

static const struct error_case error_cases[] = {
    /* shape */
    {{.yaml = "- a\n- b\n"}, "shop.yaml:1: " WRITE},
    {{.yaml = "\n" CANARY "\n"}, "shop.yaml:2: " WRITE},
    {{.yaml = "? [a, b]\n: c\n"}, "shop.yaml:1: " WRITE},
    {{.yaml = "kafka:\n  {a: b}: c\n"}, "shop.yaml:2: kafka: " WRITE},
    {{.yaml = "kafka:\n  brokers:\n    - a\n    - b\n"},
     "shop.yaml:3: kafka.brokers: is a list; one value is expected"},
    {{.yaml = "kafka.brokers: [a, b]\n"},
     "shop.yaml:1: kafka.brokers: is a list; one value is expected"},
    {{.yaml = "kafka: x\n"},
     "shop.yaml:1: \"kafka\" is a group of options, such as \"kafka.brokers\""},
    {{.yaml = "kafka:\n  brokers:\n    host: x\n"},
     "shop.yaml:3: unknown option \"kafka.brokers.host\"; did you mean \"kafka.brokers\"?"},
    {{.yaml = "kafka.group: a\n---\nkafka.group: b\n"},
     "shop.yaml:2: a second document begins here; write one"},
    /* names */
    {{.yaml = "\nwebhook:\n  urll: " CANARY "\n"},
     "shop.yaml:3: unknown option \"webhook.urll\"; did you mean \"webhook.url\"?"},
    {{.yaml = "https://" CANARY "/: x\n"}, "shop.yaml:1: " NO_NAME},
    {{.yaml = "kafka:\n  '': x\n"}, "shop.yaml:2: kafka: " NO_NAME},
    {{.yaml = "\"kafka.group\\0x\": a\n"}, "shop.yaml:1: " NO_NAME},
    {{.yaml = "kafka.properties.a23456789a23456789a23456789a23456789a23456789a23456789a:\n"
              "  b23456789b23456789b23456789b23456789b23456789b23456789b23456789b: x\n"},
     "shop.yaml:2: kafka.properties.a23456789a23456789a23456789a23456789a23456789a23456789a: the "
     "option's name is too long"},
    /* duplicates */
    {{.yaml = "kafka.group: a\nkafka.topic: t\nkafka.group: a\n"},
     "shop.yaml:3: kafka.group: set twice, first in line 1"},
    {{.yaml = "kafka:\n  group: a\nkafka.group: b\n"},
     "shop.yaml:3: kafka.group: set twice, first in line 2"},
    {{.yaml = "kafka:\n  group: a\nkafka:\n  topic: b\n"},
     "shop.yaml:3: kafka: set twice, first in line 1"},
    /* values */
    {{.yaml = "kafka.topic: t\nkafka.group:\nkafka.brokers: b\n"},
     "shop.yaml:2: kafka.group: has no value"},
    {{.yaml = "kafka.group: ~\n"}, "shop.yaml:1: kafka.group: has no value"},
    {{.yaml = "kafka.group: null\n"}, "shop.yaml:1: kafka.group: has no value"},
    {{.yaml = "kafka.group: NULL\n"}, "shop.yaml:1: kafka.group: has no value"},
    {{.yaml = "kafka:\n"}, "shop.yaml:1: kafka: has no value"},
    {{.yaml = "kafka.group: \"\"\n"},
     "shop.yaml:1: kafka.group: has no value; leave it out to keep the default"},
    {{.yaml = "\nwebhook:\n  timeout: 10\n"},
     "shop.yaml:3: webhook.timeout: \"10\" has no unit; write a duration such as 250ms, 5s, 2m, 1h "
     "(100ms to 5m)"},
    {{.yaml = "kafka.properties.acks: all\n"},
     "shop.yaml:1: kafka.properties.acks: cannot be set: records are parked with acks=all and "
     "idempotence, or they could be lost; this cannot be changed"},
    {{.yaml = "webhook.url: |\n  " CANARY "\n"},
     "shop.yaml:1: webhook.url: has a line break in its value"},
    {{.yaml = "webhook.url: \"" CANARY "\\0\"\n"},
     "shop.yaml:1: webhook.url: has a NUL in its value"},
    {{.yaml = "kafka.group: &a x\n"}, "shop.yaml:1: kafka.group: " ANCHORS},
    {{.yaml = "kafka: &a\n  group: x\n"}, "shop.yaml:1: kafka: " ANCHORS},
    {{.yaml = "kafka.group: &a [x]\n"}, "shop.yaml:1: kafka.group: " ANCHORS},
    {{.yaml = "webhook.url: *" CANARY "\n"}, "shop.yaml:1: webhook.url: " ANCHORS},
    {{.yaml = "webhook.url: !vault " CANARY "\n"}, "shop.yaml:1: webhook.url: " TAGS},
    /* what the environment does not fill in */
    {{.yaml = "\nkafka.brokers: ${HOST}:9092\n", .environment = {"HOST="}},
     "shop.yaml:2: kafka.brokers: ${HOST} is not set in the environment"},
    {{.yaml = "webhook.url: ${" CANARY "\n"}, "shop.yaml:1: webhook.url: " NO_VARIABLE},
    {{.yaml = "webhook.url: ${}\n"}, "shop.yaml:1: webhook.url: " NO_VARIABLE},
    {{.yaml = "webhook.url: ${5}\n"}, "shop.yaml:1: webhook.url: " NO_VARIABLE},
    {{.yaml = "webhook.url: ${A:-" CANARY "\n"}, "shop.yaml:1: webhook.url: " NO_VARIABLE},
    {{.yaml = "kafka.group: ${A}\n", .environment = {"A=\n"}},
     "shop.yaml:1: kafka.group: has a line break in its value"},
    /* syntax */
    {{.yaml = "kafka:\n\tbrokers: a\n"},
     "shop.yaml:2: not YAML: " TOKEN "; indent with spaces, not tabs"},
    {{.yaml = "kafka:\n  group: a\n \ttopic: b\n"},
     "shop.yaml:3: not YAML: found a tab character that violates indentation while scanning a "
     "plain "
     "scalar; indent with spaces, not tabs"},
    {{.yaml = "webhook.url: @" CANARY "\n"}, "shop.yaml:1: not YAML: " TOKEN},
    {{.yaml = "webhook.url: \"" CANARY "\n"},
     "shop.yaml:2: not YAML: found unexpected end of stream while scanning a quoted scalar"},
    {{.yaml = "kafka:\n  group: a\n topic: b\n"},
     "shop.yaml:3: not YAML: did not find expected key while parsing a block mapping"},
    {{.yaml = "kafka.group: a\nkafka.topic: \xff\n"},
     "shop.yaml:2: not YAML: invalid leading UTF-8 octet"},
    {{.yaml = "kafka.group: a\n\nkafka.topic: a\x01\n"},
     "shop.yaml:3: not YAML: control characters are not allowed"},
    /* the environment */
    {{.environment = {"WEBHOOK_TIMEOUT=10"}},
     "WEBHOOK_TIMEOUT: webhook.timeout: \"10\" has no unit; write a duration such as 250ms, 5s, "
     "2m, "
     "1h (100ms to 5m)"},
    {{.environment = {"WEBHOOK_URL=" CANARY "\n"}},
     "WEBHOOK_URL: webhook.url: has a line break in its value"},
    {{.environment = {"ELEMENTOR_WEBHOOK_URL=" CANARY "\r"}},
     "ELEMENTOR_WEBHOOK_URL: webhook.url: has a line break in its value"},
    {{.environment = {"KAFKA_PROPERTIES_GROUP_ID=x"}},
     "KAFKA_PROPERTIES_GROUP_ID: kafka.properties.group.id: cannot be set: use kafka.group"},
    {{.environment = {"ELEMENTOR_WEBHOOK_URL=" CANARY, "WEBHOOK_URL=" CANARY "2"}},
     "ELEMENTOR_WEBHOOK_URL and WEBHOOK_URL are both webhook.url and differ; keep one"},
    {{.environment = {"ELEMENTOR_WEBHOOK_URL_FILE=secret", "WEBHOOK_URL=" CANARY "2"},
      .secret = CANARY},
     "ELEMENTOR_WEBHOOK_URL_FILE and WEBHOOK_URL are both webhook.url and differ; keep one"},
    /* secrets in files */
    {{.environment = {"WEBHOOK_URL=" CANARY, "WEBHOOK_URL_FILE=secret"}, .secret = CANARY},
     "WEBHOOK_URL and WEBHOOK_URL_FILE are both set; keep one"},
    {{.environment = {"ELEMENTOR_WEBHOOK_URL_FILE=secret", "ELEMENTOR_WEBHOOK_URL=" CANARY}},
     "ELEMENTOR_WEBHOOK_URL and ELEMENTOR_WEBHOOK_URL_FILE are both set; keep one"},
    {{.environment = {"KAFKA_PROPERTIES_SASL_PASSWORD=" CANARY,
                      "KAFKA_PROPERTIES_SASL_PASSWORD_FILE=secret"}},
     "KAFKA_PROPERTIES_SASL_PASSWORD and KAFKA_PROPERTIES_SASL_PASSWORD_FILE are both set; keep "
     "one"},
    {{.environment = {"REGISTRY_TOKEN_FILE=/nowhere/at/all"}},
     "REGISTRY_TOKEN_FILE: /nowhere/at/all cannot be read: No such file or directory"},
    {{.environment = {"REGISTRY_TOKEN_FILE=" CANARY}},
     "REGISTRY_TOKEN_FILE: the file it names cannot be read: No such file or directory"},
    {{.environment = {"WEBHOOK_URL_FILE=."}}, "WEBHOOK_URL_FILE: . cannot be read: Is a directory"},
    {{.environment = {"WEBHOOK_URL_FILE=secret"}, .secret = ""},
     "WEBHOOK_URL_FILE: secret is empty"},
    {{.environment = {"WEBHOOK_URL_FILE=secret"}, .secret = "\xef\xbb\xbf\r\n"},
     "WEBHOOK_URL_FILE: secret is empty"},
    {{.environment = {"WEBHOOK_URL_FILE=secret"}, .secret = CANARY "\n\n"}, CONTROL},
    {{.environment = {"WEBHOOK_URL_FILE=secret"}, .secret = CANARY "\r"}, CONTROL},
    {{.environment = {"WEBHOOK_URL_FILE=secret"}, .secret = "\t" CANARY}, CONTROL},
    {{.environment = {"WEBHOOK_URL_FILE=secret"}, .secret = CANARY "\x7f"}, CONTROL},
    {{.environment = {"WEBHOOK_URL_FILE=secret"}, .secret = CANARY "\xff"},
     "WEBHOOK_URL_FILE: webhook.url: its value is not valid UTF-8"},
    /* --set */
    {{.sets = {"webhok.url=" CANARY}},
     "--set: unknown option \"webhok.url\"; did you mean \"webhook.url\"?"},
    {{.sets = {CANARY}}, HOW_TO_SET},
    {{.sets = {"=" CANARY}}, HOW_TO_SET},
    {{.sets = {"kafka.group="}},
     "--set: kafka.group: has no value; leave it out to keep the default"},
    {{.sets = {"kafka.group=fine", "kafka.start=never"}},
     "--set: kafka.start: \"never\" is not one of earliest|latest"},
};

static void errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof error_cases / sizeof *error_cases; i++) {
        struct config *config = fresh();
        struct error err = {0};
        assert_false(load(&error_cases[i].input, config, &err));
        assert_string_equal(err.text, error_cases[i].expected);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_null(strstr(err.text, CANARY));
        config_free(config);
    }
}

/* ---- the example ---- */

#define EXAMPLE TESTS_DIR "/../docker/shop.yaml"

static void example_is_complete(void **state)
{
    (void)state;
    char *environment[] = {"ELEMENTOR_WEBHOOK_URL=https://" CANARY, NULL};
    struct config *config = fresh();
    struct error err = {0};
    if (!config_load(config, EXAMPLE, environment, NULL, 0, &err) ||
        !config_finish(config,
                       CONFIG_NEED_KAFKA | CONFIG_NEED_START | CONFIG_NEED_REGISTRY |
                           CONFIG_NEED_WEBHOOK,
                       &err))
        fail_msg("%s", err.text);
    assert_int_equal(config->warning_count, 0);
    assert_string_equal(config->kafka_brokers, "localhost:9092");
    assert_string_equal(config->webhook_url, "https://" CANARY);
    config_free(config);
    int lines = 0;
    FILE *file = fopen(EXAMPLE, "r");
    assert_non_null(file);
    for (int c; (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    assert_in_range(lines, 1, 10);
}

/* ---- rights ---- */

/* Expects this warning of secrets in the file "secret" or in shop.yaml, which have `mode`. */
static void expect_warning(const char *yaml, const char *variable, mode_t mode,
                           const char *expected)
{
    char *environment[] = {(char *)(uintptr_t)variable, NULL};
    struct config *config = fresh();
    struct error err = {0};
    write_file("shop.yaml", yaml, strlen(yaml));
    write_file("secret", CANARY, strlen(CANARY));
    assert_int_equal(chmod("shop.yaml", mode) | chmod("secret", mode), 0);
    if (!config_load(config, "shop.yaml", environment, NULL, 0, &err))
        fail_msg("%s", err.text);
    assert_int_equal(config->warning_count, expected != NULL);
    if (expected != NULL)
        assert_string_equal(config->warnings[0], expected);
    unlink("shop.yaml");
    unlink("secret");
    config_free(config);
}

/* The same without a file of options. */
static void expect_file_warning(mode_t mode, const char *expected)
{
    char *environment[] = {(char[]){"WEBHOOK_URL_FILE=secret"}, NULL};
    struct config *config = fresh();
    struct error err = {0};
    write_file("secret", CANARY, strlen(CANARY));
    assert_int_equal(chmod("secret", mode), 0);
    assert_true(config_load(config, NULL, environment, NULL, 0, &err));
    assert_int_equal(config->warning_count, expected != NULL);
    if (expected != NULL)
        assert_string_equal(config->warnings[0], expected);
    unlink("secret");
    config_free(config);
}

static void public_secrets_are_warned_of(void **state)
{
    (void)state;
    const char *file = "WEBHOOK_URL_FILE: secret can be read by every user of this machine; chmod "
                       "600 it (640 with the group of the program's user)";
    const char *yaml = "shop.yaml: webhook.url is a secret in a file that every user of this "
                       "machine can read; chmod 600 it, or take the secret from the environment";
    expect_warning("", "WEBHOOK_URL_FILE=secret", 0644, file);
    expect_warning("", "WEBHOOK_URL_FILE=secret", 0640, NULL);
    expect_warning("webhook.url: " CANARY, NULL, 0644, yaml);
    expect_warning("webhook.url: " CANARY, NULL, 0600, NULL);
    expect_warning("webhook.url: " CANARY "\nregistry.token: " CANARY, NULL, 0644, yaml);
    expect_warning("webhook.url: ${U}", "U=" CANARY, 0644, NULL);
    expect_warning("kafka.properties.sasl.password: " CANARY, NULL, 0604,
                   "shop.yaml: kafka.properties.sasl.password is a secret in a file that every "
                   "user of this machine can read; chmod 600 it, or take the secret from the "
                   "environment");
    expect_warning("kafka.properties.sasl.username: u", NULL, 0644, NULL);
}

/* A user who may write the webhook's URL can have the orders. */
static void secrets_that_others_may_change_are_warned_of(void **state)
{
    (void)state;
    expect_warning("", NULL, 0602,
                   "shop.yaml can be changed by every user of "
                   "this machine, and with it where orders are sent; chmod go-w it");
    expect_file_warning(0602, "WEBHOOK_URL_FILE: secret can be changed by every user of this "
                              "machine; chmod 600 it (640 with the group of the program's user)");
    expect_file_warning(0666, "WEBHOOK_URL_FILE: secret can be read and changed by every user of "
                              "this machine; chmod 600 it (640 with the group of the program's "
                              "user)");
    expect_file_warning(0640, NULL);
}

static void look_at_pair(const struct input *input, const char *key_option)
{
    struct config *config = fresh();
    write_file("shop.pem", "one", 3);
    write_file("shop.key", "one", 3);
    assert_int_equal(chmod("shop.key", 0600), 0);
    assert_true(load(input, config, NULL));
    assert_int_equal(config->warning_count, 0);
    struct reload *reload = reload_new(config);
    assert_non_null(reload);
    assert_false(reload_look(reload));
    write_file("shop.pem", "another", 7);
    assert_false(reload_look(reload)); /* it may be half written */
    assert_true(reload_look(reload));
    write_file("shop.key", "another", 7);
    assert_int_equal(chmod("shop.key", 0644), 0);
    assert_false(reload_look(reload));
    assert_true(reload_look(reload));
    reload_free(reload);
    config_free(config);
    config = fresh();
    assert_true(load(input, config, NULL));
    assert_int_equal(config->warning_count, 1);
    assert_non_null(strstr(config->warnings[0], key_option));
    assert_non_null(strstr(config->warnings[0], ": shop.key can be read by every"));
    config_free(config);
    unlink("shop.pem");
    unlink("shop.key");
}

/* Replaced at any time by what renews certificates, as secrets are. */
static void a_certificate_is_looked_at_like_a_secret(void **state)
{
    (void)state;
    const struct input webhook = {
        .sets = {"webhook.cert_file=shop.pem", "webhook.key_file=shop.key"}};
    const struct input registry = {
        .sets = {"registry.cert_file=shop.pem", "registry.key_file=shop.key"}};
    look_at_pair(&webhook, "webhook.key_file");
    look_at_pair(&registry, "registry.key_file");
}

static void forbidden_secret(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* the file's owner must be another than this process */
    char expected[512], path[300], variable[320];
    struct config *config = fresh();
    struct error err = {0};
    write_file("secret", CANARY, strlen(CANARY));
    snprintf(path, sizeof path, "%s/secret", folder);
    snprintf(variable, sizeof variable, "WEBHOOK_URL_FILE=%s", path);
    char *environment[] = {variable, NULL};
    assert_int_equal(chmod("secret", 0600) | chmod(".", 0755) | seteuid(65534), 0);
    bool ok = config_load(config, NULL, environment, NULL, 0, &err);
    assert_int_equal(seteuid(0), 0);
    assert_false(ok);
    snprintf(expected, sizeof expected,
             "WEBHOOK_URL_FILE: %s cannot be read: Permission denied; this process runs as user "
             "65534, which must own the file or share its group",
             path);
    assert_string_equal(err.text, expected);
    unlink("secret");
    config_free(config);
}

/* ---- files ---- */

static char *nothing[] = {NULL};

static void expect_file_error(const char *path, const char *expected)
{
    struct config *config = fresh();
    struct error err = {0};
    assert_false(config_load(config, path, nothing, NULL, 0, &err));
    assert_string_equal(err.text, expected);
    assert_int_equal(err.code, ERROR_CONFIG);
    config_free(config);
}

static void unreadable_file(void **state)
{
    (void)state;
    expect_file_error("absent.yaml", "absent.yaml: cannot be read: No such file or directory");
    expect_file_error(".", ".: cannot be read: Is a directory");
}

/* A file of comments: at its limit it is read, one byte above it is refused. */
static void file_size(void **state)
{
    (void)state;
    const size_t limit = (size_t)1024 * 1024;
    char *text = malloc(limit + 1);
    assert_non_null(text);
    memset(text, '#', limit + 1);
    for (size_t i = 99; i < limit; i += 100)
        text[i] = '\n';
    write_file("shop.yaml", text, limit);
    struct config *config = fresh();
    struct error err = {0};
    assert_true(config_load(config, "shop.yaml", nothing, NULL, 0, &err));
    config_free(config);
    write_file("shop.yaml", text, limit + 1);
    expect_file_error("shop.yaml", "shop.yaml: is larger than 1024 KiB");
    unlink("shop.yaml");
    free(text);
}

static void secret_size(void **state)
{
    (void)state;
    enum { LIMIT = 64 * 1024 };
    static char text[LIMIT + 2], *environment[] = {"REGISTRY_TOKEN_FILE=secret", NULL};
    struct error err = {0};
    struct config *config = fresh();
    memset(text, 'x', LIMIT + 1);
    write_file("secret", text, LIMIT);
    assert_true(config_load(config, NULL, environment, NULL, 0, &err));
    assert_int_equal(strlen(config->registry_token), LIMIT);
    write_file("secret", text, LIMIT + 1);
    assert_false(config_load(config, NULL, environment, NULL, 0, &err));
    assert_string_equal(err.text, "REGISTRY_TOKEN_FILE: secret is larger than 64 KiB");
    write_file("secret", "a\0b", 3);
    err = (struct error){0};
    assert_false(config_load(config, NULL, environment, NULL, 0, &err));
    assert_non_null(strstr(err.text, "contains a control character"));
    unlink("secret");
    config_free(config);
}

/* A pipe can be read once: each secret file is opened once only. */
static void secret_from_a_pipe(void **state)
{
    (void)state;
    int ends[2];
    char variable[64], *environment[] = {variable, NULL};
    struct error err = {0};
    struct config *config = fresh();
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], CANARY "\n", sizeof CANARY), sizeof CANARY);
    close(ends[1]);
    snprintf(variable, sizeof variable, "WEBHOOK_URL_FILE=/dev/fd/%d", ends[0]);
    assert_true(config_load(config, NULL, environment, NULL, 0, &err));
    assert_string_equal(config->webhook_url, CANARY);
    close(ends[0]);
    config_free(config);
}

static void too_many_options(void **state)
{
    (void)state;
    FILE *file = fopen("shop.yaml", "w");
    assert_non_null(file);
    for (int i = 1; i <= 1001; i++)
        fprintf(file, "kafka.properties.p%d: x\n", i);
    fclose(file);
    expect_file_error("shop.yaml", "shop.yaml:1001: kafka.properties.p1001: too many options");
    unlink("shop.yaml");
}

/* A path's line breaks do not break the message's one line, nor does its length push out the rest.
 */
static void strange_path(void **state)
{
    (void)state;
    char path[600] = "a\nb";
    expect_file_error(path, "a b: cannot be read: No such file or directory");
    memset(path, 'p', sizeof path - 1);
    struct error err = {0};
    struct config *config = fresh();
    assert_false(config_load(config, path, nothing, NULL, 0, &err));
    assert_non_null(strstr(err.text, "ppp...: cannot be read: File name too long"));
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(every_option_has_a_variable),
        cmocka_unit_test(errors),
        cmocka_unit_test(example_is_complete),
        cmocka_unit_test(public_secrets_are_warned_of),
        cmocka_unit_test(secrets_that_others_may_change_are_warned_of),
        cmocka_unit_test(a_certificate_is_looked_at_like_a_secret),
        cmocka_unit_test(forbidden_secret),
        cmocka_unit_test(unreadable_file),
        cmocka_unit_test(file_size),
        cmocka_unit_test(secret_size),
        cmocka_unit_test(secret_from_a_pipe),
        cmocka_unit_test(too_many_options),
        cmocka_unit_test(strange_path),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
