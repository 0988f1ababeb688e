/* environment: options from environment variables: kafka.brokers is KAFKA_BROKERS.
 *
 *   WEBHOOK_URL                    or ELEMENTOR_WEBHOOK_URL; both only if they agree
 *   WEBHOOK_URL_FILE               the file that holds it: of secrets, and of headers
 *   KAFKA_PROPERTIES_SASL_USERNAME kafka.properties.sasl.username: "_" is "."
 *   WEBHOOK_HEADERS_X_API_KEY      webhook.headers.x-api-key: "_" is "-"
 *
 * A variable that is none of these and looks like a typing error of one is warned of. */
#ifndef CONFIG_LOAD_ENVIRONMENT_H
#define CONFIG_LOAD_ENVIRONMENT_H

#include "config/config.h"

bool environment_load(struct config *config, char *const *environment,
                      struct error *err) must_check;

#endif
