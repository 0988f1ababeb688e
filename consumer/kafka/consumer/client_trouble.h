/* client_trouble: logs what keeps the whole client from its work: brokers that are not there, that
 * refuse the connection or a right, and librdkafka's fatal errors. Each once, and calmly again
 * after a while. */
#ifndef KAFKA_CONSUMER_CLIENT_TROUBLE_H
#define KAFKA_CONSUMER_CLIENT_TROUBLE_H

#include "config/config.h"
#include "sys/log.h"

#include <librdkafka/rdkafka.h>

struct client_trouble {
    const struct config *config;
    struct log_limited missed, refused, reading;
    char words[256]; /* librdkafka's last on a broken connection that say something */
};

/* An error of the whole client. */
void client_trouble_note(struct client_trouble *t, rd_kafka_resp_err_t code, const char *reason);

void client_trouble_no_broker(struct client_trouble *t, const char *why);
void client_trouble_reading(struct client_trouble *t, const char *why);
void client_trouble_over(struct client_trouble *t); /* a broker has answered */

/* True, with err, once librdkafka's consumer has met a fatal error. Each of them is the end of the
 * member: it takes part in the group no more, and has lost its partitions. */
bool client_is_lost(rd_kafka_t *rk, const struct config *config, struct error *err);

#endif
