/* unsent: records that have the rule's value and are skipped although no delivery of them
 * is known, and records that may be no orders. Each kind is logged once a run. */
#include "pipeline/pipeline_internal.h"

bool partition_era_is_live(const void *pipeline, uint32_t status_epoch)
{
    const struct pipeline *p = pipeline;
    for (size_t i = 0; i < p->partition_count; i++)
        if (p->partitions[i] != NULL && p->partitions[i]->status_epoch == status_epoch &&
            p->partitions[i]->state != PARTITION_NONE)
            return true;
    return false;
}

void say_unsent(struct pipeline *p, const rd_kafka_message_t *m, const struct transformed *t)
{
    p->totals.snapshot_unsent += t->unsent;
    if (t->unsent && !p->snapshot_unsent_said) {
        log_warn("snapshot row not sent",
                 LOG_S("reason", "it has rule.value, and no earlier record of its order was seen"),
                 LOG_S("hint", "elementor-sync check counts such rows; rule.snapshot=deliver or "
                               "replay sends them"),
                 LOG_I("partition", m->partition), LOG_I("offset", m->offset));
        p->snapshot_unsent_said = true;
    }
    if (t->second_table && !p->second_table_said) {
        log_warn("second table in the topic",
                 LOG_S("reason", "its records are judged as orders, too"),
                 LOG_S("hint", "set rule.table to the orders' table, such as public.orders"),
                 LOG_I("partition", m->partition), LOG_I("offset", m->offset));
        p->second_table_said = true;
    }
    if (t->verdict == TRANSFORM_SKIP && t->skip == SKIP_KEY_CHANGE && !p->key_change_said) {
        log_warn("order id changed",
                 LOG_S("reason", "the primary key changed; a new id is no new transition"),
                 LOG_S("hint", "further ones count in records_skipped_total{reason=key_change}"),
                 LOG_I("partition", m->partition), LOG_I("offset", m->offset));
        p->key_change_said = true;
    }
}
