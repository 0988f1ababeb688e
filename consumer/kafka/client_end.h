/* client_end: the end of a librdkafka client, within bounds.
 *
 * rd_kafka_destroy waits for the client's threads, and these may never end: on 2.0.2 after the
 * cluster did not know a topic for a moment. A process that ends must not hang on that. */
#ifndef KAFKA_CLIENT_END_H
#define KAFKA_CLIENT_END_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

/* rd_kafka_destroy_flags, for timeout_ms at most. False: it goes on in a thread of its own, and
 * what the client was given (opaque, interceptors) must stay. */
bool kafka_end(rd_kafka_t *rk, int flags, int timeout_ms);

#endif
