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

/* The first record of a schema: its name distinguishes tables. A rerouted topic is fine, which
 * its operator knows; bytes that do not fit stop the partition by themselves. */
static void log_strange_title(const struct record_reader *reader, const struct intake_record *r,
                              const struct plan *plan)
{
    const char *title = decoders_title(reader->decoders, &r->schema);
    char id[SCHEMA_REF_TEXT_MAX];
    if (plan_shape(plan) != PLAN_FOREIGN && !schema_title_fits(title, reader->config->kafka_topic))
        log_warn("schema of another name", LOG_S("schema", title),
                 LOG_S("schema_id", schema_ref_text(&r->schema, id)),
                 LOG_S("topic", reader->config->kafka_topic),
                 LOG_S("hint", "fine where the connector reroutes its topics; else the topic holds "
                               "another table, or registry.url is another registry"));
}

static void transform(const struct record_reader *reader, const struct intake_record *r,
                      const struct wire *wire, const struct plan *plan, struct transformed *ret)
{
    const rd_kafka_message_t *m = r->m;
    struct schema_proof *proof = decoders_proof(reader->decoders, &wire->schema);
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
    schema_proof_note(proof, ret->whole && !ret->no_event);
}

static enum bytes fault(struct reading_fault *ret_fault, enum doubt_kind kind,
                        const struct schema_ref *schema, const char *reason)
{
    ret_fault->kind = kind;
    ret_fault->schema = *schema;
    snprintf(ret_fault->reason, sizeof ret_fault->reason, "%.*s", DOUBT_REASON_MAX - 1, reason);
    return BYTES_FAULT;
}

/* The title of what carries the id, for a message. */
static const char *title_of(const struct record_reader *reader, const struct wire *wire)
{
    const char *title = decoders_title(reader->decoders, &wire->schema);
    return *title != '\0' ? title : "without a name";
}

static enum bytes misfit(const struct record_reader *reader, const struct wire *wire,
                         const char *detail, struct reading_fault *ret_fault)
{
    char id[SCHEMA_REF_TEXT_MAX];
    fault(ret_fault, DOUBT_MISFIT, &wire->schema, "");
    snprintf(ret_fault->reason, sizeof ret_fault->reason,
             "the record's bytes do not fit schema %s%s%s (%s): %s",
             schema_ref_text(&wire->schema, id), wire->header != NULL ? " of its header " : "",
             wire->header != NULL ? wire->header : "", title_of(reader, wire), detail);
    return BYTES_FAULT;
}

static enum bytes no_event(const struct record_reader *reader, const struct wire *wire,
                           const char *detail, struct reading_fault *ret_fault)
{
    char id[SCHEMA_REF_TEXT_MAX];
    fault(ret_fault, DOUBT_NO_EVENT, &wire->schema, "");
    snprintf(ret_fault->reason, sizeof ret_fault->reason, "schema %s (%s): %s",
             schema_ref_text(&wire->schema, id), title_of(reader, wire), detail);
    return BYTES_FAULT;
}

static struct slice header_in(const void *headers, const char *name)
{
    return kafka_header_in(headers, name);
}

static bool is_proved(const struct record_reader *reader, const struct partition *partition,
                      const struct schema_ref *schema)
{
    const struct schema_proof *proof = decoders_proof(reader->decoders, schema);
    return proof != NULL && !schema_proof_wants_whole(proof) && !doubt_wants_whole(partition);
}

/* Headers go first, and cost most: librdkafka parses and copies all of a record's at the first look
 * (0.8 us for the four that Debezium 3.4 adds to each). So behind an id in front of the value that
 * was proved they are looked at as often as records are read to their end: for the first ones, a
 * sample, and whatever is in doubt. No order whose schema a header names begins like an id that is
 * known: an envelope's first bytes are its before and the length of its id. */
static bool split(const struct record_reader *reader, const struct partition *partition,
                  const rd_kafka_message_t *m, struct wire *ret_wire, struct error *err)
{
    struct wire_input input = {.value = m->payload,
                               .len = m->len,
                               .use_id = (enum wire_use_id)reader->config->registry_use_id};
    if (wire_split(&input, ret_wire, NULL) && is_proved(reader, partition, &ret_wire->schema))
        return true;
    input.context = kafka_headers(m);
    input.header = input.context != NULL ? header_in : NULL;
    return wire_split(&input, ret_wire, err);
}

enum bytes record_read(const struct record_reader *reader, struct intake_record *r,
                       struct transformed *ret, struct reading_fault *ret_fault)
{
    struct error err = {0};
    struct wire wire;
    const struct plan *plan;
    const char *why;
    if (!split(reader, r->partition, r->m, &wire, &err))
        return fault(ret_fault, DOUBT_NO_ID, &(struct schema_ref){0}, err.text);
    r->schema = wire.schema;
    switch (decoders_get(reader->decoders, &wire.schema, &plan, &why)) {
    case DECODERS_HAVE: transform(reader, r, &wire, plan, ret); break;
    case DECODERS_PENDING: return BYTES_PENDING;
    case DECODERS_MISSING: return fault(ret_fault, DOUBT_NO_SCHEMA, &wire.schema, why);
    default: return fault(ret_fault, DOUBT_SCHEMA, &wire.schema, why);
    }
    if (ret->verdict == TRANSFORM_STOP)
        return fault(ret_fault, DOUBT_SCHEMA, &wire.schema, ret->detail);
    if (ret->no_event)
        return no_event(reader, &wire, ret->detail, ret_fault);
    return ret->misfit ? misfit(reader, &wire, ret->detail, ret_fault) : BYTES_READ;
}

bool record_remember(const struct record_reader *reader, struct intake_record *r)
{
    struct error err = {0};
    struct wire wire;
    struct transformed ignored;
    const struct plan *plan;
    const char *why;
    if (r->m->payload == NULL || r->partition->is_retry || !record_find_origin(r, &why) ||
        !split(reader, r->partition, r->m, &wire, &err))
        return true;
    enum decoders_answer answer = decoders_get(reader->decoders, &wire.schema, &plan, &why);
    r->schema = wire.schema;
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
        if (m->payload != NULL && split(reader, partition, m, &wire, NULL) &&
            decoders_proof(reader->decoders, &wire.schema) == NULL)
            decoders_get(reader->decoders, &wire.schema, &plan, &why);
    }
}
