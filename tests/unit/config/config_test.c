/* config_test: every option's default, every error's exact words, what is required, what
 * contradicts. */
#include "config/config.h"
#include "config/suggest.h"
#include "config/value.h"
#include "order/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NO_SECRET "hunter2-canary"

static struct config *fresh(void)
{
    struct config *config = config_new();
    assert_non_null(config);
    return config;
}

static void set(struct config *config, const char *name, const char *value)
{
    struct error err = {0};
    if (!config_set(config, name, value, "test", &err))
        fail_msg("%s", err.text);
}

/* ---- defaults ---- */

static void defaults(void **state)
{
    (void)state;
    struct config *c = fresh();
    assert_null(c->kafka_brokers);
    assert_null(c->webhook_url);
    assert_null(c->registry_password);
    assert_null(c->kafka_group); /* derived: own_names_test */
    assert_null(c->parked_topic);
    assert_int_equal(c->kafka_start, -1);
    assert_int_equal(c->rule_assume_op, -1);
    assert_int_equal(c->rule_snapshot, RULE_SNAPSHOT_SKIP);
    assert_int_equal(c->payload_shape, PAYLOAD_NESTED);
    assert_int_equal(c->log_level, LOG_LEVEL_INFO);
    assert_int_equal(c->log_format, LOG_FORMAT_LOGFMT);
    assert_false(c->webhook_allow_http);
    assert_int_equal(c->webhook_concurrency, 16);
    assert_int_equal(c->webhook_timeout, 30000);
    assert_int_equal(c->retry_cap, 60000);
    assert_int_equal(c->retry_unknown_attempts, 5);
    assert_int_equal(c->commit_interval, 20);
    assert_int_equal(c->webhook_response_max, 65536);
    assert_int_equal(c->inflight_bytes, 4194304);
    assert_int_equal(c->kafka_property_count, 0);
    for (size_t f = 0; f < FIELD_COUNT; f++)
        assert_string_equal(c->payload_column[f], payload_field_columns[f]);
    config_free(c);
    config_free(NULL);
}

/* The table itself: each word that may be chosen can be, each default is within its own range. */
static void table_is_sound(void **state)
{
    (void)state;
    struct config *c = fresh();
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *o = &config_options[i];
        assert_true(o->min <= o->max);
        assert_true(strlen(o->name) < CONFIG_NAME_MAX && config_name_is_plain(o->name));
        assert_int_equal(o->secret, strcmp(o->type, "SECRET") == 0);
        assert_int_equal(*o->allowed != '\0', strcmp(o->type, "CHOICE") == 0);
        if (o->fallback != NULL)
            set(c, o->name, o->fallback);
    }
    config_free(c);
}

/* ---- values ---- */

struct value_case {
    const char *name, *value;
    int64_t expected;
};

static const struct value_case value_cases[] = {
    {"webhook.timeout", "100ms", 100},   {"webhook.timeout", "250ms", 250},
    {"webhook.timeout", "5s", 5000},     {"webhook.timeout", "2m", 120000},
    {"webhook.timeout", "5m", 300000},   {"webhook.timeout", "007s", 7000},
    {"commit.interval", "0ms", 0},       {"retry.cap", "1h", 3600000},
    {"retry.cap", "24h", 86400000},      {"retry.cap", "1d", 86400000},
    {"webhook.concurrency", "1", 1},     {"webhook.concurrency", "1024", 1024},
    {"inflight.bytes", "65536", 65536},  {"inflight.bytes", "64KiB", 65536},
    {"inflight.bytes", "8MiB", 8388608}, {"inflight.bytes", "16GiB", 17179869184},
};

static int64_t value_of(const struct config *c, const char *name)
{
    if (strcmp(name, "webhook.timeout") == 0)
        return c->webhook_timeout;
    if (strcmp(name, "commit.interval") == 0)
        return c->commit_interval;
    if (strcmp(name, "retry.cap") == 0)
        return c->retry_cap;
    if (strcmp(name, "webhook.concurrency") == 0)
        return c->webhook_concurrency;
    return strcmp(name, "inflight.bytes") == 0 ? c->inflight_bytes : -1;
}

static void values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value_cases / sizeof *value_cases; i++) {
        struct config *c = fresh();
        set(c, value_cases[i].name, value_cases[i].value);
        if (value_of(c, value_cases[i].name) != value_cases[i].expected)
            fail_msg("%s=%s", value_cases[i].name, value_cases[i].value);
        config_free(c);
    }
}

static void words_and_texts(void **state)
{
    (void)state;
    struct config *c = fresh();
    set(c, "kafka.start", "latest");
    assert_int_equal(c->kafka_start, KAFKA_START_LATEST);
    set(c, "kafka.start", "earliest");
    assert_int_equal(c->kafka_start, KAFKA_START_EARLIEST);
    set(c, "log.level", "error");
    assert_int_equal(c->log_level, LOG_LEVEL_ERROR);
    set(c, "webhook.allow_http", "true");
    assert_true(c->webhook_allow_http);
    set(c, "webhook.allow_http", "false");
    assert_false(c->webhook_allow_http);
    set(c, "rule.value", "bestätigt = \t'ja'");
    set(c, "rule.value", "confirmed, again");
    assert_string_equal(c->rule_value, "confirmed, again");
    set(c, "payload.fields.client_phone", "phone");
    assert_string_equal(c->payload_column[FIELD_CLIENT_PHONE], "phone");
    config_free(c);
}

static void kafka_properties(void **state)
{
    (void)state;
    struct config *c = fresh();
    set(c, "kafka.properties.client.id", "a");
    set(c, "kafka.properties.log_level", "");
    set(c, "kafka.properties.partition.assignment.strategy", "range");
    set(c, "kafka.properties.client.id", "b");
    set(c, "kafka.properties.isolation.level", "READ_COMMITTED");
    assert_int_equal(c->kafka_property_count, 4);
    assert_string_equal(c->kafka_properties[0].name, "client.id");
    assert_string_equal(c->kafka_properties[0].value, "b");
    assert_string_equal(c->kafka_properties[1].value, "");
    assert_string_equal(c->kafka_properties[2].name, "partition.assignment.strategy");
    config_free(c);
}

static void secrets(void **state)
{
    (void)state;
    static const char *const secret[] = {
        "sasl.password",    "ssl.key.password",        "ssl.keystore.password",
        "sasl.jaas.config", "sasl.oauthbearer.config", "sasl.oauthbearer.client.secret",
        "ssl.key.pem"};
    static const char *const open[] = {"client.id", "sasl.username", "ssl.ca.location",
                                       "password.x"};
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
        assert_true(config_property_is_secret(secret[i]));
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        assert_false(config_property_is_secret(open[i]));
}

/* ---- errors ---- */

struct error_case {
    const char *name, *value, *expected; /* expected: behind the origin, "x.yaml:7: " */
};

#define DURATION "; write a duration such as 250ms, 5s, 2m, 1h "
#define SIZE "; write a size such as 65536, 64KiB, 8MiB, 1GiB "
#define COUNT "; write a whole number such as 1, 16, 500 "
#define COMMITS "cannot be set: the program commits offsets, once their records are settled"
#define PARKING                                                                                \
    "cannot be set: records are parked with acks=all and idempotence, or they could be lost; " \
    "this cannot be changed"

static const struct error_case error_cases[] = {
    /* durations */
    {"webhook.timeout", "10", "webhook.timeout: \"10\" has no unit" DURATION "(100ms to 5m)"},
    {"webhook.timeout", "99ms",
     "webhook.timeout: \"99ms\" is out of range" DURATION "(100ms to 5m)"},
    {"webhook.timeout", "301s",
     "webhook.timeout: \"301s\" is out of range" DURATION "(100ms to 5m)"},
    {"retry.cap", "2d", "retry.cap: \"2d\" is out of range" DURATION "(1ms to 1d)"},
    {"retry.cap", "9223372036854775807h",
     "retry.cap: \"9223372036854775807h\" is out of range" DURATION "(1ms to 1d)"},
    {"retry.cap", "18446744073709551620ms",
     "retry.cap: \"18446744073709551620ms\" is out of range" DURATION "(1ms to 1d)"},
    {"drain.timeout", "-1s", "drain.timeout: \"-1s\" is not a duration" DURATION "(0ms to 10m)"},
    {"drain.timeout", "1.5s", "drain.timeout: \"1.5s\" is not a duration" DURATION "(0ms to 10m)"},
    {"drain.timeout", "5 s", "drain.timeout: \"5 s\" is not a duration" DURATION "(0ms to 10m)"},
    {"drain.timeout", "5S", "drain.timeout: \"5S\" is not a duration" DURATION "(0ms to 10m)"},
    {"drain.timeout", "soon\033[2J",
     "drain.timeout: \"soon?[2J\" is not a duration" DURATION "(0ms to 10m)"},
    /* sizes */
    {"webhook.response_max", "64KB",
     "webhook.response_max: \"64KB\" is not a size" SIZE "(0 to 16MiB)"},
    {"webhook.response_max", "17MiB",
     "webhook.response_max: \"17MiB\" is out of range" SIZE "(0 to 16MiB)"},
    {"inflight.bytes", "1", "inflight.bytes: \"1\" is out of range" SIZE "(64KiB to 16GiB)"},
    {"inflight.bytes", "99999999999GiB",
     "inflight.bytes: \"99999999999GiB\" is out of range" SIZE "(64KiB to 16GiB)"},
    /* counts */
    {"webhook.concurrency", "0", "webhook.concurrency: \"0\" is out of range" COUNT "(1 to 1024)"},
    {"webhook.concurrency", "1025",
     "webhook.concurrency: \"1025\" is out of range" COUNT "(1 to 1024)"},
    {"webhook.concurrency", "99999999999999999999",
     "webhook.concurrency: \"99999999999999999999\" is out of range" COUNT "(1 to 1024)"},
    {"webhook.concurrency", "many",
     "webhook.concurrency: \"many\" is not a whole number" COUNT "(1 to 1024)"},
    {"webhook.concurrency", "0x10",
     "webhook.concurrency: \"0x10\" is not a whole number" COUNT "(1 to 1024)"},
    {"webhook.concurrency",
     "a very long value that would fill the line if it were repeated as it is, all of it",
     "webhook.concurrency: \"a very long value that would fill the line if it were repeat"
     "...\" is not a whole number" COUNT "(1 to 1024)"},
    /* words */
    {"kafka.start", "Latest", "kafka.start: \"Latest\" is not one of earliest|latest"},
    {"log.level", "warning", "log.level: \"warning\" is not one of debug|info|warn|error"},
    {"log.level", "debug|info", "log.level: \"debug|info\" is not one of debug|info|warn|error"},
    {"webhook.allow_http", "yes", "webhook.allow_http: \"yes\" is not one of false|true"},
    /* texts */
    {"kafka.brokers", "", "kafka.brokers: has no value; leave it out to keep the default"},
    {"rule.value", "a\nb", "rule.value: has a line break in its value"},
    {"payload.form_name", "a\xff", "payload.form_name: its value is not valid UTF-8"},
    {"payload.fields.status", "",
     "payload.fields.status: has no value; leave it out to keep the "
     "default"},
    {"webhook.url", NO_SECRET "\r", "webhook.url: has a line break in its value"},
    {"webhook.url", NO_SECRET "\xff", "webhook.url: its value is not valid UTF-8"},
    {"kafka.properties.sasl.password", NO_SECRET "\n",
     "kafka.properties.sasl.password: has a line break in its value"},
    /* Kafka's properties */
    {"kafka.properties.bootstrap.servers", "x",
     "kafka.properties.bootstrap.servers: cannot be set: use kafka.brokers"},
    {"kafka.properties.metadata.broker.list", "x",
     "kafka.properties.metadata.broker.list: cannot be set: use kafka.brokers"},
    {"kafka.properties.group.id", "x", "kafka.properties.group.id: cannot be set: use kafka.group"},
    {"kafka.properties.auto.offset.reset", "earliest",
     "kafka.properties.auto.offset.reset: cannot be set: a lost offset must not be skipped "
     "silently; kafka.start sets where a partition without a commit begins"},
    {"kafka.properties.enable.auto.commit", "true",
     "kafka.properties.enable.auto.commit: " COMMITS},
    {"kafka.properties.auto.commit.enable", "true",
     "kafka.properties.auto.commit.enable: " COMMITS},
    {"kafka.properties.enable.auto.offset.store", "true",
     "kafka.properties.enable.auto.offset.store: " COMMITS},
    {"kafka.properties.enable.partition.eof", "true",
     "kafka.properties.enable.partition.eof: cannot be set: the program depends on the value that "
     "it sets"},
    {"kafka.properties.allow.auto.create.topics", "true",
     "kafka.properties.allow.auto.create.topics: cannot be set: a mistyped topic must be an error, "
     "not a new topic"},
    {"kafka.properties.isolation.level", "read_uncommitted",
     "kafka.properties.isolation.level: cannot be set to anything but read_committed: records of a "
     "transaction that was rolled back would be sent as orders"},
    {"kafka.properties.acks", "1", "kafka.properties.acks: " PARKING},
    {"kafka.properties.request.required.acks", "1",
     "kafka.properties.request.required.acks: " PARKING},
    {"kafka.properties.enable.idempotence", "false",
     "kafka.properties.enable.idempotence: " PARKING},
    /* unknown names */
    {"webhok.url", NO_SECRET, "unknown option \"webhok.url\"; did you mean \"webhook.url\"?"},
    {"webhookUrl", NO_SECRET, "unknown option \"webhookUrl\"; did you mean \"webhook.url\"?"},
    {"KAFKA_BROKERS", "x", "unknown option \"KAFKA_BROKERS\"; did you mean \"kafka.brokers\"?"},
    {"kafka.brokers.x", "x", "unknown option \"kafka.brokers.x\"; did you mean \"kafka.brokers\"?"},
    {"payload.fields.order_idd", "x",
     "unknown option \"payload.fields.order_idd\"; did you mean \"payload.fields.order_id\"?"},
    {"brokers", "x", "unknown option \"brokers\"; did you mean \"kafka.brokers\"?"},
    {"timeout", "5s",
     "unknown option \"timeout\"; did you mean \"session.timeout\" or \"registry.timeout\" or "
     "\"webhook.timeout\" or \"outcome.timeout\" or \"drain.timeout\"?"},
    {"receiver.concurrency", "5",
     "unknown option \"receiver.concurrency\"; did you mean \"webhook.concurrency\"?"},
    {"fields.order_id", "id",
     "unknown option \"fields.order_id\"; did you mean \"payload.fields.order_id\"?"},
    {"sasl.password", NO_SECRET,
     "unknown option \"sasl.password\"; did you mean \"kafka.properties.sasl.password\"?"},
    {"kafka.sasl.password", NO_SECRET,
     "unknown option \"kafka.sasl.password\"; did you mean \"kafka.properties.sasl.password\"?"},
    {"properties.linger.ms", "5",
     "unknown option \"properties.linger.ms\"; did you mean \"kafka.properties.linger.ms\"?"},
    {"colour", "red", "unknown option \"colour\"; elementor-sync options lists all of them"},
    {"kafka", "x", "\"kafka\" is a group of options, such as \"kafka.brokers\""},
    {"payload.fields", "x",
     "\"payload.fields\" is a group of options, such as \"payload.fields.order_id\""},
    {"kafka.properties", "x",
     "\"kafka.properties\" is a group of options, such as \"kafka.properties.client.id\""},
    {"https://" NO_SECRET "/?x", "1",
     "this is not an option's name; names look like kafka.brokers"},
    {"kafka.properties." NO_SECRET "/", "1",
     "this is not an option's name; names look like kafka.brokers"},
    {"", "1", "this is not an option's name; names look like kafka.brokers"},
};

static void errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof error_cases / sizeof *error_cases; i++) {
        const struct error_case *t = &error_cases[i];
        struct config *c = fresh();
        struct error err = {0};
        char expected[ERROR_TEXT_MAX];
        snprintf(expected, sizeof expected, "x.yaml:7: %s", t->expected);
        assert_false(config_set(c, t->name, t->value, "x.yaml:7", &err));
        assert_string_equal(err.text, expected);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_null(strstr(err.text, NO_SECRET));
        config_free(c);
    }
}

/* A refused value leaves the earlier one in place. */
static void refused_changes_nothing(void **state)
{
    (void)state;
    struct config *c = fresh();
    set(c, "kafka.start", "latest");
    set(c, "kafka.brokers", "a:1");
    set(c, "webhook.timeout", "7s");
    assert_false(config_set(c, "kafka.start", "never", "x", NULL));
    assert_false(config_set(c, "kafka.brokers", "\n", "x", NULL));
    assert_false(config_set(c, "webhook.timeout", "7", "x", NULL));
    assert_false(config_set(c, "kafka.properties.acks", "1", "x", NULL));
    assert_int_equal(c->kafka_start, KAFKA_START_LATEST);
    assert_string_equal(c->kafka_brokers, "a:1");
    assert_int_equal(c->webhook_timeout, 7000);
    assert_int_equal(c->kafka_property_count, 0);
    config_free(c);
}

/* A name longer than any still makes a readable message, and no overflow. */
static void endless_name(void **state)
{
    (void)state;
    char name[5000];
    struct error err = {0};
    struct config *c = fresh();
    memset(name, 'k', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(config_set(c, name, "x", "--set", &err));
    assert_string_equal(err.text,
                        "--set: this is not an option's name; names look like kafka.brokers");
    config_free(c);
}

static void durations_of_arguments(void **state)
{
    (void)state;
    int64_t ms = -7;
    struct error err = {0};
    assert_true(config_parse_duration("7d", &ms, &err));
    assert_int_equal(ms, 604800000);
    ms = -7;
    assert_false(config_parse_duration("366d", &ms, &err));
    assert_int_equal(ms, -7);
    assert_string_equal(err.text, "\"366d\" is out of range" DURATION "(0ms to 365d)");
}

static void shown_text(void **state)
{
    (void)state;
    char shown[8];
    assert_string_equal(config_show("1234567", shown, sizeof shown), "1234567");
    assert_string_equal(config_show("12345678", shown, sizeof shown), "1234...");
    assert_string_equal(config_show("123\xc3\xa4"
                                    "5678",
                                    shown, sizeof shown),
                        "123...");
    assert_string_equal(config_show("a\nb\x7f", shown, sizeof shown), "a b?");
    assert_string_equal(config_show("", shown, sizeof shown), "");
}

/* ---- finish ---- */

struct finish_case {
    unsigned needs;
    const char *sets[8];  /* name, value, … */
    const char *expected; /* "" is fine */
};

#define BROKERS_GROUP "kafka.properties.group.protocol", "consumer"
#define BROKER_DECIDES \
    " does not go with kafka.properties.group.protocol=consumer: the broker decides; leave it out"
#define REQUIRED " is required; set it in the file, or "

static const struct finish_case finish_cases[] = {
    {0, {NULL}, ""},
    {CONFIG_NEED_KAFKA, {NULL}, "kafka.brokers" REQUIRED "KAFKA_BROKERS in the environment"},
    {CONFIG_NEED_KAFKA,
     {"kafka.brokers", "a:1"},
     "kafka.topic" REQUIRED "KAFKA_TOPIC in the environment"},
    {CONFIG_NEED_KAFKA, {"kafka.brokers", "a:1", "kafka.topic", "t"}, ""},
    {CONFIG_NEED_START,
     {NULL},
     "kafka.start" REQUIRED "KAFKA_START in the environment: latest sends what is confirmed from "
     "now on, earliest also every confirmed order still in the topic"},
    {CONFIG_NEED_START, {"kafka.start", "earliest"}, ""},
    {CONFIG_NEED_REGISTRY, {NULL}, "registry.url" REQUIRED "REGISTRY_URL in the environment"},
    {CONFIG_NEED_REGISTRY, {"registry.url", "http://r"}, ""},
    {CONFIG_NEED_WEBHOOK,
     {NULL},
     "webhook.url" REQUIRED "WEBHOOK_URL in the environment (or ELEMENTOR_WEBHOOK_URL; with _FILE "
     "behind it, the name of a file that holds it)"},
    {CONFIG_NEED_WEBHOOK, {"webhook.url", "https://" NO_SECRET}, ""},
    {CONFIG_NEED_KAFKA | CONFIG_NEED_WEBHOOK,
     {"kafka.brokers", "a:1", "webhook.url", "https://" NO_SECRET},
     "kafka.topic" REQUIRED "KAFKA_TOPIC in the environment"},
    {0, {"retry.base", "2m", "retry.cap", "1m"}, "retry.base (2m) is longer than retry.cap (1m)"},
    {0, {"retry.base", "1m", "retry.cap", "1m"}, ""},
    {0, {"registry.user", "u"}, "registry.user is set without registry.password"},
    {0, {"registry.password", NO_SECRET}, "registry.password is set without registry.user"},
    {0, {"registry.user", "u", "registry.password", NO_SECRET}, ""},
    {0, {"registry.token", NO_SECRET}, ""},
    {0,
     {"registry.token", NO_SECRET, "registry.user", "u"},
     "registry.token and registry.user are both set: keep one of the two logins"},
    {0,
     {"registry.token", NO_SECRET, "registry.password", NO_SECRET},
     "registry.token and registry.password are both set: keep one of the two logins"},
    {0,
     {"kafka.topic", "t", "parked.topic", "t"},
     "parked.topic and kafka.topic are the same topic: each kind of record needs a topic of its "
     "own"},
    {0,
     {"retry.topic", "t", "members.topic", "t"},
     "members.topic and retry.topic are the same topic: each kind of record needs a topic of its "
     "own"},
    {0,
     {"members.topic", "t", "control.topic", "t"},
     "control.topic and members.topic are the same topic: each kind of record needs a topic of its "
     "own"},
    {0,
     {"kafka.topic", "orders public"},
     "kafka.topic: \"orders public\" is not a valid topic name: letters, digits, \".\", \"_\" and "
     "\"-\", "
     "at most 249 of them"},
    {0,
     {"breaker.probe_first", "2m"},
     "breaker.probe_first (2m) is longer than breaker.probe_cap (1m)"},
    /* the group */
    {0, {"kafka.instance", "shop-1"}, ""},
    {0, {"kafka.properties.group.instance.id", "shop-1"}, ""},
    {0,
     {"kafka.instance", "shop 1"},
     "kafka.instance: \"shop 1\" is not a valid name: letters, digits, \".\", \"_\" and \"-\", at "
     "most 249 of them"},
    {0,
     {"kafka.instance", "shop-1", "kafka.properties.group.instance.id", "shop-1"},
     "kafka.instance and kafka.properties.group.instance.id are both set: keep kafka.instance"},
    {0, {"session.timeout", "20s"}, ""},
    {0, {"kafka.properties.session.timeout.ms", "20000"}, ""},
    {0,
     {"session.timeout", "20s", "kafka.properties.session.timeout.ms", "20000"},
     "session.timeout and kafka.properties.session.timeout.ms are both set: keep session.timeout"},
    {0, {BROKERS_GROUP}, ""},
    {0, {BROKERS_GROUP, "kafka.instance", "shop-1"}, ""},
    {0,
     {BROKERS_GROUP, "session.timeout", "20s"},
     "session.timeout (20s) has no effect with kafka.properties.group.protocol=consumer: the "
     "broker's group.consumer.session.timeout.ms decides; leave it out"},
    {0,
     {BROKERS_GROUP, "kafka.properties.session.timeout.ms", "20000"},
     "kafka.properties.session.timeout.ms" BROKER_DECIDES},
    {0,
     {BROKERS_GROUP, "kafka.properties.heartbeat.interval.ms", "100"},
     "kafka.properties.heartbeat.interval.ms" BROKER_DECIDES},
    {0,
     {BROKERS_GROUP, "kafka.properties.partition.assignment.strategy", "range"},
     "kafka.properties.partition.assignment.strategy" BROKER_DECIDES},
    /* brokers */
    {0, {"kafka.brokers", "a"}, ""},
    {0, {"kafka.brokers", "a:1, [::1]:9092,SASL_SSL://b:9093"}, ""},
    {0,
     {"kafka.brokers", "http://a:9092"},
     "kafka.brokers: \"http://a:9092\" is a URL; Kafka's brokers are written host:port, such as "
     "localhost:9092"},
    {0,
     {"kafka.brokers", "a:9092,b:x"},
     "kafka.brokers: \"b:x\" has no port from 1 to 65535 behind its colon"},
    {0,
     {"kafka.brokers", "a:70000"},
     "kafka.brokers: \"a:70000\" has no port from 1 to 65535 behind its colon"},
    {0,
     {"kafka.brokers", "a:1,,b:1"},
     "kafka.brokers: \"\" is not a broker's address; write host:port[,host:port…]"},
    /* URLs */
    {0,
     {"registry.url", "registry:8081/apis"},
     "registry.url: \"registry:8081/apis\" does not begin with http:// or https://; write a URL "
     "such as https://host:8081"},
    {0,
     {"registry.url", "https://u:" NO_SECRET "@registry"},
     "registry.url must not hold a user or a password; use registry.user and registry.password"},
    {0, {"registry.url", "https://a:8081/x, https://b"}, ""},
    {0,
     {"registry.url", "https://a,registry:8081"},
     "registry.url: \"registry:8081\" does not begin with http:// or https://; write a URL such as "
     "https://host:8081"},
    {0,
     {"registry.url", "registry:8081,https://u:" NO_SECRET "@registry"},
     "registry.url must not hold a user or a password; use registry.user and registry.password"},
    {0,
     {"registry.url", " ,"},
     "registry.url must name one to 8 addresses of the registry, with commas between them"},
    {0,
     {"registry.url", "https://r,http://r", "registry.ca_file", "ca.pem"},
     "registry.ca_file is set, but registry.url is http://: no certificate would be checked; write "
     "https:// or leave registry.ca_file out"},
    {0,
     {"registry.url", "http://r", "registry.ca_file", "ca.pem"},
     "registry.ca_file is set, but registry.url is http://: no certificate would be checked; write "
     "https:// or leave registry.ca_file out"},
    {0,
     {"registry.url", "http://r", "registry.cert_file", "r.pem", "registry.key_file", "r.key"},
     "registry.cert_file is set, but registry.url is http://: the certificate would not be shown; "
     "write https:// or leave it out"},
    {0,
     {"webhook.url", "http://" NO_SECRET, "webhook.ca_file", "ca.pem"},
     "webhook.ca_file is set, but webhook.url is http://: no certificate would be checked; write "
     "https:// or leave webhook.ca_file out"},
    {0,
     {"webhook.url", NO_SECRET "/hook"},
     "webhook.url does not begin with https://; copy the whole URL, such as "
     "https://shop.example.com/path"},
    /* TLS and login */
    {0,
     {"kafka.properties.ssl.ca.location", "ca.pem"},
     "kafka.properties.ssl.ca.location is set, but kafka.properties.security.protocol is not set "
     "(plaintext): TLS would not be used; set it to ssl or sasl_ssl"},
    {0,
     {"kafka.properties.ssl.ca.location", "ca.pem", "kafka.properties.security.protocol", "SSL"},
     ""},
    {0,
     {"kafka.properties.ssl.certificate.location", "run.pem", "kafka.properties.security.protocol",
      "ssl"},
     "kafka.properties.ssl.certificate.location is set without kafka.properties.ssl.key.location: "
     "a "
     "client certificate and its key go together"},
    {0,
     {"kafka.properties.ssl.key.pem", NO_SECRET, "kafka.properties.security.protocol", "ssl"},
     "kafka.properties.ssl.key.pem is set without kafka.properties.ssl.certificate.location: a "
     "client certificate and its key go together"},
    {0,
     {"kafka.properties.ssl.ca.location", "ca.pem", "kafka.properties.security.protocol",
      "sasl_plaintext"},
     "kafka.properties.ssl.ca.location is set, but kafka.properties.security.protocol is "
     "sasl_plaintext: TLS would not be used; set it to sasl_ssl"},
    {0,
     {"kafka.properties.sasl.password", NO_SECRET, "kafka.properties.security.protocol", "ssl"},
     "kafka.properties.sasl.password is set, but kafka.properties.security.protocol is ssl: this "
     "login would not be used; set it to sasl_ssl"},
    {0,
     {"kafka.properties.security.protocol", "sasl_ssl", "kafka.properties.sasl.username", "u"},
     "kafka.properties.sasl.username is set without kafka.properties.sasl.mechanism: set it to "
     "what the brokers offer (PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512)"},
    {0,
     {"kafka.properties.security.protocol", "sasl_ssl", "kafka.properties.sasl.mechanism",
      "SCRAM-SHA-512", "kafka.properties.sasl.username", "u"},
     "kafka.properties.sasl.mechanism is SCRAM-SHA-512, which needs "
     "kafka.properties.sasl.username and .sasl.password"},
    {0,
     {"kafka.properties.security.protocol", "sasl_ssl", "kafka.properties.sasl.mechanism", "PLAIN",
      "kafka.properties.sasl.username", "u", "kafka.properties.sasl.password", NO_SECRET},
     ""},
    /* classes of answers */
    {0, {"outcome.transient", "409,520-527", "outcome.refused", "404"}, ""},
    {0,
     {"outcome.transient", "409,520-527", "outcome.endpoint", "5xx"},
     "outcome.transient and outcome.endpoint both name 520; keep one"},
    {0,
     {"outcome.transient", "409", "outcome.delivered", "400-410"},
     "outcome.transient and outcome.delivered both name 409; keep one"},
    {0, {"outcome.delivered", "200"}, "outcome.delivered: \"200\": a 2xx always means delivered"},
    {0,
     {"outcome.refused", "x"},
     "outcome.refused: \"x\" is not an HTTP status: write 409, 5xx or 520-527"},
    {0, {"payload.fields.order_id", "id", "payload.fields.order_number", "id"}, ""},
};

static void finish(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof finish_cases / sizeof *finish_cases; i++) {
        const struct finish_case *t = &finish_cases[i];
        struct config *c = fresh();
        struct error err = {0};
        for (size_t s = 0; s < sizeof t->sets / sizeof *t->sets && t->sets[s] != NULL; s += 2)
            set(c, t->sets[s], t->sets[s + 1]);
        bool ok = config_finish(c, t->needs, &err);
        assert_string_equal(err.text, t->expected);
        assert_int_equal(ok, *t->expected == '\0');
        assert_int_equal(err.code, ok ? ERROR_NONE : ERROR_CONFIG);
        assert_null(strstr(err.text, NO_SECRET));
        config_free(c);
    }
}

/* Unset, it follows webhook.timeout; what is set counts, none at all too. */
static void the_drain_outlasts_an_attempt(void **state)
{
    static const struct {
        const char *webhook, *drain;
        int64_t expected_ms;
    } cases[] = {{NULL, NULL, 35000},
                 {"5m", NULL, 305000},
                 {"100ms", NULL, 5100},
                 {NULL, "0s", 0},
                 {"1m", "2m", 120000}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config *c = fresh();
        struct error err = {0};
        if (cases[i].webhook != NULL)
            set(c, "webhook.timeout", cases[i].webhook);
        if (cases[i].drain != NULL)
            set(c, "drain.timeout", cases[i].drain);
        assert_int_equal(config_drain_timeout(c), cases[i].expected_ms);
        assert_true(config_finish(c, 0, &err));
        assert_int_equal(c->drain_timeout, cases[i].expected_ms);
        config_free(c);
    }
}

/* Each shipped grace period is long enough for draining, the last outcomes and the last commit. */
static void what_is_shipped_gives_it_time_to_stop(void **state)
{
    enum { LAST_STEPS_MS = 15000, LINE = 256 };
    static const char option[] = "stop_grace_period:";
    char line[LINE];
    int found = 0;
    struct config *c = fresh();
    FILE *file = fopen(TESTS_DIR "/../docker/compose.yaml", "r");
    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        const char *at = strstr(line, option);
        if (at == NULL)
            continue;
        assert_true(strtol(at + sizeof option - 1, NULL, 10) * 1000 >=
                    config_drain_timeout(c) + LAST_STEPS_MS);
        found++;
    }
    assert_true(found > 0);
    fclose(file);
    config_free(c);
}

struct warning_case {
    const char *sets[10]; /* name, value, … */
    const char *expected; /* NULL: none */
};

static const struct warning_case warning_cases[] = {
    {{NULL}, NULL},
    {{"drain.timeout", "5s"},
     "drain.timeout (5s) is shorter than webhook.timeout (30s): an attempt that is cut off at a "
     "stop may be sent again"},
    {{"retry.give_up", "5s"},
     "retry.give_up (5s) is shorter than webhook.timeout (30s): an order may be parked after one "
     "slow attempt"},
    {{"webhook.concurrency", "64", "inflight.records", "10"},
     "webhook.concurrency (64) is never reached: inflight.records is 10"},
    {{"webhook.concurrency", "64", "webhook.uncommitted_max", "20"},
     "webhook.concurrency (64) is never reached: webhook.uncommitted_max is 20"},
    {{"kafka.properties.security.protocol", "sasl_plaintext", "kafka.properties.sasl.mechanism",
      "PLAIN", "kafka.properties.sasl.username", "u", "kafka.properties.sasl.password", NO_SECRET},
     "sasl_plaintext with PLAIN sends Kafka's password over the network unencrypted; use sasl_ssl, "
     "or "
     "SCRAM"},
};

static void warnings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof warning_cases / sizeof *warning_cases; i++) {
        const struct warning_case *t = &warning_cases[i];
        struct config *c = fresh();
        struct error err = {0};
        for (size_t s = 0; s < sizeof t->sets / sizeof *t->sets && t->sets[s] != NULL; s += 2)
            set(c, t->sets[s], t->sets[s + 1]);
        if (!config_finish(c, 0, &err))
            fail_msg("%s", err.text);
        assert_int_equal(c->warning_count, t->expected != NULL);
        if (t->expected != NULL)
            assert_string_equal(c->warnings[0], t->expected);
        config_free(c);
    }
}

static void environment_names(void **state)
{
    (void)state;
    char text[64];
    assert_string_equal(config_environment_name("kafka.brokers", text, sizeof text),
                        "KAFKA_BROKERS");
    assert_string_equal(config_environment_name("webhook.response_max", text, sizeof text),
                        "WEBHOOK_RESPONSE_MAX");
    /* No two options share a variable. */
    for (size_t i = 0; i < config_option_count; i++) {
        for (size_t j = 0; j < i; j++) {
            char other[64];
            config_environment_name(config_options[i].name, text, sizeof text);
            config_environment_name(config_options[j].name, other, sizeof other);
            assert_string_not_equal(text, other);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(table_is_sound),
        cmocka_unit_test(values),
        cmocka_unit_test(words_and_texts),
        cmocka_unit_test(kafka_properties),
        cmocka_unit_test(secrets),
        cmocka_unit_test(errors),
        cmocka_unit_test(refused_changes_nothing),
        cmocka_unit_test(endless_name),
        cmocka_unit_test(durations_of_arguments),
        cmocka_unit_test(shown_text),
        cmocka_unit_test(finish),
        cmocka_unit_test(the_drain_outlasts_an_attempt),
        cmocka_unit_test(what_is_shipped_gives_it_time_to_stop),
        cmocka_unit_test(warnings),
        cmocka_unit_test(environment_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
