/* kafka_security: kafka.properties.* of TLS and logins that contradict each other, or lack a part.
 */
#ifndef CONFIG_KAFKA_SECURITY_H
#define CONFIG_KAFKA_SECURITY_H

#include "config/config.h"

/* False with err CONFIG, which names the properties; what is unwise joins config->warnings. */
bool config_check_kafka_security(struct config *config, struct error *err) must_check;

#endif
