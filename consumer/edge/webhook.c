/* webhook: the endpoint, its public name, and the headers of an attempt. */
#include "edge/webhook.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FINGERPRINT_BYTES = 4, HEADER_MAX = 512, HOST_MAX = 256 };

struct webhook {
    struct http *http;
    const char *url; /* the config's */
    struct http_endpoint endpoint;
    char name[HOST_MAX + 1 + 2 * FINGERPRINT_BYTES + 1];
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

/* Only what cannot be pointed elsewhere by a name server: libcurl never looks "localhost" up. */
static bool is_loopback(const char *host)
{
    struct in_addr address;
    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
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
    if (!https && !allow_http && !is_loopback(parts->host))
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
    bool slashes = colon != NULL && strncmp(colon, "://", 3) == 0 && colon[3] != '/';
    struct url_parts parts;
    if (!slashes || !url_split(url, &parts))
        return error_set(err, ERROR_CONFIG, "webhook.url is not a URL such as https://host/path");
    bool ok = check_parts(&parts, allow_http, err);
    url_parts_done(&parts);
    return ok;
}

static bool set_name(struct webhook *webhook, struct error *err)
{
    struct url_parts parts;
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(webhook->url, strlen(webhook->url), digest, NULL, EVP_sha256(), NULL) != 1)
        return error_set(err, ERROR_FAILED, "SHA-256 is not available");
    if (!url_split(webhook->url, &parts))
        return error_set(err, ERROR_NO_MEMORY, "no memory for the webhook's name");
    int len = snprintf(webhook->name, sizeof webhook->name, "%s#", parts.host);
    for (int i = 0; i < FINGERPRINT_BYTES; i++)
        len += snprintf(webhook->name + len, sizeof webhook->name - (size_t)len, "%02x", digest[i]);
    url_parts_done(&parts);
    return true;
}

struct webhook *webhook_new(struct http *http, const struct config *config, struct error *err)
{
    if (config->webhook_url == NULL) {
        error_set(err, ERROR_CONFIG, "webhook.url is required");
        return NULL;
    }
    if (!webhook_url_check(config->webhook_url, config->webhook_allow_http, err))
        return NULL;
    struct webhook *webhook = calloc(1, sizeof *webhook);
    if (webhook == NULL) {
        error_set(err, ERROR_NO_MEMORY, "no memory for the webhook");
        return NULL;
    }
    webhook->http = http;
    webhook->url = config->webhook_url;
    webhook->endpoint = (struct http_endpoint){
        .ca_file = config->webhook_ca_file,
        .timeout_ms = config->webhook_timeout,
        .response_max = (size_t)config->webhook_response_max,
        .http_allowed = true, /* where it may be: checked above */
        .connections_max = (long)config->webhook_concurrency,
    };
    if (set_name(webhook, err))
        return webhook;
    webhook_free(webhook);
    return NULL;
}

void webhook_free(struct webhook *webhook)
{
    free(webhook);
}

const char *webhook_name(const struct webhook *webhook)
{
    return webhook->name;
}

struct http_request *webhook_post(struct webhook *webhook, const char *id, int attempt,
                                  const char *body, size_t body_len, http_done *done, void *context,
                                  struct error *err)
{
    char id_header[HEADER_MAX], key_header[HEADER_MAX], attempt_header[HEADER_MAX];
    snprintf(id_header, sizeof id_header, "webhook-id: %s", id);
    int len =
        snprintf(key_header, sizeof key_header, "Idempotency-Key: %s", id); /* the longer one */
    snprintf(attempt_header, sizeof attempt_header, "webhook-attempt: %d", attempt);
    if (len >= HEADER_MAX) {
        error_set(err, ERROR_FAILED, "the webhook-id is longer than a header may be");
        return NULL;
    }
    const char *headers[] = {
        "Content-Type: application/json", id_header, key_header, attempt_header, NULL,
    };
    return http_start(webhook->http, &webhook->endpoint, "POST", webhook->url, headers, body,
                      body_len, done, context, err);
}
