/* broker_certificate: why a broker's certificate is not accepted, in words.
 *
 * librdkafka alone says "certificate verify failed" whatever the reason. */
#ifndef KAFKA_BROKER_CERTIFICATE_H
#define KAFKA_BROKER_CERTIFICATE_H

#include "base/error.h"

#include <librdkafka/rdkafka.h>

/* Has librdkafka log the reason (SSLCERTVRFY). Which certificates are accepted stays as it is.
 * False with CONFIG when this librdkafka has no TLS. */
bool broker_certificate_explain(rd_kafka_conf_t *conf, struct error *err);

#endif
