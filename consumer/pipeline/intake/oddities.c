#include "pipeline/intake/oddities.h"

#include "sys/log.h"

void oddities_note(struct oddities *o, const rd_kafka_message_t *m, const struct transformed *t)
{
    o->before_unknown += t->before_unknown;
    o->snapshot_unsent += t->unsent;
    if (t->before_unknown && !o->before_unknown_logged) {
        log_warn("before image missing", LOG_I("partition", m->partition),
                 LOG_I("offset", m->offset),
                 LOG_S("reason", "the status before is not known; a transition may be sent twice"),
                 LOG_S("hint", "ALTER TABLE … REPLICA IDENTITY FULL"));
        o->before_unknown_logged = true;
    }
    if (t->case_mismatch && !o->case_mismatch_logged) {
        log_warn("status nearly matches",
                 LOG_S("reason",
                       "case, spaces, accents or script differ from rule.value, so it does "
                       "not trigger"),
                 LOG_S("value", o->config->rule_value), LOG_I("partition", m->partition),
                 LOG_I("offset", m->offset));
        o->case_mismatch_logged = true;
    }
    if (t->unsent && !o->snapshot_unsent_logged) {
        log_warn("snapshot row not sent",
                 LOG_S("reason", "it has rule.value, and no earlier record of its order was seen"),
                 LOG_S("hint", "elementor-sync check counts such rows; rule.snapshot=deliver or "
                               "replay sends them"),
                 LOG_I("partition", m->partition), LOG_I("offset", m->offset));
        o->snapshot_unsent_logged = true;
    }
    if (t->second_table && !o->second_table_logged) {
        log_warn("second table in topic", LOG_S("reason", "its records are judged as orders, too"),
                 LOG_S("hint", "set rule.table to the orders' table, such as public.orders"),
                 LOG_I("partition", m->partition), LOG_I("offset", m->offset));
        o->second_table_logged = true;
    }
    if (t->verdict == TRANSFORM_SKIP && t->skip == SKIP_KEY_CHANGE && !o->key_change_logged) {
        log_warn("order id changed",
                 LOG_S("reason", "the primary key changed; a new id is not a new transition"),
                 LOG_S("hint", "further ones count in records_skipped_total{reason=key_change}"),
                 LOG_I("partition", m->partition), LOG_I("offset", m->offset));
        o->key_change_logged = true;
    }
}

void oddities_note_others_retry(struct oddities *o, const rd_kafka_message_t *m, const char *why)
{
    if (!o->others_retry_logged)
        log_warn("retry record passed over", LOG_S("reason", why),
                 LOG_S("topic", o->config->retry_topic), LOG_I("partition", m->partition),
                 LOG_I("offset", m->offset),
                 LOG_S("hint", "give each group a retry.topic of its own"));
    o->others_retry_logged = true;
}
