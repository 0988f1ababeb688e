#include "config/safety.h"

#include "base/slice.h"
#include "http/http_client.h"
#include "sys/url_list.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- operators ---- */

/* In either case. */
static bool has_word(const char *list, const char *word)
{
    struct slice one;
    while ((one = words_next(&list)).len > 0)
        if (one.len == strlen(word) && strncasecmp(one.data, word, one.len) == 0)
            return true;
    return false;
}

/* The path of a claim without the quotes that names may stand in. */
static const char *without_quotes(const char *path, char *text, size_t size)
{
    size_t len = 0;
    for (; *path != '\0' && len < size - 1; path++)
        if (*path != '"')
            text[len++] = *path;
    text[len] = '\0';
    return text;
}

/* A claim that each customer's token has too, or that a customer can change. */
static bool check_operator(const struct config *config, struct error *err)
{
    char plain[256];
    static const char *const everybody[] = {"authenticated", "anon", "public", "user"};
    static const char *const common[] = {
        "aud", "iss", "aal", "is_anonymous", "app_metadata.provider", "app_metadata.providers"};
    const char *claim = config->auth_operator_claim, *values = config->auth_operator_values;
    if (claim == NULL || values == NULL)
        return true;
    claim = without_quotes(claim, plain, sizeof plain);
    if (has_prefix_any_case(claim, "user_metadata"))
        return error_set(err, ERROR_CONFIG,
                         "auth.operator_claim: users can change user_metadata themselves; use one "
                         "in app_metadata");
    for (size_t i = 0; i < sizeof everybody / sizeof *everybody; i++)
        if (has_word(values, everybody[i]))
            return error_set(err, ERROR_CONFIG,
                             "auth.operator_values holds \"%s\", which every customer's token has: "
                             "all of them would be operators; use a value of your own in "
                             "app_metadata.role",
                             everybody[i]);
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (strcasecmp(claim, common[i]) == 0)
            return error_set(err, ERROR_CONFIG,
                             "auth.operator_claim is \"%s\", which customers' tokens have too; use "
                             "one in app_metadata that only operators have, such as "
                             "app_metadata.role",
                             common[i]);
    return true;
}

/* Secrets of published examples, with which any reader of them can sign tokens. */
static bool is_published(const char *secret)
{
    static const char *const published[] = {
        "super-secret-jwt-token-with-at-least-32-characters-long",      /* Supabase CLI */
        "your-super-secret-jwt-token-with-at-least-32-characters-long", /* its docker/.env.example
                                                                         */
        "a-string-secret-at-least-256-bits-long",                       /* jwt.io */
        "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
        "your-256-bit-secret-your-256-bit-secret",
        "reallyreallyreallyreallyverysafe"};
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        if (strcasecmp(secret, published[i]) == 0)
            return true;
    return has_prefix_any_case(secret, "your-super-secret");
}

static size_t different_bytes(const char *text)
{
    bool seen[256] = {false};
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += !seen[(unsigned char)*text];
        seen[(unsigned char)*text] = true;
    }
    return count;
}

static bool check_secret(const struct config *config, struct error *err)
{
    enum { DIFFERENT_MIN = 5 };
    const char *secret = config->auth_hs256_secret;
    if (secret == NULL)
        return true;
    if (is_published(secret))
        return error_set(err, ERROR_CONFIG,
                         "auth.hs256_secret is the default of a published example: generate a new "
                         "one (openssl rand -hex 32), and use it where the tokens are signed too");
    return different_bytes(secret) >= DIFFERENT_MIN ||
           error_set(err, ERROR_CONFIG,
                     "auth.hs256_secret repeats a few characters: it could be guessed; generate "
                     "one with openssl rand -hex 32");
}

/* ---- keys of services ---- */

/* NULL, or what makes the word no key of a service. */
static const char *find_weakness(const struct config *config, const char *key)
{
    enum { KEY_MIN = 32, DIFFERENT_MIN = 5 };
    if (has_prefix_any_case(key, "sb_publishable_"))
        return "is Supabase's publishable key, which every browser has: use the one that begins "
               "with sb_secret_";
    if (has_prefix(key, "eyJ"))
        return "is a JSON Web Token, which auth.jwks_url or auth.hs256_secret verifies: leave it "
               "out";
    if (config->auth_hs256_secret != NULL && strcmp(key, config->auth_hs256_secret) == 0)
        return "is auth.hs256_secret: whoever reads it on the way could sign tokens; generate "
               "another one (openssl rand -hex 32)";
    if (strlen(key) < KEY_MIN || different_bytes(key) < DIFFERENT_MIN)
        return "could be guessed: it needs 32 bytes, not of the same few characters (openssl rand "
               "-hex 32)";
    return NULL;
}

static bool check_service_keys(const struct config *config, struct error *err)
{
    char *copy = config->auth_service_keys != NULL ? strdup(config->auth_service_keys) : NULL;
    char *rest = copy, *key;
    const char *why = NULL;
    int place = 0;
    if (config->auth_service_keys == NULL)
        return true;
    if (copy == NULL)
        return error_no_memory(err);
    while (why == NULL && (key = strsep(&rest, " ,")) != NULL)
        if (*key != '\0') {
            place++;
            why = find_weakness(config, key);
        }
    explicit_bzero(copy, strlen(config->auth_service_keys));
    free(copy);
    return why == NULL || error_set(err, ERROR_CONFIG, "auth.service_keys: key %d %s", place, why);
}

/* ---- addresses ---- */

static void advise_listening(struct config *config, unsigned needs)
{
    if ((needs & CONFIG_NEED_AUTH) != 0 && config->dashboard_listen != NULL &&
        !url_is_loopback(config->dashboard_listen))
        config_warn(config,
                    "dashboard.listen (%s) can be reached from other machines, and the dashboard "
                    "does not encrypt: put a TLS proxy in front of it and let only the proxy reach "
                    "it, or tokens and customers' data cross the network unencrypted",
                    config->dashboard_listen);
    const char *plain = after_prefix_any_case(config->dashboard_url, "http://");
    if ((needs & CONFIG_NEED_AUTH) != 0 && plain != NULL && !url_is_loopback(plain))
        config_warn(config,
                    "dashboard.url is http://: tokens and customers' data cross the network "
                    "unencrypted; give the proxy a certificate, and write https://");
    if ((needs & CONFIG_NEED_WEBHOOK) != 0 && config->ops_listen != NULL &&
        !url_is_loopback(config->ops_listen))
        config_warn(config,
                    "ops.listen (%s) can be reached from other machines: the metrics can be read "
                    "there without a login; let only monitoring and probes reach it",
                    config->ops_listen);
}

/* One of the addresses is neither encrypted nor on this machine. */
static bool is_in_the_open(const char *urls)
{
    struct slice list[URL_LIST_MAX];
    size_t count = url_list_split(urls, list), scheme = strlen("http://");
    for (size_t i = 0; i < count && i < URL_LIST_MAX; i++)
        if (slice_has_prefix_any_case(list[i], "http://") && list[i].len > scheme &&
            !url_is_loopback(list[i].data + scheme))
            return true;
    return false;
}

static void advise_registry(struct config *config)
{
    const char *secret = config->registry_password != NULL ? "registry.password"
                         : config->registry_token != NULL  ? "registry.token"
                                                           : NULL;
    if (config->registry_url == NULL || secret == NULL || !is_in_the_open(config->registry_url))
        return;
    config_warn(config,
                "registry.url is http://, so %s crosses the network unencrypted: write https://",
                secret);
}

static void advise_trace(struct config *config)
{
    if (config->trace_url != NULL && config->trace_header_count > 0 &&
        is_in_the_open(config->trace_url))
        config_warn(config, "trace.url is http://, so trace.headers cross the network "
                            "unencrypted: write https://");
}

static bool is_off(const char *value)
{
    return value != NULL && (strcasecmp(value, "false") == 0 || strcasecmp(value, "f") == 0 ||
                             strcmp(value, "0") == 0 || strcasecmp(value, "no") == 0);
}

static void advise_certificates(struct config *config)
{
    const char *names = config_property(config, "ssl.endpoint.identification.algorithm");
    if (is_off(config_property(config, "enable.ssl.certificate.verification")))
        config_warn(config, "kafka.properties.enable.ssl.certificate.verification is off: anyone "
                            "between here and Kafka can read and change everything; set "
                            "kafka.properties.ssl.ca.location to your own authority instead");
    if (names != NULL && (*names == '\0' || strcasecmp(names, "none") == 0))
        config_warn(config,
                    "kafka.properties.ssl.endpoint.identification.algorithm is none: any "
                    "certificate of the authority is taken for a broker's; set it to https");
}

/* Properties that would run foreign code in the process that holds the webhook's URL. */
static bool check_code(const struct config *config, struct error *err)
{
    static const char *const loading[] = {"plugin.library.paths", "ssl.engine.location",
                                          "ssl.providers"};
    for (size_t i = 0; i < sizeof loading / sizeof *loading; i++)
        if (config_property(config, loading[i]) != NULL)
            return error_set(
                err, ERROR_CONFIG,
                "kafka.properties.%s cannot be set: it loads code into the process that "
                "holds the webhook's URL; leave it out",
                loading[i]);
    return true;
}

static bool check_urls(const struct config *config, struct error *err)
{
    const char *url = config->auth_jwks_url;
    const char *host = url != NULL && strstr(url, "://") != NULL ? strstr(url, "://") + 3 : url;
    if (host != NULL && memchr(host, '@', strcspn(host, "/?#")) != NULL)
        return error_set(err, ERROR_CONFIG,
                         "auth.jwks_url must not hold a user or a password: keys are public");
    return true;
}

/* ---- notices ---- */

static bool is_here(const char *host, size_t len)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == len && strncasecmp(host, names[i], len) == 0)
            return true;
    return false;
}

/* The URL is a secret: it is all that writing into the channel takes. */
static const char *fault_of_notify(const char *url)
{
    const char *plain = after_prefix_any_case(url, "http://");
    const char *host = plain != NULL ? plain : after_prefix_any_case(url, "https://");
    if (host == NULL)
        return "must begin with https://; copy the whole URL";
    size_t authority = strcspn(host, "/?#");
    if (memchr(host, '@', authority) != NULL)
        return "must not hold a user or a password";
    size_t len = *host == '[' ? strcspn(host, "/?#]") + 1 : strcspn(host, ":/?#");
    if (plain != NULL && !is_here(host, len))
        return "must begin with https:// (http is for loopback)";
    return NULL;
}

static bool check_notify(const char *option, const char *url, struct error *err)
{
    struct error why = {0};
    const char *fault = url != NULL ? fault_of_notify(url) : NULL;
    if (fault != NULL)
        return error_set(err, ERROR_CONFIG, "%s %s", option, fault);
    return url == NULL || http_url_check(url, true, &why) ||
           error_set(err, ERROR_CONFIG, "%s: %s", option, why.text);
}

/* ---- the way to the webhook ---- */

static bool is_set_alone(const char *one, const char *other)
{
    return (one != NULL) != (other != NULL);
}

/* http://HOST:PORT, and at most a slash behind it. */
static bool is_proxy(const char *url)
{
    const char *host = after_prefix_any_case(url, "http://");
    if (host == NULL)
        return false;
    const char *port = *host == '[' ? strchr(host, ']') : host + strcspn(host, ":/?#");
    if (port == NULL || port == host)
        return false;
    port += *port == ']';
    size_t digits = *port == ':' ? strspn(port + 1, "0123456789") : 0;
    long number = digits > 0 && digits <= 5 ? strtol(port + 1, NULL, 10) : 0;
    const char *rest = digits > 0 ? port + 1 + digits : port;
    return number >= 1 && number <= UINT16_MAX && strcmp(rest, *rest == '/' ? "/" : "") == 0;
}

static bool check_proxy(const struct config *config, struct error *err)
{
    const char *proxy = config->webhook_proxy;
    if (proxy == NULL)
        return (config->webhook_proxy_user == NULL && config->webhook_proxy_password == NULL) ||
               error_set(err, ERROR_CONFIG,
                         "webhook.proxy_user and webhook.proxy_password are of no use without "
                         "webhook.proxy; set it to http://HOST:PORT");
    if (strchr(proxy, '@') != NULL)
        return error_set(err, ERROR_CONFIG,
                         "webhook.proxy must not hold a user or a password; use "
                         "webhook.proxy_user and webhook.proxy_password");
    if (!is_proxy(proxy))
        return error_set(err, ERROR_CONFIG,
                         "webhook.proxy must be http://HOST:PORT, such as http://proxy.local:3128: "
                         "an HTTP proxy, with its port (what goes through it stays encrypted)");
    return !is_set_alone(config->webhook_proxy_user, config->webhook_proxy_password) ||
           error_set(err, ERROR_CONFIG,
                     "webhook.proxy_user and webhook.proxy_password go together");
}

static bool check_client_certificates(const struct config *config, struct error *err)
{
    const char *url = config->webhook_url;
    if (is_set_alone(config->webhook_cert_file, config->webhook_key_file))
        return error_set(err, ERROR_CONFIG, "webhook.cert_file and webhook.key_file go together");
    if (is_set_alone(config->registry_cert_file, config->registry_key_file))
        return error_set(err, ERROR_CONFIG, "registry.cert_file and registry.key_file go together");
    return config->webhook_cert_file == NULL || url == NULL ||
           !has_prefix_any_case(url, "http://") ||
           error_set(err, ERROR_CONFIG,
                     "webhook.cert_file is set, but webhook.url is http://: the certificate would "
                     "not be shown; write https:// or leave it out");
}

bool config_check_safety(struct config *config, unsigned needs, struct error *err)
{
    if (!check_operator(config, err) || !check_secret(config, err) ||
        !check_service_keys(config, err) || !check_code(config, err) || !check_urls(config, err) ||
        !check_notify("notify.url", config->notify_url, err) ||
        !check_notify("notify.heartbeat_url", config->notify_heartbeat_url, err) ||
        !check_proxy(config, err) || !check_client_certificates(config, err))
        return false;
    advise_listening(config, needs);
    advise_registry(config);
    advise_trace(config);
    advise_certificates(config);
    return true;
}
