#include "operator/preview.h"

#include "base/printable.h"
#include "base/time_text.h"
#include "kafka/reader.h"
#include "operator/evaluator.h"
#include "sys/log.h"
#include "terminal/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 200, LINE_LIMIT = 8 * 1024 * 1024, BODY_INDENT = 4, WHY_MAX = 512 };

struct preview {
    struct evaluator *evaluator;
    struct reader *reader;
    FILE *out;
    struct buf line;
    bool json;
    const struct terminal_style *style;
    int64_t counts[TRANSFORM_STOP]; /* by verdict */
    bool undecodable_said;
};

static const char *const verdicts[] = {
    [TRANSFORM_SKIP] = "skip", [TRANSFORM_DELIVER] = "deliver", [TRANSFORM_REJECT] = "reject"};

static void add_text(struct buf *b, const char *name, const char *text, size_t len)
{
    buf_addf(b, ",\"%s\":", name);
    printable_add_json(b, text, len); /* the same text; only how it is written differs */
}

/* ---- for machines ---- */

static void add_json(struct preview *p, const rd_kafka_message_t *m,
                     const struct evaluator_verdict *j)
{
    const char *topic = rd_kafka_topic_name(m->rkt), *verdict = verdicts[j->verdict];
    buf_add_text(&p->line, "{\"topic\":");
    printable_add_json(&p->line, topic, strlen(topic));
    buf_addf(&p->line, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64, m->partition, m->offset);
    add_text(&p->line, "verdict", verdict, strlen(verdict));
    add_text(&p->line, "why", j->why, strlen(j->why));
    if (j->body != NULL)
        add_text(&p->line, "body", j->body->data, j->body->len);
    buf_add_text(&p->line, "}\n");
}

/* ---- for people ---- */

static void add_shown(struct buf *b, const char *text, size_t len)
{
    char *shown = strndup(text, len);
    if (shown == NULL) {
        b->failed = true;
        return;
    }
    printable_make(shown);
    buf_add_text(b, shown);
    free(shown);
}

static void add_line(struct buf *b, size_t depth)
{
    buf_addf(b, "\n%*s", (int)(BODY_INDENT + 2 * depth), "");
}

/* The JSON string that text begins with, in its quotes; of anything else one byte. */
static size_t token_length(const char *text, size_t len)
{
    size_t at = 1;
    while (*text == '"' && at < len && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
    at += *text == '"';
    return at < len ? at : len;
}

/* A value a line, each byte as it would be sent: 10.50 is not 10.5. */
static void add_json_body(struct buf *b, const char *text, size_t len)
{
    size_t depth = 0;
    for (size_t at = 0, size; at < len; at += size) {
        bool opens = text[at] == '{' || text[at] == '[',
             closes = text[at] == '}' || text[at] == ']';
        size = token_length(text + at, len - at);
        depth -= closes && depth > 0;
        if (closes)
            add_line(b, depth);
        add_shown(b, text + at, size);
        depth += opens;
        if (opens || text[at] == ',')
            add_line(b, depth);
        else if (text[at] == ':')
            buf_add_char(b, ' ');
    }
}

static void add_body(struct buf *b, const struct buf *body)
{
    buf_addf(b, "%*s", BODY_INDENT, "");
    if (body->len > 0 && *body->data == '{')
        add_json_body(b, body->data, body->len);
    else
        add_shown(b, body->data, body->len);
    buf_add_char(b, '\n');
}

static void add_for_people(struct preview *p, const rd_kafka_message_t *m,
                           const struct evaluator_verdict *j)
{
    const struct terminal_style *style = p->style;
    const char *const colours[] = {style->faint, style->good, style->bad};
    char at[TIMESTAMP_TEXT], why[WHY_MAX];
    int64_t ms = rd_kafka_message_timestamp(m, NULL);
    buf_addf(&p->line, "%9" PRId32 "  %10" PRId64 "  %-24s  %s%-7s%s  %s\n", m->partition,
             m->offset, ms >= 0 ? timestamp_text(ms, at) : "-", colours[j->verdict],
             verdicts[j->verdict], style->off,
             printable(*j->detail != '\0' ? j->detail : j->why, why, sizeof why));
    if (j->body != NULL)
        add_body(&p->line, j->body);
}

static bool write_line(struct preview *p, struct error *err)
{
    if (!buf_ok(&p->line))
        return error_no_memory(err);
    if (fwrite(p->line.data, 1, p->line.len, p->out) != p->line.len || fflush(p->out) != 0)
        return error_set(err, ERROR_FAILED, "cannot write to standard output");
    return true;
}

static bool print(struct preview *p, const rd_kafka_message_t *m, const struct evaluator_verdict *j,
                  struct error *err)
{
    buf_reset(&p->line);
    if (p->json)
        add_json(p, m, j);
    else
        add_for_people(p, m, j);
    return write_line(p, err);
}

static bool print_head(struct preview *p, struct error *err)
{
    if (p->json)
        return true;
    buf_reset(&p->line);
    buf_addf(&p->line, "%s%9s  %10s  %-24s  %-7s  %s%s\n", p->style->faint, "partition", "offset",
             "written", "verdict", "why", p->style->off);
    return write_line(p, err);
}

static bool print_counts(struct preview *p, struct error *err)
{
    if (p->json)
        return true;
    buf_reset(&p->line);
    buf_addf(&p->line,
             "\nrecords: %" PRId64 "; deliver: %" PRId64 ", skip: %" PRId64 ", reject: %" PRId64
             "\n",
             p->counts[TRANSFORM_SKIP] + p->counts[TRANSFORM_DELIVER] + p->counts[TRANSFORM_REJECT],
             p->counts[TRANSFORM_DELIVER], p->counts[TRANSFORM_SKIP], p->counts[TRANSFORM_REJECT]);
    return write_line(p, err);
}

static bool show(struct preview *p, const rd_kafka_message_t *m, struct error *err)
{
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
    p->counts[j.verdict]++;
    return print(p, m, &j, err);
}

static bool show_all(struct preview *p, const struct preview_options *options, struct error *err)
{
    int64_t shown = 0;
    bool ok = true;
    if (!options->shown) /* its own lines are its progress, where they are seen */
        progress_step("reading records", options->limit);
    while (ok && !evaluator_stopped(p->evaluator) && shown != options->limit &&
           !(options->until_end && reader_at_end(p->reader))) {
        rd_kafka_message_t *m = reader_next(p->reader, POLL_MS);
        if (m == NULL)
            continue;
        ok = show(p, m, err);
        shown++;
        progress_at(shown);
        rd_kafka_message_destroy(m);
    }
    progress_end();
    return ok;
}

bool preview_run(const struct config *config, const struct preview_options *options, FILE *out,
                 struct error *err)
{
    struct preview p = {.out = out, .json = options->json, .style = options->style};
    buf_init(&p.line, LINE_LIMIT);
    bool ok = (p.evaluator = evaluator_new(config, options->stop_fd, err)) != NULL &&
              (p.reader = reader_new(config, options->from, options->until_end, err)) != NULL &&
              print_head(&p, err) && show_all(&p, options, err) && print_counts(&p, err);
    reader_free(p.reader);
    evaluator_free(p.evaluator);
    buf_done(&p.line);
    return ok;
}
