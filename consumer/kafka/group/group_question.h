/* group_question: librdkafka's admin calls about groups, asked and awaited.
 *
 * Each blocks for timeout_ms at most, and a second more, in which librdkafka says why there was no
 * answer. Returns the answer's event, NULL without one; rd_kafka_event_destroy() it. */
#ifndef KAFKA_GROUP_GROUP_QUESTION_H
#define KAFKA_GROUP_GROUP_QUESTION_H

#include "base/error.h"

#include <librdkafka/rdkafka.h>

rd_kafka_event_t *group_question_describe(rd_kafka_t *rk, const char *group, int timeout_ms);
rd_kafka_event_t *group_question_list(rd_kafka_t *rk, int timeout_ms);

/* The answer to group_question_describe, owned by the event; event NULL: no answer. NULL: err has
 * the bare reason, UNREACHABLE without an answer, FAILED when the coordinator refuses. */
const rd_kafka_ConsumerGroupDescription_t *group_question_described(rd_kafka_event_t *event,
                                                                    struct error *err);

#endif
