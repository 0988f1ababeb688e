#include "tracing/collector.h"

#include "base/slice.h"
#include "http/tls/client_identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 10000, RESPONSE_MAX = 16 * 1024 };

const char collector_nothing[] = "{\"resourceSpans\":[]}";

static bool copy_text(char **ret, const char *text)
{
    return text == NULL || (*ret = strdup(text)) != NULL;
}

/* ---- what may be set ---- */

static bool check_url(const struct config *config, struct error *err)
{
    const char *url = config->trace_url;
    struct error why = {0};
    bool is_plain = has_prefix_any_case(url, "http://");
    if (!is_plain && !has_prefix_any_case(url, "https://"))
        return error_set(err, ERROR_CONFIG,
                         "trace.url must begin with http:// or https://: the collector's address "
                         "with its path, such as http://localhost:4318/v1/traces");
    const char *host = strstr(url, "://") + 3;
    if (memchr(host, '@', strcspn(host, "/?#")) != NULL)
        return error_set(err, ERROR_CONFIG,
                         "trace.url must not hold a user or a password; use trace.headers");
    if (is_plain && (config->trace_ca_file != NULL || config->trace_cert_file != NULL))
        return error_set(err, ERROR_CONFIG,
                         "trace.%s is set, but trace.url is http://: no certificate would be "
                         "looked at; write https:// or leave it out",
                         config->trace_ca_file != NULL ? "ca_file" : "cert_file");
    return http_url_check(url, true, &why) ||
           error_set(err, ERROR_CONFIG, "trace.url: %s", why.text);
}

static bool read_share(struct collector *collector, const struct config *config, struct error *err)
{
    const char *text = config->trace_sample != NULL ? config->trace_sample : "1";
    char *end;
    double share = strtod(text, &end);
    if (end == text || *end != '\0' || !(share >= 0 && share <= 1) ||
        text[strspn(text, "0123456789.")] != '\0')
        return error_set(err, ERROR_CONFIG,
                         "trace.sample is not a share from 0 to 1; write 1 for all traces, 0.05 "
                         "for one in twenty");
    collector->share = share;
    return true;
}

/* ---- the way ---- */

static bool copy_texts(struct collector *collector, const struct config *config)
{
    const char *host = strstr(config->trace_url, "://") + 3;
    bool ok = copy_text(&collector->url, config->trace_url) &&
              copy_text(&collector->ca_file, config->trace_ca_file) &&
              copy_text(&collector->headers[0], "Content-Type: application/json") &&
              (collector->host = strndup(host, strcspn(host, "/?#"))) != NULL;
    for (size_t i = 0; ok && i < config->trace_header_count; i++) {
        const struct config_pair *pair = &config->trace_headers[i];
        ok = asprintf(&collector->headers[1 + i], "%s: %s", pair->name, pair->value) >= 0;
        if (!ok)
            collector->headers[1 + i] = NULL;
    }
    return ok;
}

static bool read_identity(struct collector *collector, const struct config *config,
                          struct error *err)
{
    if ((config->trace_cert_file != NULL) != (config->trace_key_file != NULL))
        return error_set(err, ERROR_CONFIG, "trace.cert_file and trace.key_file go together");
    if (config->trace_cert_file == NULL)
        return true;
    collector->identity =
        client_identity_read("trace.", config->trace_cert_file, config->trace_key_file, err);
    return collector->identity != NULL;
}

bool collector_init(struct collector *collector, const struct config *config, struct error *err)
{
    *collector = (struct collector){0};
    if (!read_share(collector, config, err))
        return false;
    if (config->trace_url == NULL)
        return true;
    if (!check_url(config, err) || !(copy_texts(collector, config) || error_no_memory(err)) ||
        !read_identity(collector, config, err)) {
        collector_done(collector);
        return false;
    }
    collector->endpoint = (struct http_endpoint){
        .ca_file = collector->ca_file,
        .identity = collector->identity,
        .timeout_ms = TIMEOUT_MS,
        .response_max = RESPONSE_MAX,
        .http_allowed = true,
        .connections_max = 1,
    };
    return true;
}

void collector_done(struct collector *collector)
{
    for (size_t i = 0; i < sizeof collector->headers / sizeof *collector->headers; i++)
        free(collector->headers[i]);
    free(collector->url);
    free(collector->host);
    free(collector->ca_file);
    client_identity_free(collector->identity);
    *collector = (struct collector){0};
}

struct http_request *collector_post(const struct collector *collector, struct http *http,
                                    const char *body, size_t body_len, http_done *done,
                                    void *context, struct error *err)
{
    return http_start(http, &collector->endpoint, "POST", collector->url,
                      (const char *const *)collector->headers, body, body_len, done, context, err);
}
