#include "dashboard/web/reply.h"

#include "dashboard/web/gzip.h"

#include <stdlib.h>

static const struct {
    const char *name, *title;
    unsigned status;
} problems[] = {
#define X(id, name, status, title) {name, title, status},
    PROBLEMS(X)
#undef X
};

const char *problem_name(enum problem problem)
{
    return problems[problem].name;
}

void reply_common_headers(struct web_request *x)
{
    web_request_add_header(x, "X-Content-Type-Options", "nosniff");
    web_request_add_header(x, "Referrer-Policy", "no-referrer");
}

/* A short one fits a packet as it is. */
static void reply_compressed(struct web_request *x, unsigned status, const char *type,
                             struct slice body)
{
    enum { LEAST = 1024 };
    struct buf b;
    bool wanted = body.len >= LEAST && gzip_is_accepted(web_request_header(x, "Accept-Encoding"));
    struct gzip *gzip = wanted ? gzip_new() : NULL;
    buf_init(&b, body.len + LEAST);
    if (gzip != NULL)
        gzip_add(gzip, body, true, &b);
    if (gzip != NULL && buf_ok(&b)) {
        web_request_add_header(x, "Content-Encoding", "gzip");
        web_request_reply(x, status, type, (struct slice){b.data, b.len});
    } else {
        web_request_reply(x, status, type, body);
    }
    gzip_free(gzip);
    buf_done(&b);
}

static void send_json(struct web_request *x, unsigned status, const char *type, const json_t *value)
{
    char *text = value != NULL ? json_dumps(value, JSON_COMPACT) : NULL;
    web_request_add_header(x, "Cache-Control", "no-store");
    web_request_add_header(x, "Content-Security-Policy",
                           "default-src 'none'; frame-ancestors 'none'");
    reply_compressed(x, status, type, slice_of(text));
    free(text);
}

void reply_problem(struct web_request *x, enum problem problem, const char *detail, json_t *more)
{
    json_t *value =
        json_pack("{s:s+, s:s, s:i}", "type", "urn:elementor-sync:problem:", problems[problem].name,
                  "title", problems[problem].title, "status", (int)problems[problem].status);
    if (detail != NULL)
        json_object_set_new(value, "detail", json_string(detail));
    if (more != NULL)
        json_object_update(value, more);
    if (problems[problem].status == 401)
        web_request_add_header(x, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
    send_json(x, problems[problem].status, "application/problem+json", value);
    json_decref(value);
    json_decref(more);
}

void reply_json(struct web_request *x, unsigned status, json_t *value)
{
    if (value == NULL) {
        reply_problem(x, PROBLEM_INTERNAL, NULL, NULL);
        return;
    }
    send_json(x, status, "application/json", value);
    json_decref(value);
}
