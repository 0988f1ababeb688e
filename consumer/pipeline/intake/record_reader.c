#include "pipeline/intake/record_reader.h"

#include "cdc/wire_format.h"
#include "kafka/message.h"
#include "pipeline/intake/suspects.h"
#include "registry/schema_title.h"
#include "sys/log.h"

#include <stdio.h>

bool record_find_origin(struct intake_record *r, const char **ret_why)
{
    const rd_kafka_message_t *m = r->m;
    r->origin = (struct retry_record){.topic = rd_kafka_topic_name(m->rkt),
                                      .source = "cdc",
                                      .partition = m->partition,
                                      .offset = m->offset,
                                      .timestamp_ms = rd_kafka_message_timestamp(m, NULL)};
    if (r->partition->is_retry)
        return retry_record_read(m, &r->origin, ret_why);
    if (m->offset < r->partition->replay_until)
        r->origin.source = "replay";
    return true;
}

/* The first record of a schema id: its name distinguishes tables. A rerouted topic is fine, which
 * its operator knows; bytes that do not fit stop the partition by themselves. */
static void log_strange_title(const struct record_reader *reader, const struct intake_record *r,
                              const struct plan *plan)
{
    const char *title = decoders_title(reader->decoders, r->schema_id);
    if (plan_shape(plan) != PLAN_FOREIGN && !schema_title_fits(title, reader->config->kafka_topic))
        log_warn("schema of another name", LOG_S("schema", title), LOG_I("schema_id", r->schema_id),
                 LOG_S("topic", reader->config->kafka_topic),
                 LOG_S("hint", "fine where the connector reroutes its topics; else the topic holds "
                               "another table, or registry.url is another registry"));
}

static void transform(const struct record_reader *reader, const struct intake_record *r,
                      const struct wire *wire, const struct plan *plan, struct transformed *ret)
{
    const rd_kafka_message_t *m = r->m;
    struct schema_proof *proof = decoders_proof(reader->decoders, wire->schema_id);
    bool whole = schema_proof_wants_whole(proof) || doubt_wants_whole(r->partition);
    const struct record record = {.topic = r->origin.topic,
                                  .partition = r->origin.partition,
                                  .offset = r->origin.offset,
                                  .timestamp_ms = r->origin.timestamp_ms,
                                  .body = wire->body,
                                  .len = wire->len,
                                  .has_header = kafka_has_header,
                                  .header = kafka_header,
                                  .context = m,
                                  .era_is_live = partitions_status_epoch_is_live,
                                  .era_context = reader->partitions,
                                  .status_epoch = r->partition->status_epoch,
                                  .any_row = r->origin.judged,
                                  .alone = r->partition->is_retry};
    if (proof->taken == 0 && !r->partition->is_retry)
        log_strange_title(reader, r, plan);
    transform_apply(reader->transform, plan, &record, !whole, ret);
    schema_proof_note(proof, ret->whole);
}

static enum bytes fault(struct reading_fault *ret_fault, enum doubt_kind kind, int32_t schema_id,
                        const char *reason)
{
    ret_fault->kind = kind;
    ret_fault->schema_id = schema_id;
    snprintf(ret_fault->reason, sizeof ret_fault->reason, "%.*s", DOUBT_REASON_MAX - 1, reason);
    return BYTES_FAULT;
}

static enum bytes misfit(const struct record_reader *reader, const struct intake_record *r,
                         const char *detail, struct reading_fault *ret_fault)
{
    const char *title = decoders_title(reader->decoders, r->schema_id);
    fault(ret_fault, DOUBT_MISFIT, r->schema_id, "");
    snprintf(ret_fault->reason, sizeof ret_fault->reason,
             "the record's bytes do not fit schema %d (%s): %s", (int)r->schema_id,
             *title != '\0' ? title : "without a name", detail);
    return BYTES_FAULT;
}

/* A converter that writes the schema's id elsewhere adds a header. Its records may begin like any
 * other with bytes that are not an id, so the header is checked before the registry. */
enum bytes record_read(const struct record_reader *reader, struct intake_record *r,
                       struct transformed *ret, struct reading_fault *ret_fault)
{
    struct error err = {0};
    struct wire wire;
    const struct plan *plan;
    const char *why;
    bool split = wire_split(r->m->payload, r->m->len, &wire, &err);
    const char *elsewhere = !split || decoders_proof(reader->decoders, wire.schema_id) == NULL
                                ? wire_elsewhere(kafka_has_header, r->m)
                                : NULL;
    if (!split || elsewhere != NULL)
        return fault(ret_fault, DOUBT_NO_ID, 0, elsewhere != NULL ? elsewhere : err.text);
    r->schema_id = wire.schema_id;
    switch (decoders_get(reader->decoders, wire.schema_id, &plan, &why)) {
    case DECODERS_HAVE: transform(reader, r, &wire, plan, ret); break;
    case DECODERS_PENDING: return BYTES_PENDING;
    case DECODERS_MISSING: return fault(ret_fault, DOUBT_NO_SCHEMA, wire.schema_id, why);
    default: return fault(ret_fault, DOUBT_SCHEMA, wire.schema_id, why);
    }
    if (ret->verdict == TRANSFORM_STOP)
        return fault(ret_fault, DOUBT_SCHEMA, wire.schema_id, ret->detail);
    return ret->misfit ? misfit(reader, r, ret->detail, ret_fault) : BYTES_READ;
}

bool record_remember(const struct record_reader *reader, struct intake_record *r)
{
    struct error err = {0};
    struct wire wire;
    struct transformed ignored;
    const struct plan *plan;
    const char *why;
    if (r->m->payload == NULL || r->partition->is_retry || !record_find_origin(r, &why) ||
        !wire_split(r->m->payload, r->m->len, &wire, &err))
        return true;
    enum decoders_answer answer = decoders_get(reader->decoders, wire.schema_id, &plan, &why);
    r->schema_id = wire.schema_id;
    if (answer == DECODERS_HAVE)
        transform(reader, r, &wire, plan, &ignored);
    return answer != DECODERS_PENDING;
}

void record_request_schemas(const struct record_reader *reader, const struct partition *partition)
{
    for (size_t i = partition->read.batch_at; i < partition->read.batch_len; i++) {
        const rd_kafka_message_t *m = partition->read.batch[i];
        struct wire wire;
        const struct plan *plan;
        const char *why;
        if (m->payload != NULL && wire_split(m->payload, m->len, &wire, NULL) &&
            decoders_proof(reader->decoders, wire.schema_id) == NULL &&
            wire_elsewhere(kafka_has_header, m) == NULL)
            decoders_get(reader->decoders, wire.schema_id, &plan, &why);
    }
}
