/* header: a header of a message, by its name. Where there are several the last one counts. */
#ifndef KAFKA_HEADER_H
#define KAFKA_HEADER_H

#include "base/slice.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

/* Borrowed from the message; a NUL stands behind it. {NULL, 0}: there is none, or it has no value.
 */
struct slice kafka_header(const rd_kafka_message_t *message, const char *name);

/* The same for the core, which knows no message. */
struct slice kafka_header_value(const void *message, const char *name);

/* Whether it is there. The message is a void pointer, as the core asks for it. */
bool kafka_has_header(const void *message, const char *name);

#endif
