#include "core/transform.h"

#include <stdlib.h>

struct transform {
    struct rule rule;
    struct payload_options payload;
    struct memory *memory;
    struct buf body;
};

static char assumed_op(const struct config *config)
{
    switch (config->rule_assume_op) {
    case RULE_ASSUME_OP_C: return 'c';
    case RULE_ASSUME_OP_U: return 'u';
    default: return 0;
    }
}

struct transform *transform_new(const struct config *config)
{
    struct transform *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->rule = (struct rule){.value = config->rule_value,
                            .deliver_snapshot = config->rule_snapshot == RULE_SNAPSHOT_DELIVER,
                            .assumed_op = assumed_op(config)};
    t->payload = (struct payload_options){.form_name = config->payload_form_name,
                                          .shape = (enum payload_shape)config->payload_shape};
    buf_init(&t->body, PAYLOAD_BODY_MAX);
    t->memory = memory_new((size_t)config->rule_memory);
    if (t->memory == NULL) {
        transform_free(t);
        return NULL;
    }
    return t;
}

void transform_free(struct transform *t)
{
    if (t == NULL)
        return;
    memory_free(t->memory);
    buf_done(&t->body);
    free(t);
}

struct plan_options transform_plan_options(const struct config *config)
{
    struct plan_options options = {.rule_column = config->rule_column,
                                   .rule_value = config->rule_value,
                                   .op_assumed = config->rule_assume_op >= 0};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.columns[f] = config->payload_column[f];
    return options;
}

static void skip(struct transformed *result, enum skip_reason why)
{
    result->verdict = TRANSFORM_SKIP;
    result->skip = why;
    result->why = skip_reason_names[why];
}

static void undecodable(struct transformed *result, const char *detail)
{
    result->verdict = TRANSFORM_REJECT;
    result->detail = detail;
    result->why = "undecodable";
}

static void deliver(struct transform *t, const struct change *change, const struct record *record,
                    struct transformed *result)
{
    struct rejection rejection;
    buf_reset(&t->body);
    if (!payload_render(change, record->timestamp_ms, &t->payload, &t->body, &rejection)) {
        result->verdict = TRANSFORM_REJECT;
        result->why = rejection_text(&rejection, result->why_text, sizeof result->why_text);
    } else if (!order_id_of(change, &result->order_id)) {
        undecodable(result, "the order id is neither text nor a whole number");
    } else {
        result->verdict = TRANSFORM_DELIVER;
        result->body = &t->body;
        identity_of(change, &result->order_id, record->topic, record->partition, record->offset,
                    result->id);
    }
}

void transform_apply(struct transform *t, const struct plan *plan, const struct record *record,
                     bool gate, struct transformed *ret_result)
{
    struct change change;
    const char *why;
    ret_result->why = ret_result->detail = "";
    ret_result->before_unknown = ret_result->near_miss = false;
    if (plan_shape(plan) == PLAN_STRAY) {
        skip(ret_result, SKIP_MESSAGE);
        return;
    }
    if (plan_run(plan, record->body, record->len, gate, &change, &why, NULL) == PLAN_MALFORMED) {
        undecodable(ret_result, why);
        return;
    }
    struct judgement judgement = rule_judge(&t->rule, &change, t->memory);
    ret_result->before_unknown = judgement.before_unknown;
    ret_result->near_miss = judgement.near_miss;
    if (judgement.verdict == RULE_DELIVER &&
        record->has_header(record->context, RULE_KEY_CHANGE_HEADER))
        skip(ret_result, SKIP_KEY_CHANGE);
    else if (judgement.verdict == RULE_DELIVER)
        deliver(t, &change, record, ret_result);
    else if (judgement.verdict == RULE_SKIP)
        skip(ret_result, judgement.why);
    else
        undecodable(ret_result,
                    "the event's op is none of c, u, d, r, t, m, or its row is missing");
}

struct memory_stats transform_memory_stats(const struct transform *t)
{
    return memory_stats(t->memory);
}
