#include "dashboard/api/call.h"

#include "dashboard/api/api.h"
#include "sys/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void call_bad(const struct call *call, const char *detail)
{
    reply_problem(call->x, PROBLEM_BAD_REQUEST, detail, NULL);
}

json_t *call_body(const struct call *call)
{
    struct slice body = web_request_body(call->x);
    json_t *value =
        body.len > 0 ? json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_object(value))
        return value;
    json_decref(value);
    call_bad(call, "the body is not a JSON object");
    return NULL;
}

bool call_facts(const struct call *call, struct order_facts *ret)
{
    if (view_facts(call->api->view, call->key, ret))
        return true;
    reply_problem(call->x, PROBLEM_NOT_FOUND, "no outcome of an order with this key is known",
                  NULL);
    return false;
}

bool call_text(const struct call *call, const char *name, size_t most, const char **ret)
{
    bool bad = false;
    char detail[100];
    const char *text = web_request_query(call->x, name, &bad);
    if (!bad && text == NULL)
        return true;
    if (!bad && *text != '\0' && strlen(text) <= most) {
        *ret = text;
        return true;
    }
    snprintf(detail, sizeof detail, "%s: given once, as 1 to %zu bytes of UTF-8", name, most);
    call_bad(call, detail);
    return false;
}

bool call_number(const struct call *call, const char *name, int64_t least, int64_t most,
                 int64_t *ret)
{
    const char *text = NULL;
    char detail[120];
    if (!call_text(call, name, 19, &text))
        return false;
    if (text == NULL)
        return true;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno == 0 && text[strspn(text, "0123456789")] == '\0' && value >= least && value <= most) {
        *ret = value;
        return true;
    }
    snprintf(detail, sizeof detail, "%s: a whole number from %lld to %lld", name, (long long)least,
             (long long)most);
    call_bad(call, detail);
    return false;
}

const char *caller_name(const struct caller *caller)
{
    return caller->subject[0] != '\0' ? caller->subject : caller->role;
}

void call_audit(const struct caller *caller, const char *what, const char *order,
                const char *request)
{
    const struct log_field fields[] = {LOG_S("who", caller_name(caller)),
                                       LOG_S("what", what),
                                       LOG_S("order", order),
                                       LOG_S("request", request),
                                       {0}};
    log_event(LOG_AUDIT, "audit", fields);
}
