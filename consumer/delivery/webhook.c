/* webhook: the endpoint, its public name, and the headers of an attempt. */
#include "delivery/webhook.h"

#include "base/fingerprint.h"
#include "base/slice.h"
#include "delivery/signature.h"
#include "http/headers/traceparent.h"
#include "order/shape/shape.h"
#include "sys/url_list.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 256, GUESSABLE_PATH = 12, ID_MAX = 256, OWN_HEADERS = 8 };

/* The URL, keys and headers of attempts: all that a reload replaces. */
struct webhook_target {
    char *url, *ca_file, *signing_keys, *proxy, *proxy_user, *proxy_password;
    struct client_identity *identity;
    char *headers[CONFIG_HEADERS_MAX + 1]; /* "Name: value", NULL-terminated */
    struct signature_keys keys;
    struct http_endpoint endpoint;
    char name[HOST_MAX + 1 + FINGERPRINT_TEXT];
};

struct webhook {
    struct http *http;
    struct webhook_target target, previous; /* previous: empty until the first reload */
    uint64_t endpoint_generation;
    const char *content_type; /* the bodies': payload.shape is not taken up by a reload */
};

/* The parts of a URL that decide whether it may be used; owned, curl_free'd. */
struct url_parts {
    char *scheme, *host, *user, *password;
};

static void url_parts_done(struct url_parts *parts)
{
    curl_free(parts->scheme);
    curl_free(parts->host);
    curl_free(parts->user);
    curl_free(parts->password);
}

/* False when libcurl finds no URL in it. */
static bool url_split(const char *url, struct url_parts *ret_parts)
{
    struct url_parts parts = {0};
    CURLU *parsed = curl_url();
    bool ok = parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(parsed, CURLUPART_SCHEME, &parts.scheme, 0) == CURLUE_OK &&
              curl_url_get(parsed, CURLUPART_HOST, &parts.host, 0) == CURLUE_OK;
    if (ok) {
        curl_url_get(parsed, CURLUPART_USER, &parts.user, 0);
        curl_url_get(parsed, CURLUPART_PASSWORD, &parts.password, 0);
        *ret_parts = parts;
    } else {
        url_parts_done(&parts);
    }
    curl_url_cleanup(parsed);
    return ok;
}

static bool check_parts(const struct url_parts *parts, bool allow_http, struct error *err)
{
    bool https = strcmp(parts->scheme, "https") == 0;
    if (!https && strcmp(parts->scheme, "http") != 0)
        return error_set(err, ERROR_CONFIG, "webhook.url must begin with https://");
    if (parts->host[0] == '\0' || strlen(parts->host) > HOST_MAX)
        return error_set(err, ERROR_CONFIG, "webhook.url needs a host");
    if (parts->user != NULL || parts->password != NULL)
        return error_set(err, ERROR_CONFIG, "webhook.url must not hold a user or a password");
    if (!https && !allow_http && !url_is_loopback(parts->host))
        return error_set(err, ERROR_CONFIG,
                         "webhook.url must begin with https:// (http is for "
                         "loopback, or for webhook.allow_http=true)");
    return true;
}

bool webhook_url_check(const char *url, bool allow_http, struct error *err)
{
    for (const unsigned char *c = (const unsigned char *)url; *c != '\0'; c++)
        if (*c <= ' ' || *c == 0x7f)
            return error_set(err, ERROR_CONFIG,
                             "webhook.url must not hold spaces or control characters");
    /* libcurl reads https:///path as a host named "path", which would make it public. */
    const char *colon = strchr(url, ':');
    bool slashes = colon != NULL && has_prefix(colon, "://") && colon[3] != '/';
    struct url_parts parts;
    if (!slashes || !url_split(url, &parts))
        return error_set(err, ERROR_CONFIG, "webhook.url is not a URL such as https://host/path");
    bool ok = check_parts(&parts, allow_http, err);
    url_parts_done(&parts);
    return ok;
}

/* The URL behind the host is too short for a secret: it shows no fingerprint. */
static bool is_guessable(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    return strlen(host + strcspn(host, "/?#")) < GUESSABLE_PATH;
}

static bool set_name(struct webhook_target *target, struct error *err)
{
    struct url_parts parts;
    char mark[FINGERPRINT_TEXT];
    if (!url_split(target->url, &parts))
        return error_no_memory(err);
    fingerprint(target->url, mark);
    snprintf(target->name, sizeof target->name, "%s#%s", parts.host,
             is_guessable(target->url) ? "--------" : mark);
    url_parts_done(&parts);
    return true;
}

static void target_done(struct webhook_target *target)
{
    for (size_t i = 0; target->headers[i] != NULL; i++)
        free(target->headers[i]);
    free(target->url);
    free(target->ca_file);
    free(target->signing_keys);
    free(target->proxy);
    free(target->proxy_user);
    free(target->proxy_password);
    client_identity_free(target->identity);
}

/* True, with a copy in *ret; NULL stays NULL. */
static bool copy_text(char **ret, const char *text)
{
    return text == NULL || (*ret = strdup(text)) != NULL;
}

static bool copy_texts(struct webhook_target *target, const struct config *config)
{
    bool ok = copy_text(&target->url, config->webhook_url) &&
              copy_text(&target->ca_file, config->webhook_ca_file) &&
              copy_text(&target->signing_keys, config->webhook_signing_keys) &&
              copy_text(&target->proxy, config->webhook_proxy) &&
              copy_text(&target->proxy_user, config->webhook_proxy_user) &&
              copy_text(&target->proxy_password, config->webhook_proxy_password);
    for (size_t i = 0; ok && i < config->webhook_header_count; i++) {
        const struct config_pair *pair = &config->webhook_headers[i];
        ok = asprintf(&target->headers[i], "%s: %s", pair->name, pair->value) >= 0;
        if (!ok)
            target->headers[i] = NULL;
    }
    return ok;
}

static bool read_identity(struct webhook_target *target, const struct config *config,
                          struct error *err)
{
    if (config->webhook_cert_file == NULL || config->webhook_key_file == NULL)
        return true;
    target->identity =
        client_identity_read("webhook.", config->webhook_cert_file, config->webhook_key_file, err);
    return target->identity != NULL;
}

static bool target_init(struct webhook_target *target, const struct config *config,
                        struct error *err)
{
    *target = (struct webhook_target){0};
    if (config->webhook_url == NULL)
        return error_set(err, ERROR_CONFIG, "webhook.url is required");
    if (!webhook_url_check(config->webhook_url, config->webhook_allow_http, err))
        return false;
    if (config->webhook_signing_keys != NULL &&
        !signature_keys_parse(config->webhook_signing_keys, &target->keys, err))
        return false;
    bool ok =
        (copy_texts(target, config) || error_no_memory(err)) && read_identity(target, config, err);
    target->endpoint = (struct http_endpoint){
        .ca_file = target->ca_file,
        .proxy = target->proxy,
        .proxy_user = target->proxy_user,
        .proxy_password = target->proxy_password,
        .identity = target->identity,
        .tls_min = (enum http_tls_min)config->webhook_tls_min,
        .ip = (enum http_ip)config->webhook_ip,
        .timeout_ms = config->webhook_timeout,
        .response_max = (size_t)config->webhook_response_max,
        .http_allowed = true, /* where it may be: checked above */
        .connections_max = (long)config->webhook_concurrency,
    };
    if (ok && set_name(target, err))
        return true;
    target_done(target);
    return false;
}

struct webhook *webhook_new(struct http *http, const struct config *config, struct error *err)
{
    struct webhook *webhook = calloc(1, sizeof *webhook);
    if (webhook == NULL) {
        error_no_memory(err);
        return NULL;
    }
    webhook->http = http;
    webhook->content_type = shape_content_type((enum payload_shape)config->payload_shape);
    if (target_init(&webhook->target, config, err))
        return webhook;
    free(webhook);
    return NULL;
}

bool webhook_reload(struct webhook *webhook, const struct config *config, struct error *err)
{
    struct webhook_target target;
    if (!target_init(&target, config, err))
        return false;
    target_done(&webhook->previous);
    webhook->previous = webhook->target;
    webhook->target = target;
    webhook->endpoint_generation++;
    return true;
}

void webhook_free(struct webhook *webhook)
{
    if (webhook == NULL)
        return;
    target_done(&webhook->target);
    target_done(&webhook->previous);
    free(webhook);
}

const char *webhook_name(const struct webhook *webhook)
{
    return webhook->target.name;
}

const char *webhook_refusal_words(const struct webhook *webhook, const struct http_result *result,
                                  char ret_text[REFUSAL_WORDS_MAX])
{
    const struct refusal refusal = {.status = result->status,
                                    .body = {result->body, result->body_len},
                                    .url = webhook->target.url,
                                    .redirect = result->redirect};
    return answer_refusal_words(&refusal, ret_text);
}

uint64_t webhook_endpoint_generation(const struct webhook *webhook)
{
    return webhook->endpoint_generation;
}

/* Without its prefix and its padding, a form in which a verifier may hold it. */
static void add_signing_keys(const char *keys, struct redact *redact)
{
    struct slice word;
    while ((word = words_next(&keys)).len > 0) {
        const char *bare = after_prefix(word.data, "whsec_");
        const char *key = bare != NULL ? bare : word.data;
        redact_add(redact, (struct slice){key, strcspn(key, " ,=")});
    }
}

static void add_secrets(const struct webhook_target *target, struct redact *redact)
{
    if (target->url != NULL)
        redact_add_url(redact, target->url);
    for (size_t i = 0; target->headers[i] != NULL; i++)
        redact_add_words(redact, slice_of(strchr(target->headers[i], ':') + 2));
    if (target->signing_keys != NULL)
        add_signing_keys(target->signing_keys, redact);
    if (target->proxy_password != NULL)
        redact_add(redact, slice_of(target->proxy_password));
}

void webhook_add_secrets(const struct webhook *webhook, struct redact *redact)
{
    add_secrets(&webhook->target, redact);
    add_secrets(&webhook->previous, redact);
}

/* The headers of one attempt, written one behind the other into one buffer: printf for each costs
 * several per cent of a request. */
struct header_list {
    const char *lines[OWN_HEADERS + CONFIG_HEADERS_MAX + 1];
    size_t count, used;
    char text[7 * 32 + 2 * ID_MAX + TRACEPARENT_TEXT + SIGNATURE_TEXT_MAX];
};

static void add_line(struct header_list *list, const char *name, const char *value)
{
    char *line = list->text + list->used;
    const char *end = stpcpy(stpcpy(line, name), value);
    list->used += (size_t)(end - line) + 1;
    list->lines[list->count++] = line;
}

static void add_number(struct header_list *list, const char *name, int64_t number)
{
    char digits[24];
    char *at = digits + sizeof digits;
    *--at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    add_line(list, name, at);
}

static bool write_headers(const struct webhook_target *target, const char *content_type,
                          const struct webhook_message *message, struct header_list *list,
                          struct error *err)
{
    char signature[SIGNATURE_TEXT_MAX];
    char trace[TRACEPARENT_TEXT];
    list->used = list->count = 0;
    list->lines[list->count++] = content_type;
    add_line(list, "webhook-id: ", message->id);
    add_line(list, "Idempotency-Key: ", message->id);
    add_number(list, "webhook-timestamp: ", message->timestamp_s);
    add_number(list, "webhook-attempt: ", message->attempt);
    if (!traceparent_read(message->traceparent, trace))
        traceparent_make(message->id, trace);
    add_line(list, "traceparent: ", trace);
    if (message->source != NULL)
        add_line(list, "webhook-source: ", message->source);
    if (target->keys.count > 0) {
        if (!signature_write(&target->keys, message->id, message->timestamp_s, message->body,
                             message->body_len, signature))
            return error_set(err, ERROR_FAILED, "the message could not be signed");
        add_line(list, "webhook-signature: ", signature);
    }
    for (size_t i = 0; target->headers[i] != NULL; i++)
        list->lines[list->count++] = target->headers[i];
    list->lines[list->count] = NULL;
    return true;
}

struct http_request *webhook_post(struct webhook *webhook, const struct webhook_message *message,
                                  http_done *done, void *context, struct error *err)
{
    struct header_list headers;
    if (strlen(message->id) >= ID_MAX) {
        error_set(err, ERROR_FAILED, "the webhook-id is longer than a header may be");
        return NULL;
    }
    if (!write_headers(&webhook->target, webhook->content_type, message, &headers, err))
        return NULL;
    return http_start(webhook->http, &webhook->target.endpoint, "POST", webhook->target.url,
                      headers.lines, message->body, message->body_len, done, context, err);
}
