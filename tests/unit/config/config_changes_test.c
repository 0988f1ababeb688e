/* config_changes: what differs between two configurations is named, and nothing else. */
#include "config/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct setting {
    const char *name, *value;
};

static struct config *config_of(const struct setting *settings)
{
    struct config *config = config_new();
    struct error err = {0};
    assert_non_null(config);
    for (; settings->name != NULL; settings++)
        if (!config_set(config, settings->name, settings->value, "test", &err))
            fail_msg("%s", err.text);
    return config;
}

static void each_kind_of_option(void **state)
{
    static const char *const except[] = {"webhook.url", "dashboard.", NULL};
    static const struct {
        struct setting a[4], b[4];
        const char *names;
    } cases[] = {
        {{{0}}, {{0}}, ""},
        {{{"kafka.topic", "a"}, {0}}, {{"kafka.topic", "a"}, {0}}, ""},
        {{{"kafka.topic", "a"}, {0}}, {{"kafka.topic", "b"}, {0}}, "kafka.topic"},
        {{{0}}, {{"kafka.topic", "b"}, {0}}, "kafka.topic"},
        {{{"kafka.topic", "a"}, {0}}, {{0}}, "kafka.topic"},
        {{{"registry.password", "s3cret"}, {0}},
         {{"registry.password", "other"}, {0}},
         "registry.password"},
        {{{0}}, {{"topics.create", "false"}, {0}}, "topics.create"},
        {{{0}}, {{"webhook.concurrency", "17"}, {0}}, "webhook.concurrency"},
        {{{"retry.base", "1s"}, {0}}, {{"retry.base", "1000ms"}, {0}}, ""},
        {{{0}}, {{"retry.base", "2s"}, {0}}, "retry.base"},
        {{{0}}, {{"inflight.bytes", "5MiB"}, {0}}, "inflight.bytes"},
        {{{"kafka.start", "latest"}, {0}}, {{"kafka.start", "earliest"}, {0}}, "kafka.start"},
        {{{0}}, {{"payload.fields.client_city", "town"}, {0}}, "payload.fields.client_city"},
        {{{"kafka.properties.client.id", "a"}, {"kafka.properties.linger.ms", "1"}, {0}},
         {{"kafka.properties.linger.ms", "1"}, {"kafka.properties.client.rack", "r"}, {0}},
         "kafka.properties.client.id, kafka.properties.client.rack"},
        {{{"trace.headers.X-A", "1"}, {0}}, {{"trace.headers.X-A", "2"}, {0}}, "trace.headers.X-A"},
        {{{"webhook.headers.X-A", "1"}, {0}},
         {{"webhook.headers.X-A", "2"}, {0}},
         "webhook.headers.X-A"},
        {{{0}}, {{"webhook.url", "https://x.example"}, {"dashboard.wait", "1s"}, {0}}, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config *a = config_of(cases[i].a), *b = config_of(cases[i].b);
        struct buf names;
        buf_init(&names, 1000);
        config_changes(a, b, except, &names);
        if (strcmp(buf_text(&names), cases[i].names) != 0)
            fail_msg("case %zu: \"%s\" instead of \"%s\"", i, buf_text(&names), cases[i].names);
        buf_done(&names);
        config_free(a);
        config_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_kind_of_option)};
    return cmocka_run_group_tests_name("config_changes", tests, NULL, NULL);
}
