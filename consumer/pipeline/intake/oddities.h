/* oddities: records that an operator should hear of: each kind is logged once a run, since its
 * meaning does not change with the next record. */
#ifndef PIPELINE_INTAKE_ODDITIES_H
#define PIPELINE_INTAKE_ODDITIES_H

#include "config/config.h"
#include "order/transform.h"

#include <librdkafka/rdkafka.h>

struct oddities {
    const struct config *config;
    uint64_t before_unknown, snapshot_unsent;
    bool case_mismatch_logged, before_unknown_logged, others_retry_logged, snapshot_unsent_logged,
        key_change_logged, second_table_logged;
};

/* After a record was read. */
void oddities_note(struct oddities *o, const rd_kafka_message_t *m, const struct transformed *t);

/* Another shop's, or another group's, on a retry topic that is shared. */
void oddities_note_others_retry(struct oddities *o, const rd_kafka_message_t *m, const char *why);

#endif
