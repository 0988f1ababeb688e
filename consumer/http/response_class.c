#include "http/response_class.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_MIN = 100, STATUS_MAX = 599 };

const char *const response_class_names[] = {"delivered", "transient", "refused", "endpoint"};

static void give(struct response_rules *rules, int from, int to, enum response_class class)
{
    for (int status = from; status <= to; status++)
        rules->class_of[status] = (uint8_t) class;
}

void response_rules_default(struct response_rules *rules)
{
    static const int transient[] = {408, 425, 429}, endpoint[] = {401, 403, 404, 410, 501, 505};
    give(rules, 0, 199, RESPONSE_TRANSIENT);
    give(rules, 200, 299, RESPONSE_DELIVERED);
    give(rules, 300, 399, RESPONSE_ENDPOINT);
    give(rules, 400, 499, RESPONSE_REFUSED);
    give(rules, 500, 599, RESPONSE_TRANSIENT);
    for (size_t i = 0; i < sizeof transient / sizeof *transient; i++)
        rules->class_of[transient[i]] = RESPONSE_TRANSIENT;
    for (size_t i = 0; i < sizeof endpoint / sizeof *endpoint; i++)
        rules->class_of[endpoint[i]] = RESPONSE_ENDPOINT;
}

/* "503", "5xx" or "520-527", len bytes long. */
static bool parse_item(const char *item, size_t len, int *ret_from, int *ret_to)
{
    char text[8], rest;
    if (len == 0 || len >= sizeof text)
        return false;
    memcpy(text, item, len);
    text[len] = '\0';
    if (len == 3 && strcmp(text + 1, "xx") == 0 && text[0] >= '1' && text[0] <= '5') {
        *ret_from = (text[0] - '0') * 100;
        *ret_to = *ret_from + 99;
        return true;
    }
    if (strspn(text, "0123456789-") != len)
        return false;
    if (sscanf(text, "%3d-%3d%c", ret_from, ret_to, &rest) == 2)
        return *ret_from >= STATUS_MIN && *ret_from <= *ret_to && *ret_to <= STATUS_MAX;
    *ret_from = *ret_to = atoi(text);
    return len == 3 && *ret_from >= STATUS_MIN && *ret_from <= STATUS_MAX;
}

bool response_rules_change(struct response_rules *rules, const char *list, enum response_class to,
                           struct error *err)
{
    for (const char *item = list; *item != '\0';) {
        size_t len = strcspn(item, ", ");
        int first, last;
        if (!parse_item(item, len, &first, &last))
            return error_set(err, ERROR_CONFIG,
                             "\"%.*s\" is not an HTTP status: write 409, 5xx or 520-527", (int)len,
                             item);
        if (first <= 299 && last >= 200)
            return error_set(err, ERROR_CONFIG, "\"%.*s\": a 2xx always means delivered", (int)len,
                             item);
        give(rules, first, last, to);
        item += len;
        item += strspn(item, ", ");
    }
    return true;
}

enum response_class response_classify(const struct response_rules *rules, int status,
                                      enum response_failure failure)
{
    if (failure != FAILURE_NONE)
        return RESPONSE_TRANSIENT;
    if (status < STATUS_MIN || status > STATUS_MAX)
        return RESPONSE_ENDPOINT; /* no HTTP server: not the webhook */
    return (enum response_class)rules->class_of[status];
}

bool outcome_is_pace(int status, bool has_retry_after)
{
    return status == 429 || (status == 503 && has_retry_after);
}

const char *response_reason(int status, enum response_failure failure, char *text, size_t size)
{
    static const char *const words[] = {[FAILURE_NETWORK] = "network",
                                        [FAILURE_DNS] = "dns",
                                        [FAILURE_PROXY] = "proxy",
                                        [FAILURE_TIMEOUT] = "timeout",
                                        [FAILURE_TLS] = "tls",
                                        [FAILURE_CLOSED] = "closed_without_answer",
                                        [FAILURE_BAD_ANSWER] = "bad_answer",
                                        [FAILURE_LOCAL] = "local"};
    if (failure == FAILURE_NONE)
        snprintf(text, size, "http:%d", status);
    else
        snprintf(text, size, "%s", words[failure]);
    return text;
}
