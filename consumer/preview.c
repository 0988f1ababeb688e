#include "preview.h"

#include "core/transform.h"
#include "core/wire.h"
#include "edge/clock.h"
#include "edge/log.h"
#include "edge/reader.h"
#include "plans.h"

#include <inttypes.h>
#include <string.h>

enum { POLL_MS = 200, REGISTRY_PATIENCE_MS = 30000, LINE_LIMIT = 8 * 1024 * 1024 };

struct preview {
    const struct config *config;
    struct loop *loop;
    struct http *http;
    struct registry *registry;
    struct plans *plans;
    struct transform *transform;
    struct reader *reader;
    FILE *out;
    struct buf line;
    bool stopped;
};

static void nothing(void *context)
{
    (void)context;
}

static void stop_asked(void *context, int fd, unsigned events)
{
    struct preview *p = context;
    (void)events;
    loop_forget(p->loop, fd);
    p->stopped = true;
}

static void add_text(struct buf *b, const char *name, const char *text, size_t len)
{
    buf_addf(b, ",\"%s\":", name);
    json_add_string(b, text, len);
}

static bool print(struct preview *p, const rd_kafka_message_t *m, const char *verdict,
                  const char *why, const struct buf *body, struct error *err)
{
    const char *topic = rd_kafka_topic_name(m->rkt);
    buf_reset(&p->line);
    buf_add_text(&p->line, "{\"topic\":");
    json_add_string(&p->line, topic, strlen(topic));
    buf_addf(&p->line, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64, m->partition, m->offset);
    add_text(&p->line, "verdict", verdict, strlen(verdict));
    add_text(&p->line, "why", why, strlen(why));
    if (body != NULL)
        add_text(&p->line, "body", body->data, body->len);
    buf_add_text(&p->line, "}\n");
    if (!buf_ok(&p->line))
        return error_set(err, ERROR_NO_MEMORY, "no memory for a line");
    if (fwrite(p->line.data, 1, p->line.len, p->out) != p->line.len || fflush(p->out) != 0)
        return error_set(err, ERROR_FAILED, "standard output cannot be written to");
    return true;
}

/* Runs the loop until the registry has answered, or patience or the operator ends it. */
static enum plans_answer await_plan(struct preview *p, int32_t id, const struct plan **ret_plan,
                                    const char **ret_why)
{
    int64_t deadline = clock_mono_ms() + REGISTRY_PATIENCE_MS;
    enum plans_answer answer;
    while ((answer = plans_get(p->plans, id, ret_plan, ret_why)) == PLANS_PENDING && !p->stopped &&
           clock_mono_ms() < deadline) {
        registry_turn(p->registry, clock_mono_ms());
        http_turn(p->http);
        loop_wait(p->loop, POLL_MS / 10);
    }
    return answer;
}

static bool has_header(const void *message, const char *name)
{
    const rd_kafka_message_t *m = message;
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;
    return rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           rd_kafka_header_get_last(headers, name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool show_transformed(struct preview *p, const rd_kafka_message_t *m,
                             const struct wire *wire, const struct plan *plan, struct error *err)
{
    static const char *const verdicts[] = {"skip", "deliver", "reject"};
    struct transformed t;
    const struct record record = {.topic = p->config->kafka_topic,
                                  .partition = m->partition,
                                  .offset = m->offset,
                                  .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
                                  .body = wire->body,
                                  .len = wire->len,
                                  .has_header = has_header,
                                  .context = m};
    transform_apply(p->transform, plan, &record, false, &t);
    return print(p, m, verdicts[t.verdict], t.why, t.verdict == TRANSFORM_DELIVER ? t.body : NULL,
                 err);
}

static bool show(struct preview *p, const rd_kafka_message_t *m, struct error *err)
{
    struct error wire_error = {0};
    struct wire wire;
    const struct plan *plan;
    const char *why;
    if (m->payload == NULL)
        return print(p, m, "skip", skip_reason_names[SKIP_TOMBSTONE], NULL, err);
    if (!wire_split(m->payload, m->len, &wire, &wire_error))
        return print(p, m, "reject", "undecodable", NULL, err);
    switch (await_plan(p, wire.schema_id, &plan, &why)) {
    case PLANS_HAVE: return show_transformed(p, m, &wire, plan, err);
    case PLANS_UNREADABLE: return print(p, m, "reject", "undecodable", NULL, err);
    case PLANS_STOP: return error_set(err, ERROR_FAILED, "%s", why);
    default:
        return p->stopped || error_set(err, ERROR_UNREACHABLE,
                                       "the schema registry %s does not answer for schema %" PRId32,
                                       p->config->registry_url, wire.schema_id);
    }
}

static bool show_all(struct preview *p, const struct preview_options *options, struct error *err)
{
    int64_t shown = 0;
    bool ok = true;
    while (ok && !p->stopped && shown != options->limit &&
           !(options->until_end && reader_at_end(p->reader))) {
        loop_wait(p->loop, 0);
        rd_kafka_message_t *m = reader_next(p->reader, POLL_MS);
        if (m == NULL)
            continue;
        ok = show(p, m, err);
        shown++;
        rd_kafka_message_destroy(m);
    }
    return ok;
}

static bool open_preview(struct preview *p, const struct preview_options *options,
                         struct error *err)
{
    if ((p->loop = loop_new(err)) == NULL || (p->http = http_new(p->loop, err)) == NULL ||
        (p->registry = registry_new(p->http, p->config, nothing, NULL, err)) == NULL)
        return false;
    p->plans = plans_new(p->config, p->registry);
    p->transform = transform_new(p->config);
    if (p->plans == NULL || p->transform == NULL)
        return error_set(err, ERROR_NO_MEMORY, "no memory to start");
    loop_watch(p->loop, options->stop_fd, LOOP_READ, stop_asked, p);
    p->reader = reader_new(p->config, options->from, options->until_end, err);
    return p->reader != NULL;
}

bool preview_run(const struct config *config, const struct preview_options *options, FILE *out,
                 struct error *err)
{
    struct preview p = {.config = config, .out = out};
    buf_init(&p.line, LINE_LIMIT);
    bool ok = open_preview(&p, options, err) && show_all(&p, options, err);
    reader_free(p.reader);
    transform_free(p.transform);
    plans_free(p.plans);
    registry_free(p.registry);
    http_free(p.http);
    loop_free(p.loop);
    buf_done(&p.line);
    return ok;
}
