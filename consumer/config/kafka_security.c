#include "config/kafka_security.h"

#include "base/slice.h"

#include <strings.h>

static const char *find_property(const struct config *config, const char *prefix)
{
    for (size_t i = 0; i < config->kafka_property_count; i++)
        if (has_prefix_any_case(config->kafka_properties[i].name, prefix))
            return config->kafka_properties[i].name;
    return NULL;
}

/* A property that has no effect with the configured protocol. */
static bool check_effect(const struct config *config, const char *prefix, bool has_effect,
                         const char *what, const char *protocols, struct error *err)
{
    const char *property = find_property(config, prefix);
    const char *protocol = config_property(config, "security.protocol");
    if (property == NULL || has_effect)
        return true;
    return error_set(err, ERROR_CONFIG,
                     "kafka.properties.%s is set, but kafka.properties.security.protocol is %s: "
                     "%s would not be used; set it to %s",
                     property, protocol != NULL ? protocol : "not set (plaintext)", what,
                     protocols);
}

/* The one that is set; NULL: neither. */
static const char *either(const struct config *config, const char *one, const char *other)
{
    if (config_property(config, one) != NULL)
        return one;
    return config_property(config, other) != NULL ? other : NULL;
}

/* With half of the pair librdkafka shows no certificate, or refuses the key in OpenSSL's words. */
static bool check_certificate(const struct config *config, struct error *err)
{
    const char *certificate = either(config, "ssl.certificate.location", "ssl.certificate.pem");
    const char *key = either(config, "ssl.key.location", "ssl.key.pem");
    if ((certificate == NULL) == (key == NULL))
        return true;
    return error_set(err, ERROR_CONFIG,
                     "kafka.properties.%s is set without kafka.properties.%s: a client certificate "
                     "and its key go together",
                     certificate != NULL ? certificate : key,
                     certificate != NULL ? "ssl.key.location" : "ssl.certificate.location");
}

static bool needs_password(const char *mechanism)
{
    return mechanism != NULL &&
           (strcasecmp(mechanism, "PLAIN") == 0 || has_prefix_any_case(mechanism, "SCRAM-"));
}

/* Without a source of tokens librdkafka waits for one for ever, and says nothing. */
static bool check_token(const struct config *config, const char *mechanism, struct error *err)
{
    if (mechanism == NULL || strcasecmp(mechanism, "OAUTHBEARER") != 0 ||
        config_property(config, "sasl.oauthbearer.method") != NULL ||
        config_property(config, "enable.sasl.oauthbearer.unsecure.jwt") != NULL)
        return true;
    return error_set(err, ERROR_CONFIG,
                     "kafka.properties.sasl.mechanism is OAUTHBEARER, which needs a source of "
                     "tokens: set kafka.properties.sasl.oauthbearer.method to oidc, and "
                     "sasl.oauthbearer.client.id, .client.secret and .token.endpoint.url");
}

static bool check_sasl(const struct config *config, struct error *err)
{
    const char *mechanism = config_property(config, "sasl.mechanism");
    if (mechanism == NULL)
        mechanism = config_property(config, "sasl.mechanisms");
    bool user = config_property(config, "sasl.username") != NULL;
    bool password = config_property(config, "sasl.password") != NULL;
    if (mechanism == NULL && user)
        return error_set(
            err, ERROR_CONFIG,
            "kafka.properties.sasl.username is set without "
            "kafka.properties.sasl.mechanism: set it to what the brokers offer (PLAIN, "
            "SCRAM-SHA-256 or SCRAM-SHA-512)");
    if (needs_password(mechanism) && !(user && password))
        return error_set(err, ERROR_CONFIG,
                         "kafka.properties.sasl.mechanism is %s, which needs "
                         "kafka.properties.sasl.username and .sasl.password",
                         mechanism);
    return check_token(config, mechanism, err);
}

bool config_check_kafka_security(struct config *config, struct error *err)
{
    const char *protocol = config_property(config, "security.protocol");
    bool sasl = has_prefix_any_case(protocol, "sasl");
    bool tls = protocol != NULL &&
               (has_prefix_any_case(protocol, "ssl") || strcasecmp(protocol, "sasl_ssl") == 0);
    if (!check_effect(config, "ssl.", tls, "TLS", sasl ? "sasl_ssl" : "ssl or sasl_ssl", err) ||
        !check_effect(config, "sasl.", sasl, "this login",
                      tls ? "sasl_ssl" : "sasl_ssl or sasl_plaintext", err) ||
        !check_certificate(config, err))
        return false;
    if (!sasl)
        return true;
    const char *mechanism = config_property(config, "sasl.mechanism");
    if (!tls && mechanism != NULL && strcasecmp(mechanism, "PLAIN") == 0)
        config_warn(config, "sasl_plaintext with PLAIN sends Kafka's password over the network "
                            "unencrypted; use sasl_ssl, or SCRAM");
    return check_sasl(config, err);
}
