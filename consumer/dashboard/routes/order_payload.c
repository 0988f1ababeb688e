#include "dashboard/routes/order_payload.h"

#include "cdc/wire_format.h"
#include "dashboard/api/api.h"
#include "dashboard/api/original.h"
#include "kafka/message.h"
#include "order/transform.h"
#include "registry/decoders.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REGISTRY_MS = 10000 };

struct payload_job {
    LIST_ENTRY(payload_job) link; /* while it waits for a schema */
    struct pending *p;            /* busy until the job ends */
    bool show;
    int64_t deadline_ms;
    struct schema_ref schema;
    char topic[256]; /* of the record's place */
    struct record record;
    uint8_t *body; /* owned */
};

static void registry_changed(void *context)
{
    struct payloads *payloads = context;
    payloads->changed = true;
}

void payload_done(struct payloads *payloads)
{
    for (struct payload_job *job; (job = LIST_FIRST(&payloads->waiting)) != NULL;) {
        LIST_REMOVE(job, link);
        job->p->busy = false;
        free(job->body);
        free(job);
    }
    transform_free(payloads->transform);
    decoders_free(payloads->decoders);
    registry_free(payloads->registry);
    *payloads = (struct payloads){0};
}

static bool is_open(struct payloads *payloads, struct api *api, struct error *err)
{
    if (payloads->registry == NULL)
        payloads->registry = registry_new(api->http, api->config, registry_changed, payloads, err);
    if (payloads->registry != NULL && payloads->decoders == NULL)
        payloads->decoders = decoders_new(api->config, payloads->registry);
    if (payloads->transform == NULL)
        payloads->transform = transform_new(api->config);
    return payloads->registry != NULL && payloads->decoders != NULL && payloads->transform != NULL;
}

/* ---- the answer ---- */

/* As delivery/redact sees it. */
static bool is_personal(enum payload_field field)
{
    return field == FIELD_CLIENT_NAME || field == FIELD_CLIENT_PHONE ||
           field == FIELD_CLIENT_ADDRESS || field == FIELD_CLIENT_CITY;
}

/* A text as it is read, a number in its own digits; null: there is none. */
static json_t *value_of(struct slice token)
{
    if (token.len == 0)
        return json_null();
    if (token.data[0] != '"')
        return json_stringn(token.data, token.len);
    return json_loadb(token.data, token.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

static json_int_t characters_of(const json_t *text)
{
    const char *bytes = json_string_value(text);
    json_int_t count = 0;
    for (size_t i = 0; i < json_string_length(text); i++)
        count += ((unsigned char)bytes[i] & 0xc0) != 0x80;
    return count;
}

static json_t *field_json(const struct config *config, enum payload_field field,
                          const struct payload_shown *shown, bool show)
{
    json_t *value = value_of(shown->token);
    json_int_t characters = characters_of(value);
    bool masked = !show && is_personal(field) && characters > 0;
    if (masked) {
        json_decref(value);
        value = json_null();
    }
    return json_pack("{s:s, s:s, s:o, s:b, s:I, s:s}", "name", payload_field_names[field], "column",
                     config->payload_column[field], "value", value, "masked", masked, "characters",
                     characters, "reason", reject_reason_name(shown->reason));
}

static json_t *fields_json(struct payloads *payloads, const struct config *config,
                           const struct plan *plan, const struct payload_job *job)
{
    struct payload_shown shown[FIELD_COUNT];
    json_t *fields = json_array();
    if (plan == NULL || !transform_show(payloads->transform, plan, &job->record, shown))
        return fields;
    for (size_t f = 0; f < FIELD_COUNT; f++)
        json_array_append_new(fields,
                              field_json(config, (enum payload_field)f, &shown[f], job->show));
    return fields;
}

/* The record is the order's own, by its id, or by its place where it could not be read before. One
 * of another order means that the topic was made again. */
static bool is_its_own(const struct payload_job *job, const struct transformed *t)
{
    const char *key = job->p->key;
    char place[sizeof job->topic + 40];
    snprintf(place, sizeof place, "%s-%d-%lld", job->topic, (int)job->record.partition,
             (long long)job->record.offset);
    return t->order_id.len == 0 || strcmp(key, place) == 0 ||
           (t->order_id.len == strlen(key) && memcmp(t->order_id.text, key, t->order_id.len) == 0);
}

/* plan NULL: the record cannot be read, for the detail's reason. NULL: it is another order's. */
static json_t *payload_json(struct api *api, const struct payload_job *job, const struct plan *plan,
                            const char *detail)
{
    static const char *const verdicts[] = {[TRANSFORM_SKIP] = "skip",
                                           [TRANSFORM_DELIVER] = "deliver",
                                           [TRANSFORM_REJECT] = "reject",
                                           [TRANSFORM_STOP] = "reject"};
    struct payloads *payloads = api->payloads;
    struct transformed t = {.verdict = TRANSFORM_REJECT, .why = "undecodable", .detail = detail};
    if (plan != NULL)
        transform_apply(payloads->transform, plan, &job->record, false, &t);
    if (plan != NULL && !is_its_own(job, &t))
        return NULL;
    const char *type =
        strchr(shape_content_type((enum payload_shape)api->config->payload_shape), ' ') + 1;
    bool has_body = job->show && t.verdict == TRANSFORM_DELIVER;
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:o, s:o}", "key", job->p->key, "verdict",
                     verdicts[t.verdict], "reason", t.why, "detail", t.detail, "shown", job->show,
                     "content_type", type, "body",
                     has_body ? json_stringn(t.body->data, t.body->len) : json_null(), "fields",
                     fields_json(payloads, api->config, plan, job));
}

/* ---- the job ---- */

static void end(struct payload_job *job)
{
    job->p->busy = false;
    pending_free(job->p);
    free(job->body);
    free(job);
}

static void end_with(struct payload_job *job, enum problem problem, const char *detail)
{
    if (job->p->x != NULL)
        reply_problem(job->p->x, problem, detail, NULL);
    end(job);
}

static void end_gone(struct payload_job *job)
{
    end_with(job, PROBLEM_GONE, "neither the parked topic nor the source has it any more");
}

static void note_shown(const struct pending *p)
{
    struct error err = {0};
    call_audit(&p->caller, "show payload", p->key, "");
    if (!view_put_shown(p->api->view, p->key, caller_name(&p->caller), p->api->wall_ms, &err))
        log_warn("showing not kept", LOG_S("error", err.text));
}

/* A client that has gone is shown nothing. */
static void answer(struct payload_job *job, const struct plan *plan, const char *detail)
{
    json_t *payload = job->p->x != NULL ? payload_json(job->p->api, job, plan, detail) : NULL;
    if (payload == NULL) {
        end_gone(job);
        return;
    }
    if (job->show)
        note_shown(job->p);
    reply_json(job->p->x, 200, payload);
    end(job);
}

/* False: the registry has not answered yet. */
static bool go_on(struct payload_job *job)
{
    const struct plan *plan = NULL;
    const char *why = "";
    switch (decoders_get(job->p->api->payloads->decoders, &job->schema, &plan, &why)) {
    case DECODERS_PENDING: return false;
    case DECODERS_HAVE: answer(job, plan, ""); return true;
    default: answer(job, NULL, why); return true;
    }
}

/* The record's parts are copied: the registry may answer later. */
static bool keep(struct payload_job *job, const struct wire *wire,
                 const struct retry_record *record)
{
    job->schema = wire->schema;
    job->body = malloc(wire->len + 1);
    if (job->body == NULL)
        return false;
    memcpy(job->body, wire->body, wire->len);
    snprintf(job->topic, sizeof job->topic, "%s", record->topic);
    job->record = (struct record){.topic = job->topic,
                                  .partition = record->partition,
                                  .offset = record->offset,
                                  .timestamp_ms = record->timestamp_ms,
                                  .body = job->body,
                                  .len = wire->len,
                                  .any_row = true,
                                  .alone = true};
    return true;
}

static struct slice header_in(const void *headers, const char *name)
{
    return kafka_header_in(headers, name);
}

static void fetched(void *context, enum original_result result, struct retry_record *record)
{
    struct payload_job *job = context;
    struct api *api = job->p->api;
    struct error err = {0};
    struct wire wire;
    if (result != ORIGINAL_FOUND) {
        if (result == ORIGINAL_GONE)
            end_gone(job);
        else
            end_with(job, PROBLEM_UNAVAILABLE, NULL);
        return;
    }
    const struct wire_input input = {.value = record->value.data,
                                     .len = record->value.len,
                                     .header = record->headers != NULL ? header_in : NULL,
                                     .context = record->headers,
                                     .use_id = (enum wire_use_id)api->config->registry_use_id};
    if (!wire_split(&input, &wire, &err)) {
        answer(job, NULL, err.text);
    } else if (!keep(job, &wire, record)) {
        end_with(job, PROBLEM_INTERNAL, NULL);
    } else if (!go_on(job)) {
        job->deadline_ms = api->now_ms + REGISTRY_MS;
        LIST_INSERT_HEAD(&api->payloads->waiting, job, link);
    }
}

/* True: it has its answer. */
static bool look_at(struct payload_job *job, bool changed, int64_t now_ms)
{
    if (!changed && now_ms < job->deadline_ms)
        return false;
    LIST_REMOVE(job, link);
    if (changed && go_on(job))
        return true;
    if (now_ms >= job->deadline_ms) {
        end_with(job, PROBLEM_REGISTRY, "the record is there; try again later");
        return true;
    }
    LIST_INSERT_HEAD(&job->p->api->payloads->waiting, job, link);
    return false;
}

int64_t payload_turn(struct api *api)
{
    struct payloads *payloads = api->payloads;
    if (payloads->registry == NULL)
        return -1;
    bool changed = payloads->changed;
    int64_t soonest_ms = INT64_MAX;
    payloads->changed = false;
    for (struct payload_job *job = LIST_FIRST(&payloads->waiting), *next; job != NULL; job = next) {
        next = LIST_NEXT(job, link);
        int64_t left_ms = job->deadline_ms - api->now_ms;
        if (!look_at(job, changed, api->now_ms) && left_ms < soonest_ms)
            soonest_ms = left_ms;
    }
    int64_t wait_ms = registry_turn(payloads->registry, api->now_ms);
    return soonest_ms < INT64_MAX && (wait_ms < 0 || soonest_ms < wait_ms) ? soonest_ms : wait_ms;
}

/* ---- the calls ---- */

static void start(struct call *call, const struct order_facts *facts, bool show)
{
    struct payload_job *job = calloc(1, sizeof *job);
    if (job != NULL)
        job->p = pending_new(call, PENDING_PAYLOAD, call->key, NULL);
    if (job == NULL || job->p == NULL) {
        free(job);
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
        return;
    }
    job->show = show;
    job->p->busy = true;
    if (!original_start(call->api, facts, fetched, job))
        end_with(job, PROBLEM_INTERNAL, NULL);
}

static void read_payload(struct call *call, bool show)
{
    enum { WAITING_MAX = 32 };
    struct order_facts facts;
    struct error err = {0};
    if (!call_facts(call, &facts))
        return;
    if (call->api->config->registry_url == NULL)
        reply_problem(call->x, PROBLEM_REGISTRY,
                      "registry.url is not set for the dashboard: set it as for run", NULL);
    else if (call->api->pending.counts[PENDING_PAYLOAD] >= WAITING_MAX)
        reply_problem(call->x, PROBLEM_TOO_MANY, NULL, NULL);
    else if (!is_open(call->api->payloads, call->api, &err))
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
    else
        start(call, &facts, show);
}

void call_payload(struct call *call)
{
    read_payload(call, false);
}

void call_payload_show(struct call *call)
{
    json_t *body = call_body(call);
    if (body == NULL)
        return;
    json_decref(body);
    read_payload(call, true);
}
