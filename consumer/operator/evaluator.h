/* evaluator: what would become of a record, without a pipeline: the registry, the plans and the
 * transform, behind one blocking call. */
#ifndef OPERATOR_EVALUATOR_H
#define OPERATOR_EVALUATOR_H

#include "order/transform.h"

#include <librdkafka/rdkafka.h>

struct judge;

/* stop_fd becomes readable when a signal asks to stop. */
struct judge *judge_new(const struct config *config, int stop_fd, struct error *err);
void judge_free(struct judge *judge); /* accepts NULL */

struct judge_verdict {
    enum transform_verdict verdict;
    const char *why;        /* NULL: stopped before there was a verdict */
    const struct buf *body; /* of TRANSFORM_DELIVER; borrowed until the next call, as is detail */
    const char *detail;     /* why a record is undecodable, for people; "" else */
};

/* gate: as for transform_apply. False when the record's schema stops everything, or the registry
 * does not answer within 30 s. */
bool judge_record(struct judge *judge, const rd_kafka_message_t *m, bool gate,
                  struct judge_verdict *ret, struct error *err) must_check;

bool judge_stopped(struct judge *judge); /* asked to stop meanwhile; does not wait */

#endif
