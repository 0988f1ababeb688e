/* check_request: one HTTP request, awaited. */
#include "check/check_internal.h"

#include "sys/clock.h"

#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 20 };

/* A target that is longer, or holds what no URL does, is not shown. */
static void take_redirect(struct check_answer *answer, const char *target)
{
    size_t len = target != NULL ? strlen(target) : 0;
    for (size_t i = 0; i < len; i++)
        if (target[i] <= ' ' || (unsigned char)target[i] >= 0x7f)
            return;
    if (len < sizeof answer->redirect)
        memcpy(answer->redirect, target != NULL ? target : "", len + 1);
}

static void take_header(char ret[CHECK_HEADER_MAX], const struct http_result *result,
                        const char *name)
{
    const char *value = http_result_header(result, name);
    snprintf(ret, CHECK_HEADER_MAX, "%s", value != NULL ? value : "");
}

void check_answer_take(void *context, const struct http_result *result)
{
    struct check_answer *answer = context;
    answer->status = result->status;
    answer->begun_status = result->begun_status;
    snprintf(answer->failure, sizeof answer->failure, "%s", result->failure);
    take_redirect(answer, result->redirect);
    answer->has_captcha = result->has_captcha;
    take_header(answer->content_type, result, "Content-Type");
    take_header(answer->server, result, "Server");
    answer->body = strndup(result->body, result->body_len);
    answer->len = answer->body != NULL ? strlen(answer->body) : 0;
    if (answer->status == 0 && *answer->failure == '\0')
        snprintf(answer->failure, sizeof answer->failure, "no answer");
}

/* Answers are bounded by the endpoint's own time limit. */
void check_await(struct check *c, const struct check_answer *answer)
{
    while (answer->status == 0 && *answer->failure == '\0') {
        int64_t wait = http_turn(c->http);
        loop_wait(c->loop, wait < 0 || wait > WAIT_MS ? WAIT_MS : wait);
    }
}

bool check_get(struct check *c, const struct http_endpoint *endpoint, const char *url,
               const char *const *headers, struct check_answer *ret_answer, struct error *err)
{
    int64_t began_ms = clock_mono_ms();
    *ret_answer = (struct check_answer){0};
    if (http_start(c->http, endpoint, "GET", url, headers, NULL, 0, check_answer_take, ret_answer,
                   err) == NULL)
        return false;
    check_await(c, ret_answer);
    ret_answer->took_ms = clock_mono_ms() - began_ms;
    return true;
}
