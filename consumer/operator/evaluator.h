/* evaluator: the verdict on a record, without a pipeline: the registry, the plans and the
 * transform, behind one blocking call. */
#ifndef OPERATOR_EVALUATOR_H
#define OPERATOR_EVALUATOR_H

#include "kafka/reader.h"
#include "order/transform.h"

#include <librdkafka/rdkafka.h>

struct evaluator;

/* stop_fd becomes readable when a signal asks to stop. */
struct evaluator *evaluator_new(const struct config *config, int stop_fd, struct error *err);
void evaluator_free(struct evaluator *evaluator); /* accepts NULL */

struct evaluator_verdict {
    enum transform_verdict verdict;
    const char *why;        /* NULL: stopped before there was a verdict */
    const struct buf *body; /* of TRANSFORM_DELIVER; borrowed until the next call, as is detail */
    const char *detail;     /* why a record is undecodable, for people; "" else */
    int64_t event_ms;       /* as in transform.h; -1: not known */
    struct slice order_id, confirmed_at; /* of TRANSFORM_DELIVER, as rendered; borrowed likewise */
};

/* gate: as for transform_apply. False when the record's schema stops everything, or the registry
 * does not answer within 30 s. */
bool evaluator_record(struct evaluator *evaluator, const rd_kafka_message_t *m, bool gate,
                      struct evaluator_verdict *ret, struct error *err) must_check;

struct evaluator_schema {
    const char *text;   /* the writer's, as JSON; borrowed from the evaluator */
    struct slice lead;  /* the bytes in front of the Avro; borrowed from the record */
    const char *header; /* that names the schema; static, NULL: the lead does */
};

/* The schema of a record that had a verdict; false: it is not known. */
bool evaluator_schema(struct evaluator *evaluator, const rd_kafka_message_t *m,
                      struct evaluator_schema *ret) must_check;

/* Every record up to the reader's end goes to visit with its verdict, one after the other; visit
 * returns false, with err set, to end it. Fails as evaluator_record, and with FAILED when the
 * operator stops it. */
typedef bool evaluator_visit(void *context, const rd_kafka_message_t *m,
                             const struct evaluator_verdict *verdict, struct error *err);
bool evaluator_read(struct evaluator *evaluator, struct reader *reader, bool gate,
                    evaluator_visit *visit, void *context, struct error *err) must_check;

bool evaluator_stopped(struct evaluator *evaluator); /* asked to stop meanwhile; does not wait */

#endif
