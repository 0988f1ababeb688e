#include "operator/evaluator.h"

#include "cdc/wire_format.h"
#include "kafka/message.h"
#include "registry/decoders.h"
#include "registry/registry.h"
#include "sys/clock.h"

#include <stdlib.h>

enum { POLL_MS = 200, TURN_MS = 20, REGISTRY_PATIENCE_MS = 30000 };

struct evaluator {
    const struct config *config;
    struct loop *loop;
    struct http *http;
    struct registry *registry;
    struct decoders *decoders;
    struct transform *transform;
    struct transformed last; /* `why` may point into it */
    struct error wire_error; /* and `detail` into this */
    bool stopped;
};

static void nothing(void *context)
{
    (void)context;
}

static void stop_asked(void *context, int fd, unsigned events)
{
    struct evaluator *j = context;
    (void)events;
    loop_forget(j->loop, fd);
    j->stopped = true;
}

static bool open_evaluator(struct evaluator *j, int stop_fd, struct error *err)
{
    if ((j->loop = loop_new(err)) == NULL || (j->http = http_new(j->loop, err)) == NULL ||
        (j->registry = registry_new(j->http, j->config, nothing, NULL, err)) == NULL)
        return false;
    j->decoders = decoders_new(j->config, j->registry);
    j->transform = transform_new(j->config);
    return (j->decoders != NULL && j->transform != NULL &&
            loop_watch(j->loop, stop_fd, LOOP_READ, stop_asked, j)) ||
           error_no_memory(err);
}

struct evaluator *evaluator_new(const struct config *config, int stop_fd, struct error *err)
{
    struct evaluator *j = calloc(1, sizeof *j);
    if (j == NULL) {
        error_no_memory(err);
        return NULL;
    }
    j->config = config;
    if (open_evaluator(j, stop_fd, err))
        return j;
    evaluator_free(j);
    return NULL;
}

void evaluator_free(struct evaluator *j)
{
    if (j == NULL)
        return;
    transform_free(j->transform);
    decoders_free(j->decoders);
    registry_free(j->registry);
    http_free(j->http);
    loop_free(j->loop);
    free(j);
}

bool evaluator_stopped(struct evaluator *j)
{
    loop_wait(j->loop, 0);
    return j->stopped;
}

/* Runs the loop until the registry has answered, or patience or the operator ends it. */
static enum decoders_answer await_plan(struct evaluator *j, const struct schema_ref *schema,
                                       const struct plan **ret_plan, const char **ret_why)
{
    int64_t deadline = clock_mono_ms() + REGISTRY_PATIENCE_MS;
    enum decoders_answer answer;
    while ((answer = decoders_get(j->decoders, schema, ret_plan, ret_why)) == DECODERS_PENDING &&
           !j->stopped && clock_mono_ms() < deadline) {
        registry_turn(j->registry, clock_mono_ms());
        http_turn(j->http);
        loop_wait(j->loop, TURN_MS);
    }
    return answer;
}

static void transform_record(struct evaluator *j, const rd_kafka_message_t *m,
                             const struct wire *wire, const struct plan *plan, bool gate,
                             struct evaluator_verdict *ret)
{
    struct transformed *t = &j->last;
    const struct record record = {.topic = j->config->kafka_topic,
                                  .partition = m->partition,
                                  .offset = m->offset,
                                  .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
                                  .body = wire->body,
                                  .len = wire->len,
                                  .has_header = kafka_has_header,
                                  .header = kafka_header,
                                  .context = m};
    struct schema_proof *proof = decoders_proof(j->decoders, &wire->schema);
    transform_apply(j->transform, plan, &record, gate && !schema_proof_wants_whole(proof), t);
    schema_proof_note(proof, t->whole);
    *ret = (struct evaluator_verdict){.verdict = t->verdict,
                                      .why = t->why,
                                      .detail = t->detail,
                                      .event_ms = t->event_ms,
                                      .confirmed_at = t->confirmed_at};
    if (t->verdict == TRANSFORM_DELIVER) {
        ret->body = t->body;
        ret->order_id = (struct slice){t->order_id.text, t->order_id.len};
    }
}

static struct wire_input input_of(const struct evaluator *j, const rd_kafka_message_t *m)
{
    return (struct wire_input){.value = m->payload,
                               .len = m->len,
                               .header = kafka_header,
                               .context = m,
                               .use_id = (enum wire_use_id)j->config->registry_use_id};
}

bool evaluator_schema(struct evaluator *j, const rd_kafka_message_t *m,
                      struct evaluator_schema *ret)
{
    struct wire wire;
    struct error ignored = {0};
    const struct wire_input input = input_of(j, m);
    if (!wire_split(&input, &wire, &ignored) ||
        registry_get(j->registry, &wire.schema, &ret->text, &ignored) != REGISTRY_HAVE)
        return false;
    ret->lead = (struct slice){m->payload, m->len - wire.len};
    ret->header = wire.header;
    return true;
}

bool evaluator_record(struct evaluator *j, const rd_kafka_message_t *m, bool gate,
                      struct evaluator_verdict *ret, struct error *err)
{
    struct wire wire;
    const struct plan *plan;
    const char *why;
    char id[SCHEMA_REF_TEXT_MAX];
    j->wire_error = (struct error){0};
    *ret = (struct evaluator_verdict){.verdict = TRANSFORM_REJECT,
                                      .why = "undecodable",
                                      .detail = j->wire_error.text,
                                      .event_ms = -1};
    if (m->payload == NULL) {
        *ret = (struct evaluator_verdict){.verdict = TRANSFORM_SKIP,
                                          .why = skip_reason_names[SKIP_TOMBSTONE],
                                          .detail = "",
                                          .event_ms = -1};
        return true;
    }
    const struct wire_input input = input_of(j, m);
    if (!wire_split(&input, &wire, &j->wire_error))
        return true;
    switch (await_plan(j, &wire.schema, &plan, &why)) {
    case DECODERS_HAVE:
        transform_record(j, m, &wire, plan, gate, ret);
        return ret->verdict != TRANSFORM_STOP || error_set(err, ERROR_FAILED, "%s", ret->detail);
    case DECODERS_MISSING:
    case DECODERS_UNREADABLE: ret->detail = why; return true;
    case DECODERS_STOP: return error_set(err, ERROR_FAILED, "%s", why);
    default: break;
    }
    ret->why = NULL;
    return j->stopped ||
           error_set(err, ERROR_UNREACHABLE, "the schema registry %s does not answer for schema %s",
                     j->config->registry_url, schema_ref_text(&wire.schema, id));
}

static bool visit_record(struct evaluator *j, const rd_kafka_message_t *m, bool gate,
                         evaluator_visit *visit, void *context, struct error *err)
{
    struct evaluator_verdict verdict;
    return evaluator_record(j, m, gate, &verdict, err) && visit(context, m, &verdict, err);
}

bool evaluator_read(struct evaluator *j, struct reader *reader, bool gate, evaluator_visit *visit,
                    void *context, struct error *err)
{
    bool ok = true;
    while (ok && !reader_at_end(reader)) {
        rd_kafka_message_t *m = reader_next(reader, POLL_MS);
        if (m != NULL) {
            ok = visit_record(j, m, gate, visit, context, err);
            rd_kafka_message_destroy(m);
        }
        ok = ok &&
             (!evaluator_stopped(j) || error_set(err, ERROR_FAILED, "stopped; nothing was done"));
    }
    return ok;
}
