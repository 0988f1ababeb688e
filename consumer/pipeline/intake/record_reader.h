/* record_reader: one record's bytes: wire format, schema, transform; or their fault.
 *
 * Reads on behalf of intake/decision. Nothing is settled here. */
#ifndef PIPELINE_INTAKE_RECORD_READER_H
#define PIPELINE_INTAKE_RECORD_READER_H

#include "config/config.h"
#include "order/transform.h"
#include "pipeline/tracking/partitions.h"
#include "registry/decoders.h"
#include "topics/retry_record.h"

struct record_reader {
    const struct config *config;
    const struct partitions *partitions;
    struct decoders *decoders;
    struct transform *transform;
};

/* A record on its way through the decision. */
struct intake_record {
    struct partition *partition;
    rd_kafka_message_t *m;
    struct schema_ref schema;      /* NONE: not known yet */
    struct retry_record origin;    /* its place: its own, or the one that a retry record names */
    const struct suspect *suspect; /* NULL; or it is read again as this one: its offset is open */
};

/* Sets r->origin. False when a retry record does not have it; *ret_why is the cause. */
bool record_find_origin(struct intake_record *r, const char **ret_why) must_check;

/* PENDING: the schema is awaited. FAULT: *ret_fault has the cause. */
enum bytes { BYTES_READ, BYTES_PENDING, BYTES_FAULT };
enum bytes record_read(const struct record_reader *reader, struct intake_record *r,
                       struct transformed *ret, struct reading_fault *ret_fault);

/* A record that an earlier owner settled: the next record of its order may have no row before, so
 * its status is remembered. False: its schema is awaited. */
bool record_remember(const struct record_reader *reader, struct intake_record *r);

/* Requests the schemas of the rest of the batch too, so that a batch waits once and not for one
 * after another. */
void record_request_schemas(const struct record_reader *reader, const struct partition *partition);

#endif
