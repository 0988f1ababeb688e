#include "operator/preview.h"

#include "base/printable.h"
#include "kafka/reader.h"
#include "operator/evaluator.h"
#include "sys/log.h"

#include <inttypes.h>
#include <string.h>

enum { POLL_MS = 200, LINE_LIMIT = 8 * 1024 * 1024 };

struct preview {
    struct evaluator *evaluator;
    struct reader *reader;
    FILE *out;
    struct buf line;
    bool undecodable_said;
};

static void add_text(struct buf *b, const char *name, const char *text, size_t len)
{
    buf_addf(b, ",\"%s\":", name);
    printable_add_json(b, text, len); /* the same text; only how it is written differs */
}

static bool print(struct preview *p, const rd_kafka_message_t *m, const char *verdict,
                  const char *why, const struct buf *body, struct error *err)
{
    const char *topic = rd_kafka_topic_name(m->rkt);
    buf_reset(&p->line);
    buf_add_text(&p->line, "{\"topic\":");
    printable_add_json(&p->line, topic, strlen(topic));
    buf_addf(&p->line, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64, m->partition, m->offset);
    add_text(&p->line, "verdict", verdict, strlen(verdict));
    add_text(&p->line, "why", why, strlen(why));
    if (body != NULL)
        add_text(&p->line, "body", body->data, body->len);
    buf_add_text(&p->line, "}\n");
    if (!buf_ok(&p->line))
        return error_no_memory(err);
    if (fwrite(p->line.data, 1, p->line.len, p->out) != p->line.len || fflush(p->out) != 0)
        return error_set(err, ERROR_FAILED, "cannot write to standard output");
    return true;
}

static bool show(struct preview *p, const rd_kafka_message_t *m, struct error *err)
{
    static const char *const verdicts[] = {"skip", "deliver", "reject"};
    struct evaluator_verdict j;
    if (!evaluator_record(p->evaluator, m, false, &j, err))
        return false;
    if (j.why == NULL)
        return true;
    if (*j.detail != '\0' && !p->undecodable_said) {
        log_warn("record undecodable", LOG_S("reason", j.detail),
                 LOG_S("hint", "further ones are not logged"), LOG_I("partition", m->partition),
                 LOG_I("offset", m->offset));
        p->undecodable_said = true;
    }
    return print(p, m, verdicts[j.verdict], j.why, j.body, err);
}

static bool show_all(struct preview *p, const struct preview_options *options, struct error *err)
{
    int64_t shown = 0;
    bool ok = true;
    while (ok && !evaluator_stopped(p->evaluator) && shown != options->limit &&
           !(options->until_end && reader_at_end(p->reader))) {
        rd_kafka_message_t *m = reader_next(p->reader, POLL_MS);
        if (m == NULL)
            continue;
        ok = show(p, m, err);
        shown++;
        rd_kafka_message_destroy(m);
    }
    return ok;
}

bool preview_run(const struct config *config, const struct preview_options *options, FILE *out,
                 struct error *err)
{
    struct preview p = {.out = out};
    buf_init(&p.line, LINE_LIMIT);
    bool ok = (p.evaluator = evaluator_new(config, options->stop_fd, err)) != NULL &&
              (p.reader = reader_new(config, options->from, options->until_end, err)) != NULL &&
              show_all(&p, options, err);
    reader_free(p.reader);
    evaluator_free(p.evaluator);
    buf_done(&p.line);
    return ok;
}
