#include "dashboard/notify/notice_post.h"

#include "base/printable.h"
#include "http/http_client.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 100, HTTP_MS = 10000, BODY_MAX = 4096, LOG_EVERY_MS = 600000, FAILURE_MAX = 256 };

struct notice_post {
    const char *option, *url;
    const atomic_bool *stopping;
    struct loop *loop;
    struct http *http;
    struct log_limited trouble;

    /* The last answer. */
    bool done, taken;
    int status;
    int64_t rest_ms;
    char failure[FAILURE_MAX];
};

struct notice_post *notice_post_new(const char *option, const char *url,
                                    const atomic_bool *stopping, struct error *err)
{
    struct notice_post *p = calloc(1, sizeof *p);
    if (p == NULL) {
        error_no_memory(err);
        return NULL;
    }
    p->option = option;
    p->url = url;
    p->stopping = stopping;
    p->loop = loop_new(err);
    p->http = p->loop != NULL ? http_new(p->loop, err) : NULL;
    if (p->http != NULL)
        return p;
    notice_post_free(p);
    return NULL;
}

void notice_post_free(struct notice_post *p)
{
    if (p == NULL)
        return;
    http_free(p->http);
    loop_free(p->loop);
    free(p);
}

static void take_answer(void *context, const struct http_result *result)
{
    struct notice_post *p = context;
    p->done = true;
    p->status = result->status;
    p->taken = result->status >= 200 && result->status < 300;
    p->rest_ms = result->has_retry_after && result->retry_after_ms > 0 ? result->retry_after_ms : 0;
    printable(result->failure, p->failure, sizeof p->failure);
}

static void report(struct notice_post *p)
{
    if (p->taken)
        log_recovered(&p->trouble, "notice taken again",
                      (struct log_field[]){LOG_S("option", p->option), {0}});
    else if (!atomic_load(p->stopping))
        log_limited(&p->trouble, clock_mono_ms(), LOG_EVERY_MS, "notice not taken",
                    (struct log_field[]){LOG_S("option", p->option),
                                         LOG_I("status", p->status),
                                         LOG_S("error", p->failure),
                                         LOG_S("hint", "it is tried again; deliveries do not wait"),
                                         {0}});
}

bool notice_post_ask(struct notice_post *p, const char *body)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    const struct http_endpoint endpoint = {.timeout_ms = HTTP_MS,
                                           .response_max = BODY_MAX,
                                           .http_allowed = true, /* the config's check decides */
                                           .connections_max = 1};
    struct error err = {0};
    p->done = p->taken = false;
    p->status = 0;
    p->rest_ms = 0;
    p->failure[0] = '\0';
    struct http_request *request =
        http_start(p->http, &endpoint, body != NULL ? "POST" : "GET", p->url,
                   body != NULL ? headers : headers + 1, body, body != NULL ? strlen(body) : 0,
                   take_answer, p, &err);
    if (request == NULL)
        printable(err.text, p->failure, sizeof p->failure);
    while (request != NULL && !p->done && !atomic_load(p->stopping)) {
        int64_t wait_ms = http_turn(p->http);
        if (!p->done)
            loop_wait(p->loop, wait_ms >= 0 && wait_ms < LOOK_MS ? wait_ms : LOOK_MS);
    }
    if (request != NULL && !p->done)
        http_cancel(request);
    report(p);
    return p->taken;
}

int64_t notice_post_rest_ms(const struct notice_post *p)
{
    return p->rest_ms;
}
