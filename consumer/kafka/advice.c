#include "kafka/advice.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define NO_TLS                                                                           \
    "this listener has no TLS: set kafka.properties.security.protocol to plaintext (or " \
    "sasl_plaintext), or use the TLS port"
#define NO_ANSWER                                                                          \
    "something there takes connections but does not answer as Kafka does: a TLS listener " \
    "(kafka.properties.security.protocol), or not a broker at all"
#define NO_CLIENT_CERTIFICATE                                                               \
    "the broker wants a client certificate: set kafka.properties.ssl.certificate.location " \
    "and kafka.properties.ssl.key.location (PEM)"
#define BAD_CLIENT_CERTIFICATE                                                                  \
    "the broker does not take this client certificate: it has expired, or the broker does not " \
    "trust its authority (ssl.truststore of the broker); its log says which"
#define NO_FILE(property) \
    "the file of kafka.properties." property " cannot be read: check its path and rights"
#define NO_CERTIFICATE(property)             \
    "the file of kafka.properties." property \
    " holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"
#define REFUSED_LOGIN                                                                      \
    "the broker refuses this login: check kafka.properties.sasl.username, .sasl.password " \
    "and .sasl.mechanism"
#define ANOTHER_MECHANISM "set kafka.properties.sasl.mechanism to one that the broker offers"

/* In this order: the first pair of words that are both there counts. */
static const struct {
    const char *words, *and_words, *advice;
} known[] = {
    {"Connection refused", "",
     "nothing listens at this address: correct the host and port in kafka.brokers, or start the "
     "broker"},
    {"resolve", "",
     "this name is not known here: correct kafka.brokers; or, if it is right, the broker "
     "advertises (advertised.listeners) a name that this machine cannot look up"},
    {"SSL handshake failed", "wrong version number", NO_TLS},
    {"SSL handshake failed", "PLAINTEXT broker listener", NO_TLS},
    {"SSL handshake failed", "unexpected eof",
     "this listener has no TLS, it seems: set kafka.properties.security.protocol to plaintext (or "
     "sasl_plaintext), or use the TLS port"},
    /* Without a file OpenSSL's own names the function that missed it. */
    {"ssl.ca.location failed", "system lib", NO_FILE("ssl.ca.location")},
    {"ssl.ca.location failed", "BIO lib", NO_FILE("ssl.ca.location")},
    {"ssl.ca.location failed", "", NO_CERTIFICATE("ssl.ca.location")},
    {"ssl.certificate.location failed", "system lib", NO_FILE("ssl.certificate.location")},
    {"ssl.certificate.location failed", "", NO_CERTIFICATE("ssl.certificate.location")},
    {"ssl.key.location failed", "system lib", NO_FILE("ssl.key.location")},
    {"ssl.key.location failed", "mismatch",
     "this is not the key of the certificate in kafka.properties.ssl.certificate.location"},
    {"ssl.key.location failed", "",
     "the file of kafka.properties.ssl.key.location holds no private key in PEM, or one whose "
     "passphrase is not kafka.properties.ssl.key.password"},
    {"alert bad certificate", "", NO_CLIENT_CERTIFICATE}, /* what Java answers to none at all */
    {"alert certificate required", "", NO_CLIENT_CERTIFICATE},
    {"alert certificate unknown", "", BAD_CLIENT_CERTIFICATE},
    {"alert certificate expired", "", BAD_CLIENT_CERTIFICATE},
    {"alert unknown ca", "", BAD_CLIENT_CERTIFICATE},
    {"verification callback failed", "expired",
     "the broker's certificate has expired: renew it; or correct this machine's clock"},
    {"verification callback failed", "not yet valid",
     "the broker's certificate is not valid yet: correct this machine's clock, or the broker's "
     "certificate"},
    {"verification callback failed", "mismatch",
     "the broker's certificate is for another name: write a name that it holds into "
     "kafka.brokers, have the broker advertise one (advertised.listeners), or add this one to the "
     "certificate"},
    {"verification callback failed", "",
     "the broker's certificate is not trusted: set kafka.properties.ssl.ca.location to the "
     "certificate of the authority that signed it (PEM)"},
    {"SSL handshake failed", "certificate",
     "the broker's certificate is not trusted: set kafka.properties.ssl.ca.location to its "
     "authority's certificate (PEM), or use the host name the certificate is made out to"},
    {"SSL handshake failed", "",
     "TLS and this listener do not agree: check kafka.properties.security.protocol and ssl.*"},
    {"SSL listener", "",
     "this looks like a TLS listener: set kafka.properties.security.protocol to ssl (sasl_ssl "
     "with a login); or it is not a broker at all: check the port in kafka.brokers"},
    {"might require SASL", "",
     "this listener wants a login: set kafka.properties.security.protocol to sasl_ssl or "
     "sasl_plaintext, and sasl.mechanism, sasl.username, sasl.password"},
    {"supported mechanisms", "", ANOTHER_MECHANISM},
    {"nsupported SASL mechanism", "", ANOTHER_MECHANISM},
    {"Failed to acquire SASL OAUTHBEARER token", "",
     "no token was given: check kafka.properties.sasl.oauthbearer.token.endpoint.url, .client.id "
     "and .client.secret"},
    {"invalid_token", "",
     "the broker refuses this token: check what kafka.properties.sasl.oauthbearer.* ask for, and "
     "that the broker trusts their issuer"},
    {"uthentication", "", REFUSED_LOGIN},
    {"Invalid response size", "",
     "what answers there is not Kafka (a web server, or the registry?): correct the port in "
     "kafka.brokers"},
    {"opic authorization failed", "",
     "let the program's user read and describe kafka.topic, and read, write and describe its own "
     "topics"},
    {"roup authorization failed", "",
     "let the program's user read and describe the group kafka.group"},
    {"transport failure", "", NO_ANSWER},
    {"ApiVersionRequest failed", "imed out", NO_ANSWER},
    {"timed out", "", "no answer: is the address right, and does a firewall let it through?"},
};

/* librdkafka's pull request 4895: it repeated its own half of the nonce, which Kafka 4 refuses. */
static bool is_scram_too_old(const char *reason, int version)
{
    const int with_scram_of_kafka_4 = 0x020601ff; /* 2.6.1 */
    return version < with_scram_of_kafka_4 &&
           strstr(reason, "invalid credentials with SASL mechanism SCRAM") != NULL;
}

const char *kafka_advice_of(const char *reason, int version)
{
    if (is_scram_too_old(reason, version))
        return REFUSED_LOGIN
            "; if they are right: librdkafka before 2.6.1, as this one, cannot log "
            "in to Kafka 4 by SCRAM; take a newer one, or another kind of login";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(reason, known[i].words) != NULL && strstr(reason, known[i].and_words) != NULL)
            return known[i].advice;
    return "";
}

const char *kafka_advice(const char *reason)
{
    return kafka_advice_of(reason, rd_kafka_version());
}

const char *kafka_advice_always(const char *reason)
{
    const char *advice = kafka_advice(reason);
    return *advice != '\0' ? advice : "try again; if it stays so, the broker's log has the cause";
}

const char *kafka_library_lacks(int version)
{
    const int with_truncation_detection = 0x020100ff; /* 2.1.0, KIP-320 */
    return version < with_truncation_detection
               ? "before 2.1 it does not notice that a leader lost records after an unclean "
                 "election (KIP-320), so that the group may go on behind them"
               : "";
}
