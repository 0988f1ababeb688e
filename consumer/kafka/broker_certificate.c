#include "kafka/broker_certificate.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>

/* On librdkafka's own thread, once for each certificate of the chain. */
static int on_certificate(rd_kafka_t *rk, const char *broker, int32_t broker_id, int *x509_error,
                          int depth, const char *certificate, size_t len, char *why,
                          size_t why_size, void *opaque)
{
    (void)rk, (void)broker, (void)broker_id, (void)depth, (void)certificate, (void)len;
    (void)opaque;
    if (*x509_error == X509_V_OK)
        return 1;
    snprintf(why, why_size, "%s", X509_verify_cert_error_string(*x509_error));
    return 0;
}

bool broker_certificate_explain(rd_kafka_conf_t *conf, struct error *err)
{
    rd_kafka_conf_res_t result = rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_certificate);
    return result == RD_KAFKA_CONF_OK ||
           error_set(err, ERROR_CONFIG, "this build of librdkafka has no TLS");
}
