#include "check/check_internal.h"

#include "base/slice.h"
#include "config/own_names.h"
#include "delivery/webhook.h"
#include "http/answer.h"
#include "kafka/advice.h"
#include "order/payload.h"
#include "order/shape/filled.h"
#include "sys/clock.h"
#include "tracing/collector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIGURATION "configuration"
#define WEBHOOK "webhook"
#define TRACES "traces"

enum { VALUE_TEXT = 64 };

/* ---- configuration ---- */

/* Secrets without a fingerprint: a property is a password, a header may hold one. */
static void show_pairs(struct check *c, const char *prefix, const struct config_pair *pairs,
                       size_t count)
{
    char name[256];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s%s", prefix, pairs[i].name);
        report_add(c->report, REPORT_NOTE, CONFIGURATION, name, "%s",
                   config_name_is_secret(name) ? "(set)" : pairs[i].value);
    }
}

/* The options in effect: for people those that differ from the defaults, for machines all of
 * them. */
static void show_config(struct check *c, const char *webhook)
{
    struct config *defaults = config_new();
    char text[VALUE_TEXT], usual[VALUE_TEXT], name[128];
    for (size_t i = 0; defaults != NULL && i < config_option_count; i++) {
        const char *value = config_value_text(c->config, i, text, sizeof text);
        const char *fallback = config_value_text(defaults, i, usual, sizeof usual);
        bool own = value != NULL && (fallback == NULL || strcmp(value, fallback) != 0);
        if (value != NULL && webhook != NULL && strcmp(config_options[i].name, "webhook.url") == 0)
            value = webhook;
        if (value != NULL)
            report_add(c->report, own ? REPORT_NOTE : REPORT_DETAIL, CONFIGURATION,
                       config_options[i].name, "%s", value);
    }
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        snprintf(name, sizeof name, "payload.fields.%s", payload_field_names[f]);
        const char *column = c->config->payload_column[f];
        report_add(c->report,
                   strcmp(column, payload_field_columns[f]) != 0 ? REPORT_NOTE : REPORT_DETAIL,
                   CONFIGURATION, name, "%s", column);
        snprintf(name, sizeof name, "payload.labels.%s", payload_field_names[f]);
        if (c->config->payload_label[f] != NULL)
            report_add(c->report, REPORT_NOTE, CONFIGURATION, name, "%s",
                       c->config->payload_label[f]);
    }
    show_pairs(c, "kafka.properties.", c->config->kafka_properties,
               c->config->kafka_property_count);
    show_pairs(c, "webhook.headers.", c->config->webhook_headers, c->config->webhook_header_count);
    show_pairs(c, "trace.headers.", c->config->trace_headers, c->config->trace_header_count);
    config_free(defaults);
}

/* Reports all errors, so that none hides another. A contradictory configuration is not tried. */
static bool finish(struct check *c)
{
    const unsigned needs =
        CONFIG_NEED_KAFKA | CONFIG_NEED_START | CONFIG_NEED_REGISTRY | CONFIG_NEED_WEBHOOK;
    struct error err = {0}, missing = {0}, wrong = {0};
    bool fine = config_finish(c->config, 0, &err);
    for (size_t i = 0; config_missing(c->config, needs, i, &missing); i++) {
        report_fail(c->report, &missing, CONFIGURATION, "missing");
        missing = (struct error){0};
    }
    for (size_t i = 0; !fine && config_contradiction(c->config, i, &wrong); i++) {
        report_fail(c->report, &wrong, CONFIGURATION, "contradiction");
        wrong = (struct error){0};
    }
    if (!fine && !config_contradiction(c->config, 0, &wrong)) /* no memory, then */
        report_fail(c->report, &err, CONFIGURATION, "contradiction");
    for (size_t i = 0; fine && i < c->config->warning_count; i++)
        report_add(c->report, REPORT_WARN, CONFIGURATION, "unwise", "%s", c->config->warnings[i]);
    return fine;
}

static void check_file(struct check *c, const char *option, const char *path)
{
    struct error err = {0};
    if (path == NULL || access(path, R_OK) == 0)
        return;
    error_set(&err, ERROR_CONFIG, "%s: %s cannot be read: %s", option, path, strerror(errno));
    report_fail(c->report, &err, CONFIGURATION, option);
}

/* ---- webhook ---- */

/* Under the option that the error begins with. */
static void fail_option(const struct check *c, const struct error *err)
{
    char name[CONFIG_NAME_MAX];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(err->text, " :"), err->text);
    report_fail(c->report, err, CONFIGURATION, strchr(name, '.') != NULL ? name : WEBHOOK);
}

static struct webhook *open_webhook(struct check *c)
{
    struct error err = {0};
    if (c->config->webhook_url == NULL)
        return NULL;
    struct webhook *webhook = webhook_new(c->http, c->config, &err);
    if (webhook == NULL)
        fail_option(c, &err);
    return webhook;
}

/* The meaning of a refused ping. */
static void advise_ping(const struct check *c, const struct check_answer *answer, char *text,
                        size_t size)
{
    char words[REFUSAL_WORDS_MAX];
    const struct refusal refusal = {.status = answer->status,
                                    .body = {answer->body, answer->len},
                                    .url = c->config->webhook_url,
                                    .redirect = answer->redirect};
    snprintf(text, size, ": %s", answer_refusal_words(&refusal, words));
    if (*words == '\0')
        snprintf(text, size, ": it may refuse only pings; preview shows what run sends");
}

/* " (text/html, server nginx): first line" of an answer, without the URL and our keys. */
static void describe_answer(const struct webhook *webhook, const struct check_answer *answer,
                            struct buf *b)
{
    enum { LINE_MAX_BYTES = 120 };
    struct redact redact = {0};
    struct slice line = {answer->body, answer->len};
    while (line.len > 0 && strchr(" \t\r\n", line.data[0]) != NULL)
        line.data++, line.len--;
    line.len = line.len > 0 ? strcspn(line.data, "\r\n") : 0;
    redact.cut = line.len > LINE_MAX_BYTES;
    if (redact.cut)
        line.len = LINE_MAX_BYTES;
    webhook_add_secrets(webhook, &redact);
    buf_addf(b, " (%s%s%s)", *answer->content_type != '\0' ? answer->content_type : "no type",
             *answer->server != '\0' ? ", server " : "", answer->server);
    if (line.len > 0) {
        buf_add_text(b, ": ");
        redact_apply(&redact, line, b);
    }
}

static void judge_ping(struct check *c, const struct webhook *webhook,
                       const struct check_answer *answer)
{
    enum { DESCRIPTION_MAX = 2048 };
    struct error err = {0};
    char advice[CHECK_WORDS_MAX];
    struct buf what;
    bool is_2xx = answer->status >= 200 && answer->status < 300;
    enum answer_sense sense =
        is_2xx ? answer_sense((enum answer_rule)c->config->outcome_success, answer->has_captcha,
                              (struct slice){answer->body, answer->len})
               : ANSWER_UNDERSTOOD;
    buf_init(&what, DESCRIPTION_MAX);
    if (answer->status != 0)
        describe_answer(webhook, answer, &what);
    advise_ping(c, answer, advice, sizeof advice);
    if (is_2xx && sense == ANSWER_UNDERSTOOD)
        report_add(c->report, REPORT_OK, WEBHOOK, "ping", "answered %d in %lld ms%s",
                   answer->status, (long long)answer->took_ms, buf_text(&what));
    else if (is_2xx)
        error_set(&err, ERROR_FAILED, "answered %d, which counts as no delivery: %s%s",
                  answer->status, answer_hints[sense], buf_text(&what));
    else if (answer->begun_status >= 200 && answer->begun_status < 300)
        report_add(c->report, REPORT_WARN, WEBHOOK, "ping",
                   "answered %d, then the answer broke off (%s): it counts as delivered, "
                   "but each request may take longer than it needs to",
                   answer->begun_status, answer->failure);
    else if (answer->status == 0)
        error_set(&err, ERROR_UNREACHABLE, "no answer: %s", answer->failure);
    else
        error_set(&err, ERROR_FAILED, "answered %d%s%s", answer->status, advice, buf_text(&what));
    if (err.code != ERROR_NONE)
        report_fail(c->report, &err, WEBHOOK, "ping");
    buf_done(&what);
}

/* Each text "ping", each number 0, each column null. */
static const char *fill_ping(const struct config *config, const char *id, struct buf *b)
{
    static const struct column null_columns[CHANGE_EXTRA_MAX];
    const char *column;
    struct shape_values fields;
    for (size_t f = 0; f < FIELD_COUNT; f++)
        fields.token[f] = slice_of(payload_field_rules[f].shape == SHAPE_NUMBER ||
                                           payload_field_rules[f].shape == SHAPE_WHOLE
                                       ? "0"
                                       : "\"ping\"");
    const struct filled_values values = {.fields = &fields,
                                         .columns = null_columns,
                                         .form_name = "elementor_sync_ping",
                                         .event_id = id,
                                         .event_ms = clock_wall_ms()};
    (void)filled_write(config->template, &values, b, &column);
    return buf_text(b);
}

/* In the form that the orders have. `b`: empty; room for it. */
static const char *ping_body(const struct config *config, const char *id, struct buf *b)
{
    switch ((enum payload_shape)config->payload_shape) {
    case PAYLOAD_TEMPLATE:
        if (config->template != NULL)
            return fill_ping(config, id, b);
        return "{}";
    case PAYLOAD_ELEMENTOR: return "form_id=ping&form_name=elementor_sync_ping";
    case PAYLOAD_ELEMENTOR_ADVANCED: return "form%5Bid%5D=ping&form%5Bname%5D=elementor_sync_ping";
    default: return "{\"form_name\":\"elementor_sync_ping\",\"fields\":{}}";
    }
}

static void ping(struct check *c, struct webhook *webhook)
{
    struct check_answer answer = {0};
    struct error err = {0};
    int64_t began_ms = clock_mono_ms();
    char id[64];
    snprintf(id, sizeof id, "ping_%lld", (long long)clock_wall_ms());
    struct buf text;
    buf_init(&text, PAYLOAD_BODY_MAX);
    const char *body = ping_body(c->config, id, &text);
    const struct webhook_message message = {.id = id,
                                            .attempt = 1,
                                            .timestamp_s = clock_wall_ms() / 1000,
                                            .source = "ping",
                                            .body = body,
                                            .body_len = strlen(body)};
    if (webhook_post(webhook, &message, check_answer_take, &answer, &err) != NULL) {
        check_await(c, &answer);
        answer.took_ms = clock_mono_ms() - began_ms;
        judge_ping(c, webhook, &answer);
    } else {
        report_fail(c->report, &err, WEBHOOK, "ping");
    }
    free(answer.body);
    buf_done(&text);
}

static void check_webhook(struct check *c, struct webhook *webhook, bool asked)
{
    if (webhook == NULL)
        return;
    if (!has_prefix(c->config->webhook_url, "https:") && c->config->webhook_allow_http)
        report_add(c->report, REPORT_WARN, WEBHOOK, "url",
                   "%s by http: customers' data crosses the network unencrypted",
                   webhook_name(webhook));
    else
        report_add(c->report, REPORT_OK, WEBHOOK, "url", "%s", webhook_name(webhook));
    if (asked)
        ping(c, webhook);
    else
        report_add(c->report, REPORT_NOTE, WEBHOOK, "ping",
                   "nothing was sent; --ping-webhook sends one test request");
}

/* ---- traces ---- */

/* Deliveries do not depend on it: whatever is wrong there is a warning. */
static void judge_collector(struct check *c, const char *host, const struct check_answer *answer)
{
    const char *hint = answer->status == 404 || answer->status == 405
                           ? "; trace.url needs the collector's path, usually /v1/traces"
                       : answer->status == 401 || answer->status == 403
                           ? "; set trace.headers.* to what the collector asks for"
                           : "";
    if (answer->status >= 200 && answer->status < 300)
        report_add(c->report, REPORT_OK, TRACES, "url", "%s answered %d in %lld ms", host,
                   answer->status, (long long)answer->took_ms);
    else if (answer->status != 0)
        report_add(c->report, REPORT_WARN, TRACES, "url",
                   "%s answered %d: spans would be dropped%s", host, answer->status, hint);
    else
        report_add(c->report, REPORT_WARN, TRACES, "url", "%s: %s: spans would be dropped", host,
                   answer->failure);
}

/* By a request without spans, which nobody stores. */
static void ask_collector(struct check *c, const struct collector *collector)
{
    struct error err = {0};
    struct check_answer answer = {0};
    int64_t began_ms = clock_mono_ms();
    if (collector_post(collector, c->http, collector_nothing, strlen(collector_nothing),
                       check_answer_take, &answer, &err) == NULL) {
        report_fail(c->report, &err, TRACES, "url");
        return;
    }
    check_await(c, &answer);
    answer.took_ms = clock_mono_ms() - began_ms;
    judge_collector(c, collector->host, &answer);
    free(answer.body);
}

/* ---- the whole ---- */

static void report_libraries(struct check *c)
{
    const char *lacks = kafka_library_lacks(rd_kafka_version());
    report_add(c->report, *lacks != '\0' ? REPORT_WARN : REPORT_OK, "kafka", "librdkafka", "%s%s%s",
               rd_kafka_version_str(), *lacks != '\0' ? ": " : "", lacks);
}

static bool open_loop(struct check *c)
{
    struct error err = {0};
    if ((c->loop = loop_new(&err)) != NULL && (c->http = http_new(c->loop, &err)) != NULL)
        return true;
    report_fail(c->report, &err, CONFIGURATION, "start");
    return false;
}

/* All that lies outside the process. */
static void reach(struct check *c, struct webhook *webhook, const struct collector *collector,
                  bool ping_webhook)
{
    check_kafka(c);
    check_registry(c);
    check_records(c);
    check_schema(c);
    check_webhook(c, webhook, ping_webhook);
    if (collector->url != NULL)
        ask_collector(c, collector);
}

static void check_all(struct check *c, const struct check_options *options)
{
    if (!open_loop(c))
        return;
    struct webhook *webhook = open_webhook(c);
    struct collector collector;
    struct error err = {0};
    if (!collector_init(&collector, c->config, &err))
        fail_option(c, &err);
    (void)!own_names_fill(c->config); /* for show_config; without memory finish() fails */
    show_config(c, webhook != NULL ? webhook_name(webhook) : NULL);
    if (finish(c)) {
        check_file(c, "webhook.ca_file", c->config->webhook_ca_file);
        check_file(c, "registry.ca_file", c->config->registry_ca_file);
        check_file(c, "trace.ca_file", c->config->trace_ca_file);
        report_libraries(c);
        if (!options->offline)
            reach(c, webhook, &collector, options->ping_webhook);
    }
    collector_done(&collector);
    webhook_free(webhook);
}

void check_run(struct config *config, const struct check_options *options, struct report *report)
{
    struct check c = {.config = config, .report = report};
    check_all(&c, options);
    check_kafka_done(&c);
    registry_free(c.registry);
    http_free(c.http);
    loop_free(c.loop);
}
