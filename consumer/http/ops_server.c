#include "http/ops_server.h"

#include "http/web_server.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdlib.h>
#include <string.h>

enum { METRICS_BYTES_MAX = 4 * 1024 * 1024 };

static const struct web_limits limits = {
    .connections = {.connections = OPS_CONNECTIONS_MAX, .request_ms = OPS_REQUEST_MS, .prefix = 16},
    .head_max = 16 * 1024};

struct ops {
    struct ops_source source;
    struct web *web;
};

static void answer_text(struct web_request *x, unsigned status, const char *text)
{
    web_request_reply_static(x, status, "text/plain; charset=utf-8", slice_of(text));
}

static void answer_metrics(struct ops *ops, struct web_request *x)
{
    struct buf b;
    buf_init(&b, METRICS_BYTES_MAX);
    ops->source.metrics(ops->source.context, &b);
    if (buf_ok(&b))
        web_request_reply(x, 200, "text/plain; version=0.0.4; charset=utf-8",
                          (struct slice){b.data, b.len});
    else
        answer_text(x, 500, "too many metrics\n");
    buf_done(&b);
}

static void answer_state(struct ops *ops, struct web_request *x,
                         bool (*is_fine)(void *context, const char **ret_why))
{
    const char *why = "";
    bool fine = is_fine(ops->source.context, &why);
    answer_text(x, fine ? 200 : 503, fine ? "ok\n" : why);
}

static void answer(void *context, struct web_request *x)
{
    struct ops *ops = context;
    const char *path = web_request_path(x);
    web_request_add_header(x, "Cache-Control", "no-store");
    if (strcmp(web_request_method(x), "GET") != 0) {
        web_request_add_header(x, "Allow", "GET, HEAD");
        answer_text(x, 405, "GET only\n");
    } else if (web_request_is_ambiguous(x) || web_request_body_cut(x)) {
        answer_text(x, 400, "bad request\n");
    } else if (strcmp(path, "/metrics") == 0) {
        answer_metrics(ops, x);
    } else if (strcmp(path, "/livez") == 0) {
        answer_state(ops, x, ops->source.live);
    } else if (strcmp(path, "/readyz") == 0) {
        answer_state(ops, x, ops->source.ready);
    } else {
        answer_text(x, 404, "/metrics, /livez, /readyz\n");
    }
}

struct ops *ops_new(struct loop *loop, const char *address, const struct ops_source *source,
                    struct error *err)
{
    struct ops *ops = calloc(1, sizeof *ops);
    if (ops == NULL) {
        error_no_memory(err);
        return NULL;
    }
    const struct web_callbacks callbacks = {answer, NULL, ops};
    ops->source = *source;
    ops->web = web_new(loop, address, "ops.listen", &limits, &callbacks, err);
    if (ops->web == NULL) {
        free(ops);
        return NULL;
    }
    log_info("ops port", LOG_S("address", address), LOG_I("port", web_port(ops->web)));
    return ops;
}

void ops_free(struct ops *ops)
{
    if (ops == NULL)
        return;
    web_free(ops->web);
    free(ops);
}

int ops_port(const struct ops *ops)
{
    return web_port(ops->web);
}

int64_t ops_turn(struct ops *ops)
{
    return web_turn(ops->web, clock_mono_ms());
}
