/* config_safety_test: what is well-formed and unsafe is refused or warned of, without repeating it.
 */
#include "config/config.h"
#include "config/safety.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "0123456789abcdef0123456789abcdef"
#define SERVICE_KEY "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz"
enum { SETTINGS = 6 };

struct unsafe {
    const char *settings[SETTINGS]; /* name, value, ... */
    const char *said;               /* NULL: nothing */
};

static const struct unsafe refused[] = {
    {{"auth.operator_claim", "role", "auth.operator_values", "authenticated"}, "every customer"},
    {{"auth.operator_claim", "app_metadata.x", "auth.operator_values", "admin,Authenticated"},
     "every customer"},
    {{"auth.operator_claim", "role", "auth.operator_values", "anon service"}, "every customer"},
    {{"auth.operator_claim", "aud", "auth.operator_values", "shop"}, "customers' tokens"},
    {{"auth.operator_claim", "app_metadata.provider", "auth.operator_values", "email"},
     "customers' tokens"},
    {{"auth.hs256_secret", "super-secret-jwt-token-with-at-least-32-characters-long"}, "published"},
    {{"auth.hs256_secret", "your-super-secret-jwt-token-with-at-least-32-characters-long"},
     "published"},
    {{"auth.hs256_secret", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}, "guessed"},
    {{"auth.operator_claim", "\"user_metadata\".role", "auth.operator_values", "admin"},
     "users can change"},
    {{"auth.operator_claim", "user_metadata.role", "auth.operator_values", "admin"},
     "users can change"},
    {{"auth.operator_claim", "\"aal\"", "auth.operator_values", "aal2"}, "customers' tokens"},
    {{"auth.service_keys", "sb_secret_c4nary"}, "key 1 could be guessed"},
    {{"auth.service_keys", SERVICE_KEY ", xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
     "key 2 could be guessed"},
    {{"auth.service_keys", "sb_publishable_c4naryc4naryc4naryc4nary_12345678"}, "every browser"},
    {{"auth.service_keys", "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c4nary"},
     "JSON Web Token"},
    {{"auth.service_keys", SERVICE_KEY " " SECRET}, "key 2 is auth.hs256_secret"},
    {{"kafka.properties.plugin.library.paths", "monitoring.so"}, "loads code"},
    {{"kafka.properties.security.protocol", "ssl", "kafka.properties.ssl.engine.location", "x.so"},
     "loads code"},
    {{"auth.jwks_url", "https://u:c4nary@h/jwks"}, "must not hold a user"},
    {{"notify.url", "http://h/c4nary"}, "notify.url must begin with https://"},
    {{"notify.url", "http://127.0.0.1.example.com/c4nary"}, "notify.url must begin with https://"},
    {{"notify.url", "http://localhost@h/c4nary"}, "notify.url must not hold a user"},
    {{"notify.url", "c4nary"}, "notify.url must begin with https://"},
    {{"notify.url", "https://u:p@h/c4nary"}, "notify.url must not hold a user"},
    {{"notify.url", "https:///c4nary b"}, "notify.url: not a URL"},
    {{"notify.heartbeat_url", "http://h/c4nary"}, "notify.heartbeat_url must begin with https://"},
    {{"webhook.proxy", "http://u:c4nary@proxy:3128"}, "webhook.proxy must not hold a user"},
    {{"webhook.proxy", "proxy:3128"}, "webhook.proxy must be http://HOST:PORT"},
    {{"webhook.proxy", "https://proxy:3128"}, "webhook.proxy must be http://HOST:PORT"},
    {{"webhook.proxy", "socks5://proxy:1080"}, "webhook.proxy must be http://HOST:PORT"},
    {{"webhook.proxy", "http://proxy"}, "webhook.proxy must be http://HOST:PORT"},
    {{"webhook.proxy", "http://proxy/"}, "webhook.proxy must be http://HOST:PORT"},
    {{"webhook.proxy", "http://:3128"}, "webhook.proxy must be http://HOST:PORT"},
    {{"webhook.proxy", "http://proxy:0"}, "webhook.proxy must be http://HOST:PORT"},
    {{"webhook.proxy", "http://proxy:65536"}, "webhook.proxy must be http://HOST:PORT"},
    {{"webhook.proxy", "http://proxy:3128/x"}, "webhook.proxy must be http://HOST:PORT"},
    {{"webhook.proxy_password", "c4nary"}, "of no use without webhook.proxy"},
    {{"webhook.proxy", "http://proxy:3128", "webhook.proxy_user", "u"}, "go together"},
    {{"webhook.cert_file", "/a.pem"}, "webhook.cert_file and webhook.key_file go together"},
    {{"registry.key_file", "/a.key"}, "registry.cert_file and registry.key_file go together"},
    {{"webhook.cert_file", "/a.pem", "webhook.key_file", "/a.key", "webhook.url", "http://h/x"},
     "webhook.url is http://"},
    {{"kafka.brokers", "shop:c4nary@kafka:9092"}, "kafka.brokers holds a user or a password"},
    {{"kafka.brokers", "kafka:9092,sasl_ssl://shop:c4nary@kafka:9092"},
     "kafka.brokers holds a user or a password"},
    {{"kafka.brokers", "https://shop:c4nary@kafka"}, "kafka.brokers holds a user or a password"},
};

static const struct unsafe warned[] = {
    {{"notify.url", "https://hooks.slack.com/services/T/B/c4nary"}, NULL},
    {{"notify.url", "http://127.0.0.1:9999/c4nary"}, NULL},
    {{"notify.url", "http://LOCALHOST/c4nary"}, NULL},
    {{"notify.heartbeat_url", "http://[::1]:80/c4nary"}, NULL},
    {{"webhook.proxy", "http://proxy.local:3128/"}, NULL},
    {{"webhook.proxy", "HTTP://[::1]:3128"}, NULL},
    {{"dashboard.listen", "0.0.0.0:8080"}, "dashboard.listen (0.0.0.0:8080)"},
    {{"dashboard.listen", ":8080"}, "dashboard.listen (:8080)"},
    {{"dashboard.listen", "[::]:8080"}, "dashboard.listen ([::]:8080)"},
    {{"dashboard.listen", "10.0.0.5:8080"}, "dashboard.listen (10.0.0.5:8080)"},
    {{"dashboard.listen", "127.0.0.1:8080"}, NULL},
    {{"dashboard.url", "http://ops.example.com/orders"}, "dashboard.url is http://"},
    {{"dashboard.url", "https://ops.example.com/orders"}, NULL},
    {{"dashboard.url", "http://127.0.0.1:8080"}, NULL},
    {{"auth.service_keys", SERVICE_KEY}, NULL},
    {{"auth.service_keys", SERVICE_KEY "," SERVICE_KEY "  "}, NULL},
    {{"auth.operator_claim", "https://shop.example/role", "auth.operator_values", "admin"}, NULL},
    {{"dashboard.listen", "[::1]:8080"}, NULL},
    {{"ops.listen", "0.0.0.0:9464"}, "ops.listen (0.0.0.0:9464)"},
    {{"ops.listen", "localhost:9464"}, NULL},
    {{"registry.url", "http://registry:8081", "registry.user", "u", "registry.password", "c4nary"},
     "registry.password crosses"},
    {{"registry.url", "http://registry:8081", "registry.token", "c4nary"},
     "registry.token crosses"},
    {{"registry.url", "https://r, http://registry", "registry.token", "c4nary"},
     "registry.token crosses"},
    {{"registry.url", "http://127.0.0.1:8081, https://r", "registry.token", "c4nary"}, NULL},
    {{"registry.url", "http://127.0.0.1:8081", "registry.token", "c4nary"}, NULL},
    {{"registry.url", "https://registry:8081", "registry.token", "c4nary"}, NULL},
    {{"kafka.properties.enable.ssl.certificate.verification", "false"}, "certificate.verification"},
    {{"kafka.properties.security.protocol", "ssl",
      "kafka.properties.ssl.endpoint.identification.algorithm", "none"},
     "identification.algorithm is none"},
};

/* Its words on these options, "" for none; true when it goes on. */
static bool finish(const struct unsafe *u, char *said, size_t size)
{
    struct error err = {0};
    struct config *config = config_new();
    assert_non_null(config);
    const char *const needed[] = {"kafka.brokers",    "kafka:9092",        "kafka.topic",
                                  "orders",           "kafka.start",       "latest",
                                  "registry.url",     "https://r/x",       "webhook.url",
                                  "https://h/c4nary", "auth.hs256_secret", SECRET};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i += 2)
        assert_true(config_set(config, needed[i], needed[i + 1], "test", &err));
    for (size_t i = 0; i < SETTINGS && u->settings[i] != NULL; i += 2)
        assert_true(config_set(config, u->settings[i], u->settings[i + 1], "test", &err));
    bool ok = config_finish(config, 31, &err);
    said[0] = '\0';
    strncat(said, err.text, size - 1);
    for (size_t i = 0; i < config->warning_count; i++)
        strncat(said, config->warnings[i], size - strlen(said) - 1);
    config_free(config);
    return ok;
}

static void check(const struct unsafe *u, bool is_refused)
{
    char said[4096];
    bool ok = finish(u, said, sizeof said);
    if (ok == is_refused || (u->said != NULL && strstr(said, u->said) == NULL) ||
        (u->said == NULL && *said != '\0'))
        fail_msg("%s=%s: \"%s\"", u->settings[0], u->settings[1], said);
    assert_null(strstr(said, "c4nary"));
    assert_null(strstr(said, "super-secret-jwt"));
}

static void what_can_only_be_a_mistake_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        check(&refused[i], true);
}

static void what_is_unwise_is_warned_of(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof warned / sizeof *warned; i++)
        check(&warned[i], false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_can_only_be_a_mistake_is_refused),
                                       cmocka_unit_test(what_is_unwise_is_warned_of)};
    return cmocka_run_group_tests_name("config_safety", tests, NULL, NULL);
}
