/* kafka_client_log: librdkafka's log lines, folded into ours. Callable from any thread. */
#ifndef KAFKA_KAFKA_CLIENT_LOG_H
#define KAFKA_KAFKA_CLIENT_LOG_H

#include <librdkafka/rdkafka.h>

/* For rd_kafka_conf_set_log_cb. Broken connections and the like reach the caller as errors and are
 * logged there with advice; here they are debug lines. Its other warnings are logged at most once a
 * minute for each facility, with the number of repetitions. */
void kafka_log(const rd_kafka_t *rk, int level, const char *facility, const char *text);

/* A line's text without the thread that librdkafka begins it with. Borrowed from text. */
const char *kafka_log_text(const char *text);

#endif
