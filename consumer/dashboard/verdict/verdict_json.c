/* verdict_json: the verdict as the API shows it. */
#include "dashboard/verdict/verdict.h"

static const char *const todos[VERDICT_CODE_COUNT] = {
#define X(id, name, todo) todo,
    VERDICT_CAUSES(X)
#undef X
};

static json_t *known(int64_t number)
{
    return number >= 0 ? json_integer(number) : json_null();
}

static json_t *text(const char *text_or_null)
{
    return text_or_null != NULL ? json_string(text_or_null) : json_null();
}

static json_t *partitions_json(const struct verdict_partitions *p, bool is_retry)
{
    json_t *list = json_array();
    for (size_t i = 0; p != NULL && i < p->named; i++)
        if (p->list[i].is_retry == is_retry)
            json_array_append_new(list, json_integer(p->list[i].number));
    return list;
}

static json_t *members_json(const struct verdict_members *m)
{
    json_t *list = json_array();
    for (size_t i = 0; m != NULL && i < m->named; i++)
        json_array_append_new(list, json_string(m->list[i]));
    return list;
}

static json_t *cause_json(const struct verdict_cause *c)
{
    json_t *cause = json_object();
    json_object_set_new(cause, "code", json_string(verdict_code_names[c->code]));
    json_object_set_new(cause, "level", json_string(verdict_state_names[c->level]));
    json_object_set_new(cause, "todo", text(todos[c->code]));
    json_object_set_new(cause, "since_ms", known(c->since_ms));
    json_object_set_new(cause, "until_ms", known(c->until_ms));
    json_object_set_new(cause, "count", known(c->count));
    json_object_set_new(cause, "expiring", known(c->expiring));
    json_object_set_new(cause, "partitions", partitions_json(c->partitions, false));
    json_object_set_new(cause, "retry_partitions", partitions_json(c->partitions, true));
    json_object_set_new(cause, "members", members_json(c->members));
    json_object_set_new(cause, "reason", text(c->reason));
    return cause;
}

json_t *verdict_json(const struct verdict *v)
{
    json_t *verdict = json_object(), *causes = json_array();
    for (size_t i = 0; i < v->count; i++)
        json_array_append_new(causes, cause_json(&v->causes[i]));
    json_object_set_new(verdict, "state", json_string(verdict_state_names[v->state]));
    json_object_set_new(verdict, "since_ms", known(v->since_ms));
    json_object_set_new(verdict, "flows", json_boolean(v->flows));
    json_object_set_new(verdict, "causes", causes);
    return verdict;
}
