/* kafka_advice_test: librdkafka's words, as its versions 2.0 to 2.8 say them, and what to do. */
#include "kafka/advice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *words, *advice; /* a part of it; "": none */
} cases[] = {
    {"127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in "
     "state CONNECT)",
     "nothing listens at this address"},
    {"kafka:9092/1: Failed to resolve 'kafka:9092': Name or service not known",
     "advertised.listeners"},
    {"ssl://h:1/bootstrap: SSL handshake failed: error:0A00010B:SSL routines::wrong version "
     "number: "
     "connecting to a PLAINTEXT broker listener?",
     "has no TLS"},
    {"ssl://h:1/bootstrap: SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker "
     "listener? (after 4ms in state SSL_HANDSHAKE)",
     "has no TLS"},
    {"ssl://h:1/bootstrap: SSL handshake failed: error:0A000126:SSL routines::unexpected eof while "
     "reading",
     "has no TLS"},
    {"ssl://h:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify "
     "failed: broker certificate could not be verified, verify that ssl.ca.location is correctly "
     "configured",
     "kafka.properties.ssl.ca.location"},
    {"ssl://h:1/bootstrap: Certificate (subject=/CN=broker, issuer=/CN=ca) verification callback "
     "failed: certificate has expired",
     "has expired: renew it"},
    {"ssl://h:1/bootstrap: Certificate (subject=/CN=other, issuer=/CN=ca) verification callback "
     "failed: IP address mismatch",
     "is for another name"},
    {"ssl://h:1/bootstrap: Certificate (subject=/CN=other, issuer=/CN=ca) verification callback "
     "failed: hostname mismatch",
     "is for another name"},
    {"ssl://h:1/bootstrap: Certificate (subject=/CN=broker, issuer=/CN=ca) verification callback "
     "failed: unable to get local issuer certificate",
     "kafka.properties.ssl.ca.location"},
    {"ssl://h:1/bootstrap: Receive failed: error:0A000412:SSL routines::sslv3 alert bad "
     "certificate: SSL alert number 42 (after 15ms in state APIVERSION_QUERY)",
     "wants a client certificate"},
    {"ssl://h:1/bootstrap: Receive failed: error:0A000416:SSL routines::sslv3 alert certificate "
     "unknown: SSL alert number 46 (after 111ms in state APIVERSION_QUERY)",
     "does not take this client certificate"},
    {"sasl_ssl://h:1/bootstrap: SASL authentication error: {\"status\":\"invalid_token\"} (after "
     "326ms in state AUTH_REQ)",
     "refuses this token"},
    {"ssl.ca.location failed: error:05880002:x509 certificate routines::system lib",
     "cannot be read"},
    {"ssl.ca.location failed: error:05880020:x509 certificate routines::BIO lib", "cannot be read"},
    {"ssl.ca.location failed: error:05800088:x509 certificate routines::no certificate or crl "
     "found",
     "ssl.ca.location holds no certificate"},
    {"ssl.certificate.location failed: error:0A080009:SSL routines::PEM lib",
     "ssl.certificate.location holds no certificate"},
    {"ssl.key.location failed: error:05800074:x509 certificate routines::key values mismatch",
     "is not the key of"},
    {"ssl.key.location failed: error:0A080009:SSL routines::PEM lib", "passphrase"},
    {"Failed to acquire SASL OAUTHBEARER token: {\"error\": \"invalid_client\"}",
     "no token was given"},
    {"h:1/bootstrap: Disconnected while requesting ApiVersion: might be caused by incorrect "
     "security.protocol configuration (connecting to a SSL listener?) or broker version is < 0.10",
     "looks like a TLS listener"},
    {"sasl_plaintext://h:1/bootstrap: SASL authentication error: Authentication failed: Invalid "
     "username or password",
     "check kafka.properties.sasl.username"},
    {"h:1/bootstrap: Disconnected: verify that security.protocol is correctly configured, broker "
     "might require SASL authentication (after 1ms in state UP)",
     "this listener wants a login"},
    {"SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's "
     "supported mechanisms: PLAIN",
     "kafka.properties.sasl.mechanism to one that the broker offers"},
    {"h:1/bootstrap: Receive failed: Invalid response size 1213486160 (0..134217728): increase "
     "receive.message.max.bytes",
     "is not Kafka"},
    {"h:1/bootstrap: ApiVersionRequest failed: Local: Timed out: probably due to broker version < "
     "0.10 (see api.version.request configuration) (after 10007ms in state APIVERSION_QUERY)",
     "not a broker at all"},
    {"Broker: Topic authorization failed", "read and describe kafka.topic"},
    {"Broker: Group authorization failed", "read and describe the group"},
    {"something never said before", ""},
};

static void advice(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *said = kafka_advice(cases[i].words);
        if (*cases[i].advice == '\0')
            assert_string_equal(said, "");
        else if (strstr(said, cases[i].advice) == NULL)
            fail_msg("%s: %s", cases[i].words, said);
    }
}

/* A librdkafka that can is given no advice for those that cannot. */
static void scram_of_kafka_4(void **state)
{
    (void)state;
    static const char words[] =
        "sasl_ssl://h:1/bootstrap: SASL authentication error: Authentication failed during "
        "authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512 (after 315ms "
        "in state AUTH_REQ)";
    const char *old = kafka_advice_of(words, 0x020600ff),
               *fixed = kafka_advice_of(words, 0x020601ff);
    assert_non_null(strstr(old, "check kafka.properties.sasl.username"));
    assert_non_null(strstr(old, "cannot log in to Kafka 4 by SCRAM"));
    assert_non_null(strstr(fixed, "check kafka.properties.sasl.username"));
    assert_null(strstr(fixed, "SCRAM"));
}

static void lacks(void **state)
{
    (void)state;
    assert_string_not_equal(kafka_library_lacks(0x020002ff), "");
    assert_string_equal(kafka_library_lacks(0x020100ff), "");
    assert_string_equal(kafka_library_lacks(0x020800ff), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(advice), cmocka_unit_test(scram_of_kafka_4),
                                       cmocka_unit_test(lacks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
