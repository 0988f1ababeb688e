/* kafka_client: the configuration that the program's consumers and producer share. */
#ifndef KAFKA_KAFKA_CLIENT_H
#define KAFKA_KAFKA_CLIENT_H

#include "config/config.h"

#include <librdkafka/rdkafka.h>

struct kafka_property {
    const char *name, *value; /* name NULL ends a list */
};

/* A librdkafka configuration with the brokers, the given properties, and then the user's
 * kafka.properties.* that concern this kind of client. librdkafka's log lines go to sys/log. The
 * caller owns it (rd_kafka_new takes it). NULL with CONFIG when a property is refused. */
rd_kafka_conf_t *kafka_conf_new(const struct config *config,
                                const struct kafka_property *properties, struct error *err);

/* kafka_conf_new for an observer: a consumer beside the members, which commits nothing by itself,
 * makes no topic and reports the end of a partition. `properties` are added to these, or replace
 * them. The API requires a group, and brokers ask for its rights; only a subscription joins it. */
rd_kafka_conf_t *kafka_observer_conf(const struct config *config, const char *group,
                                     const struct kafka_property *properties, struct error *err);

/* The client of such a configuration; all that it reports comes by rd_kafka_consumer_poll or its
 * consumer queue. The caller closes and destroys it. */
rd_kafka_t *kafka_observer_new(const struct config *config, const char *group,
                               const struct kafka_property *properties, struct error *err);

/* Its consumer queue, which writes to wake_fd when it fills; the caller destroys it before the
 * client. */
rd_kafka_queue_t *kafka_observer_queue(rd_kafka_t *rk, int wake_fd);

/* rd_kafka_new, with its error as ours; consumes conf either way. */
rd_kafka_t *kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct error *err);

/* UNREACHABLE: the error of a client whose first question was answered with `code`. Returns
 * false. */
bool kafka_no_broker(const struct config *config, rd_kafka_resp_err_t code, struct error *err);

#endif
