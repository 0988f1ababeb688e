/* validate: required options, contradictions and unwise settings. Each check is one function, whose
 * error names the fault and the remedy. */
#include "config/config.h"

#include "base/slice.h"
#include "config/kafka_security.h"
#include "config/member_options.h"
#include "config/own_names.h"
#include "config/safety.h"
#include "config/value.h"
#include "http/response_class.h"
#include "sys/url_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 80, QUANTITY_TEXT = 32 };

/* ---- required options ---- */

bool config_missing(const struct config *config, unsigned needs, size_t index, struct error *err)
{
    const struct {
        enum config_need need;
        bool is_set;
        const char *name, *remark;
    } required[] = {
        {CONFIG_NEED_KAFKA, config->kafka_brokers != NULL, "kafka.brokers", ""},
        {CONFIG_NEED_KAFKA, config->kafka_topic != NULL, "kafka.topic", ""},
        {CONFIG_NEED_START, config->kafka_start >= 0, "kafka.start",
         ": latest sends what is confirmed from now on, earliest also every confirmed order still "
         "in "
         "the topic"},
        {CONFIG_NEED_REGISTRY, config->registry_url != NULL, "registry.url", ""},
        {CONFIG_NEED_WEBHOOK, config->webhook_url != NULL, "webhook.url",
         " (or ELEMENTOR_WEBHOOK_URL; with _FILE behind it, the name of a file that holds it)"},
    };
    char variable[CONFIG_NAME_MAX];
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if ((needs & required[i].need) != 0 && !required[i].is_set && index-- == 0)
            return !error_set(err, ERROR_CONFIG,
                              "%s is required; set it in the file, or %s in the environment%s",
                              required[i].name,
                              config_environment_name(required[i].name, variable, sizeof variable),
                              required[i].remark);
    return false;
}

/* ---- brokers and topics ---- */

/* One of kafka.brokers, len bytes long: host:port, or host alone. */
static bool check_broker(const char *broker, size_t len, struct error *err)
{
    char shown[SHOWN_MAX], text[SHOWN_MAX];
    snprintf(text, sizeof text, "%.*s", (int)len, broker);
    config_show(text, shown, sizeof shown);
    if (has_prefix_any_case(text, "http://") || has_prefix_any_case(text, "https://"))
        return error_set(err, ERROR_CONFIG,
                         "kafka.brokers: \"%s\" is a URL; Kafka's brokers are written host:port, "
                         "such as localhost:9092",
                         shown);
    const char *host = strstr(text, "://") != NULL ? strstr(text, "://") + 3 : text;
    const char *colon = strrchr(host, ':');
    if (*host == '\0' || colon == host || strpbrk(host, "/ @") != NULL)
        return error_set(
            err, ERROR_CONFIG,
            "kafka.brokers: \"%s\" is not a broker's address; write host:port[,host:port…]", shown);
    if (colon == NULL || *host == '[')
        return true;
    long port = strtol(colon + 1, NULL, 10);
    if (strspn(colon + 1, "0123456789") != strlen(colon + 1) || port < 1 || port > 65535)
        return error_set(err, ERROR_CONFIG,
                         "kafka.brokers: \"%s\" has no port from 1 to 65535 behind its colon",
                         shown);
    return true;
}

static bool check_brokers(const struct config *config, struct error *err)
{
    const char *list = config->kafka_brokers;
    if (config_holds_credentials(list)) /* not repeated */
        return error_set(err, ERROR_CONFIG,
                         "kafka.brokers holds a user or a password (there is an @ in it): write "
                         "host:port alone, and set kafka.properties.sasl.username and "
                         ".sasl.password");
    while (list != NULL) {
        list += strspn(list, " ");
        size_t len = strcspn(list, ",");
        size_t bare = len;
        while (bare > 0 && list[bare - 1] == ' ')
            bare--;
        if (!check_broker(list, bare, err))
            return false;
        list = list[len] == ',' ? list + len + 1 : NULL;
    }
    return true;
}

/* All topics must be names that Kafka allows, and no two the same. */
static bool check_topics(const struct config *config, struct error *err)
{
    const struct {
        const char *option, *name;
    } topics[] = {
        {"kafka.topic", config->kafka_topic},           {"parked.topic", config->parked_topic},
        {"deliveries.topic", config->deliveries_topic}, {"retry.topic", config->retry_topic},
        {"members.topic", config->members_topic},       {"control.topic", config->control_topic}};
    char shown[SHOWN_MAX];
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        const char *name = topics[i].name;
        if (name == NULL)
            continue;
        if (!config_name_is_topic(name))
            return error_set(
                err, ERROR_CONFIG,
                "%s: \"%s\" is not a valid topic name: letters, digits, \".\", \"_\" and "
                "\"-\", at most %d of them",
                topics[i].option, config_show(name, shown, sizeof shown), TOPIC_NAME_MAX);
        for (size_t j = 0; j < i; j++)
            if (topics[j].name != NULL && strcmp(topics[j].name, name) == 0)
                return error_set(
                    err, ERROR_CONFIG,
                    "%s and %s are the same topic: each kind of record needs a topic of its own",
                    topics[i].option, topics[j].option);
    }
    return true;
}

/* ---- URLs and logins ---- */

static bool check_registry_login(const struct config *config, struct error *err)
{
    bool user = config->registry_user != NULL, password = config->registry_password != NULL;
    if (config->registry_token != NULL && (user || password))
        return error_set(err, ERROR_CONFIG,
                         "registry.token and registry.%s are both set: keep one of the two logins",
                         user ? "user" : "password");
    if (user != password)
        return error_set(err, ERROR_CONFIG, "registry.%s is set without registry.%s",
                         user ? "user" : "password", user ? "password" : "user");
    return true;
}

static bool check_registry_address(const struct config *config, struct slice address,
                                   struct error *err)
{
    char shown[SHOWN_MAX], url[SHOWN_MAX];
    snprintf(url, sizeof url, "%.*s", (int)address.len, address.data);
    if (!has_prefix_any_case(url, "https://") && !has_prefix_any_case(url, "http://"))
        return error_set(err, ERROR_CONFIG,
                         "registry.url: \"%s\" does not begin with http:// or https://; write a "
                         "URL such as https://host:8081",
                         config_show(url, shown, sizeof shown));
    if (config->registry_ca_file != NULL && has_prefix_any_case(url, "http://"))
        return error_set(err, ERROR_CONFIG,
                         "registry.ca_file is set, but registry.url is http://: no certificate "
                         "would be checked; write https:// or leave registry.ca_file out");
    if (config->registry_cert_file != NULL && has_prefix_any_case(url, "http://"))
        return error_set(err, ERROR_CONFIG,
                         "registry.cert_file is set, but registry.url is http://: the certificate "
                         "would not be shown; write https:// or leave it out");
    return true;
}

/* Before anything of it is shown: a login in a URL is a secret. */
static bool has_login(struct slice url)
{
    const char *host = memmem(url.data, url.len, "://", 3);
    const char *end = url.data + url.len;
    host = host != NULL ? host + 3 : url.data;
    size_t len = 0;
    while (host + len < end && strchr("/?#", host[len]) == NULL)
        len++;
    return memchr(host, '@', len) != NULL;
}

static bool check_registry_url(const struct config *config, struct error *err)
{
    struct slice urls[URL_LIST_MAX];
    if (config->registry_url == NULL)
        return true;
    size_t count = url_list_split(config->registry_url, urls);
    if (count == 0 || count > URL_LIST_MAX)
        return error_set(err, ERROR_CONFIG,
                         "registry.url must name one to %d addresses of the registry, with commas "
                         "between them",
                         URL_LIST_MAX);
    for (size_t i = 0; i < count; i++)
        if (has_login(urls[i]))
            return error_set(
                err, ERROR_CONFIG,
                "registry.url must not hold a user or a password; use registry.user and "
                "registry.password");
    for (size_t i = 0; i < count; i++)
        if (!check_registry_address(config, urls[i], err))
            return false;
    return true;
}

static bool check_webhook_url(const struct config *config, struct error *err)
{
    const char *url = config->webhook_url;
    if (url == NULL)
        return true;
    if (strstr(url, "://") == NULL)
        return error_set(err, ERROR_CONFIG,
                         "webhook.url does not begin with https://; copy the whole URL, such as "
                         "https://shop.example.com/path");
    if (config->webhook_ca_file != NULL && has_prefix_any_case(url, "http://"))
        return error_set(err, ERROR_CONFIG,
                         "webhook.ca_file is set, but webhook.url is http://: no certificate would "
                         "be checked; write https:// or leave webhook.ca_file out");
    return true;
}

/* ---- numbers that must be in order ---- */

static bool check_order(const char *small, int64_t small_ms, const char *large, int64_t large_ms,
                        struct error *err)
{
    char least[QUANTITY_TEXT], most[QUANTITY_TEXT];
    if (small_ms <= large_ms)
        return true;
    return error_set(
        err, ERROR_CONFIG, "%s (%s) is longer than %s (%s)", small,
        config_quantity_format(CONFIG_QUANTITY_DURATION, small_ms, least, sizeof least), large,
        config_quantity_format(CONFIG_QUANTITY_DURATION, large_ms, most, sizeof most));
}

static bool check_orders(const struct config *c, struct error *err)
{
    return check_order("retry.base", c->retry_base, "retry.cap", c->retry_cap, err) &&
           check_order("breaker.probe_first", c->breaker_probe_first, "breaker.probe_cap",
                       c->breaker_probe_cap, err);
}

/* ---- classes of answers ---- */

/* Each list can be read, and no status is in two of them. */
static bool check_outcomes(const struct config *config, struct error *err)
{
    enum { STATUSES = sizeof((struct response_rules *)0)->class_of };
    const struct {
        const char *option, *list;
    } lists[] = {{"outcome.transient", config->outcome_transient},
                 {"outcome.refused", config->outcome_refused},
                 {"outcome.endpoint", config->outcome_endpoint},
                 {"outcome.delivered", config->outcome_delivered}};
    uint8_t named_by[STATUSES] = {0}; /* which list, from 1 */
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct response_rules rules = {{0}};
        struct error why = {0};
        if (lists[i].list == NULL)
            continue;
        if (!response_rules_change(&rules, lists[i].list, RESPONSE_ENDPOINT, &why))
            return error_set(err, why.code, "%s: %s", lists[i].option, why.text);
        for (int status = 0; status < STATUSES; status++) {
            if (rules.class_of[status] != RESPONSE_ENDPOINT)
                continue;
            if (named_by[status] != 0)
                return error_set(err, ERROR_CONFIG, "%s and %s both name %d; keep one",
                                 lists[named_by[status] - 1].option, lists[i].option, status);
            named_by[status] = (uint8_t)(i + 1);
        }
    }
    return true;
}

/* ---- the whole ---- */

/* An attempt that began just before a stop has the time to end. */
int64_t config_drain_timeout(const struct config *config)
{
    enum { LONGER_MS = 5000 };
    return config->drain_timeout >= 0 ? config->drain_timeout : config->webhook_timeout + LONGER_MS;
}

static void advise(struct config *c)
{
    char one[QUANTITY_TEXT], other[QUANTITY_TEXT];
    const enum config_quantity time = CONFIG_QUANTITY_DURATION;
    config_quantity_format(time, c->webhook_timeout, one, sizeof one);
    if (c->drain_timeout < c->webhook_timeout)
        config_warn(c,
                    "drain.timeout (%s) is shorter than webhook.timeout (%s): an attempt that is "
                    "cut off at a stop may be sent again",
                    config_quantity_format(time, c->drain_timeout, other, sizeof other), one);
    if (c->retry_give_up < c->webhook_timeout)
        config_warn(c,
                    "retry.give_up (%s) is shorter than webhook.timeout (%s): an order may be "
                    "parked after one slow attempt",
                    config_quantity_format(time, c->retry_give_up, other, sizeof other), one);
    int64_t room = c->inflight_records < c->webhook_uncommitted_max ? c->inflight_records
                                                                    : c->webhook_uncommitted_max;
    if (c->webhook_concurrency > room)
        config_warn(c, "webhook.concurrency (%lld) is never reached: %s is %lld",
                    (long long)c->webhook_concurrency,
                    room == c->inflight_records ? "inflight.records" : "webhook.uncommitted_max",
                    (long long)room);
}

/* ---- the dashboard's users ---- */

static bool check_auth(const struct config *config, unsigned needs, struct error *err)
{
    enum { SECRET_MIN = 32 };
    const char *secret = config->auth_hs256_secret, *claim = config->auth_operator_claim;
    if ((needs & CONFIG_NEED_AUTH) != 0 && secret == NULL && config->auth_public_key_file == NULL &&
        config->auth_jwks_url == NULL && config->auth_service_keys == NULL)
        return error_set(err, ERROR_CONFIG,
                         "one of auth.jwks_url, auth.public_key_file, auth.hs256_secret and "
                         "auth.service_keys is required: without it no sign-in is possible");
    if (secret != NULL && strlen(secret) < SECRET_MIN)
        return error_set(err, ERROR_CONFIG,
                         "auth.hs256_secret is shorter than %d bytes: it could be guessed",
                         SECRET_MIN);
    if ((claim != NULL) != (config->auth_operator_values != NULL))
        return error_set(err, ERROR_CONFIG,
                         "auth.operator_claim and auth.operator_values go together");
    return true;
}

bool config_contradiction(struct config *config, size_t index, struct error *err)
{
    struct error found[] = {{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}};
    const bool fine[] = {
        check_brokers(config, &found[0]),      check_topics(config, &found[1]),
        check_registry_url(config, &found[2]), check_registry_login(config, &found[3]),
        check_webhook_url(config, &found[4]),  config_check_kafka_security(config, &found[5]),
        check_orders(config, &found[6]),       check_outcomes(config, &found[7])};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        if (!fine[i] && index-- == 0)
            return !error_set(err, found[i].code, "%s", found[i].text);
    return false;
}

bool config_finish(struct config *config, unsigned needs, struct error *err)
{
    if (!own_names_fill(config))
        return error_no_memory(err);
    if (config_missing(config, needs, 0, err) || !check_brokers(config, err) ||
        !check_topics(config, err) || !check_registry_url(config, err) ||
        !check_registry_login(config, err) || !check_webhook_url(config, err) ||
        !config_check_kafka_security(config, err) || !config_check_group(config, err) ||
        !check_orders(config, err) || !check_outcomes(config, err) ||
        !check_auth(config, needs, err) || !config_check_safety(config, needs, err))
        return false;
    config->drain_timeout = config_drain_timeout(config);
    advise(config);
    return true;
}
