/* request: options and limits of one request.
 *
 * Constant options are set once, in http_request_new. Those of the endpoint are compared, by value,
 * with the handle's, and set where they differ: no credential of one endpoint may stay for the
 * next, and setting all of them each time costs 2 % of a request's instructions. */
#include "http/http_client_internal.h"

#include "sys/log.h"

#include <stdlib.h>
#include <string.h>

enum {
    RESPONSE_HEADERS_MAX = 64 * 1024, /* libcurl 7.88 has no limit of its own, nor for 1xx */
    REQUEST_HEADERS_MAX = 16 * 1024,
    BODY_KEPT_MAX = 64 * 1024, /* memory an idle handle may keep for the next answer */
};

/* Below the common idle timeouts of servers: a connection is rarely used just as it is closed. */
static const long CONNECTION_IDLE_MAX_S = 20;
static const long CONNECTION_LIFE_MAX_S = 600; /* follows DNS changes */

/* Called before each time libcurl sends the request. When a reused connection is closed without an
 * answer, libcurl would send it again by itself, up to five times: the receiver may see a POST
 * twice in one attempt. GET may be repeated. */
static int before_send(void *userdata, char *remote_ip, char *local_ip, int remote_port,
                       int local_port)
{
    (void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
    struct http_request *request = userdata;
    request->sends++;
    return request->is_post && request->sends > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t take_header(char *data, size_t size, size_t count, void *userdata)
{
    (void)data;
    struct http_request *request = userdata;
    request->header_bytes += size * count;
    request->headers_cut = request->header_bytes > RESPONSE_HEADERS_MAX;
    return request->headers_cut ? 0 : size * count;
}

static size_t take_body(char *data, size_t size, size_t count, void *userdata)
{
    struct http_request *request = userdata;
    size_t len = size * count;
    size_t room = request->body.limit - request->body.len;
    buf_add(&request->body, data, len < room ? len : room);
    request->body_cut = len > room || !buf_ok(&request->body);
    return request->body_cut ? 0 : len; /* less than len ends the transfer */
}

static bool set_transport(CURL *easy)
{
    bool ok = true;
    ok &= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    /* A look-up that outlives its request ends in its own thread: libcurl would wait for it, and
     * the whole loop with it, for as long as a dead name server takes. */
    ok &= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, CONNECTION_IDLE_MAX_S) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFE_MAX_S) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_USERAGENT, "elementor-sync/" ELEMENTOR_SYNC_VERSION) ==
          CURLE_OK;
    return ok;
}

static bool set_callbacks(CURL *easy, struct http_request *request)
{
    bool ok = true;
    ok &= curl_easy_setopt(easy, CURLOPT_PRIVATE, request) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_send) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_PREREQDATA, request) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_HEADERDATA, request) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_WRITEDATA, request) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->curl_error) == CURLE_OK;
    return ok;
}

/* --- libcurl's messages, in our log at debug --- */

static bool holds(const char *line, const char *secret)
{
    return secret != NULL && *secret != '\0' && strstr(line, secret) != NULL;
}

/* The part of the URL behind its host, which is secret: it is the webhook's key. */
static const char *behind_host(const char *url)
{
    const char *host = url != NULL ? strstr(url, "://") : NULL;
    const char *path = host != NULL ? host + 3 + strcspn(host + 3, "/?#") : NULL;
    return path != NULL && path[0] != '\0' && path[1] != '\0' ? path + 1 : NULL;
}

/* Headers, bodies and lines with a secret are left out. */
static int on_line(CURL *easy, curl_infotype type, char *data, size_t size, void *context)
{
    const struct http_request *request = context;
    enum { LINE_MAX_BYTES = 400 };
    char line[LINE_MAX_BYTES];
    (void)easy;
    if (type != CURLINFO_TEXT || size >= sizeof line)
        return 0;
    memcpy(line, data, size);
    line[size] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    if (!holds(line, behind_host(request->held.url)) && !holds(line, request->held.user) &&
        !holds(line, request->held.password) && !holds(line, request->held.token) &&
        !holds(line, request->held.proxy_user) && !holds(line, request->held.proxy_password))
        log_debug("libcurl", LOG_S("text", line));
    return 0;
}

static bool set_trace(struct http_request *request)
{
    CURL *easy = request->easy;
    return !log_is_on(LOG_DEBUG) ||
           (curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_line) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_DEBUGDATA, request) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L) == CURLE_OK);
}

/* --- life --- */

struct http_request *http_request_new(struct http *http)
{
    struct http_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->http = http;
    buf_init(&request->header_text, REQUEST_HEADERS_MAX);
    request->easy = curl_easy_init();
    if (request->easy == NULL || !set_transport(request->easy) ||
        !set_callbacks(request->easy, request) || !set_trace(request)) {
        http_request_free(request);
        return NULL;
    }
    return request;
}

void http_request_free(struct http_request *request)
{
    if (request == NULL)
        return;
    curl_easy_cleanup(request->easy);
    curl_url_cleanup(request->held.parts);
    handshake_reset(&request->handshake);
    buf_done(&request->header_text);
    buf_done(&request->body);
    free(request->held.url);
    free(request->held.ca_file);
    free(request->held.user);
    free(request->held.password);
    free(request->held.token);
    free(request->held.proxy);
    free(request->held.proxy_user);
    free(request->held.proxy_password);
    free(request);
}

/* Its parts, for the caller's curl_url_cleanup; NULL: it may not be used. */
static CURLU *parse_url(const char *url, bool http_allowed, struct error *err)
{
    char *scheme = NULL;
    CURLU *parsed = curl_url();
    if (parsed == NULL) {
        error_no_memory(err);
        return NULL;
    }
    bool ok = curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;
    if (!ok)
        error_set(err, ERROR_CONFIG, "not a URL");
    else if (strcmp(scheme, "https") != 0 && !(http_allowed && strcmp(scheme, "http") == 0))
        ok = error_set(err, ERROR_CONFIG, "the URL must begin with %s",
                       http_allowed ? "https:// or http://" : "https://");
    curl_free(scheme);
    if (ok)
        return parsed;
    curl_url_cleanup(parsed);
    return NULL;
}

bool http_url_check(const char *url, bool http_allowed, struct error *err)
{
    CURLU *parts = parse_url(url, http_allowed, err);
    curl_url_cleanup(parts);
    return parts != NULL;
}

/* Parsing a URL costs more than comparing it, and nearly every request has the URL of the last one.
 * CURLOPT_URL too: libcurl would take a former one for what was redirected. */
static bool set_url(struct http_request *request, const char *url, bool http_allowed,
                    struct error *err)
{
    if (http_request_holds(request->held.url, url) &&
        request->held.url_http_allowed == http_allowed)
        return true;
    CURLU *parts = parse_url(url, http_allowed, err);
    if (parts == NULL)
        return false;
    const char *protocols = http_allowed ? "https,http" : "https";
    if (curl_easy_setopt(request->easy, CURLOPT_PROTOCOLS_STR, protocols) != CURLE_OK ||
        curl_easy_setopt(request->easy, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(request->easy, CURLOPT_CURLU, parts) != CURLE_OK ||
        !http_request_hold(&request->held.url, url)) {
        curl_easy_setopt(request->easy, CURLOPT_CURLU, NULL);
        curl_url_cleanup(parts);
        return error_no_memory(err);
    }
    curl_url_cleanup(request->held.parts);
    request->held.parts = parts;
    request->held.url_http_allowed = http_allowed;
    return true;
}

/* libcurl sends headers verbatim: a line break in one would begin another. */
static bool is_one_line(const char *text)
{
    return strchr(text, '\n') == NULL && strchr(text, '\r') == NULL;
}

static bool add_header(struct http_request *request, size_t *count, const char *header,
                       struct error *err)
{
    if (*count > HTTP_HEADERS_MAX)
        return error_set(err, ERROR_FAILED, "more than %d request headers", HTTP_HEADERS_MAX);
    if (!is_one_line(header) || strchr(header, ':') == NULL)
        return error_set(err, ERROR_FAILED, "a request header holds a line break or no colon");
    buf_add(&request->header_text, header, strlen(header) + 1);
    ++*count;
    return true;
}

/* The list is linked by hand: libcurl only reads it, and one buffer spares two allocations a
 * header. */
static bool set_headers(struct http_request *request, const char *const *headers, struct error *err)
{
    size_t count = 0;
    buf_reset(&request->header_text);
    if (!add_header(request, &count,
                    "Expect:", err)) /* without Expect: it costs a round trip or a second */
        return false;
    for (const char *const *header = headers; header != NULL && *header != NULL; header++)
        if (!add_header(request, &count, *header, err))
            return false;
    if (!buf_ok(&request->header_text))
        return error_set(err, ERROR_FAILED, "request headers of more than %d bytes",
                         REQUEST_HEADERS_MAX);
    char *text = request->header_text.data;
    for (size_t i = 0; i < count; i++) {
        request->headers[i].data = text;
        request->headers[i].next = i + 1 < count ? &request->headers[i + 1] : NULL;
        text += strlen(text) + 1;
    }
    return curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers) == CURLE_OK;
}

static bool set_credentials(struct http_request *request, const struct http_endpoint *endpoint,
                            struct error *err)
{
    if (endpoint->token != NULL && !is_one_line(endpoint->token))
        return error_set(err, ERROR_CONFIG, "the bearer token holds a line break");
    CURL *easy = request->easy;
    long method = (long)(endpoint->token != NULL ? CURLAUTH_BEARER : CURLAUTH_BASIC);
    return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, method) == CURLE_OK &&
           http_request_set_text(easy, CURLOPT_XOAUTH2_BEARER, &request->held.token,
                                 endpoint->token) &&
           http_request_set_text(easy, CURLOPT_USERNAME, &request->held.user, endpoint->user) &&
           http_request_set_text(easy, CURLOPT_PASSWORD, &request->held.password,
                                 endpoint->password);
}

static bool set_endpoint(struct http_request *request, const struct http_endpoint *endpoint,
                         struct error *err)
{
    /* Only for connecting, where libcurl divides it among a host's addresses. The limit of the
     * whole attempt is http_client.c's; it bounds a slow or dripping answer, too. (LOW_SPEED limits
     * would only cut off receivers that need long before they answer.) */
    long timeout_ms = (long)endpoint->timeout_ms;
    return curl_easy_setopt(request->easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms) == CURLE_OK &&
           http_request_set_network(request, endpoint) && set_credentials(request, endpoint, err);
}

static bool set_method(struct http_request *request, const char *method, const char *body,
                       size_t body_len, struct error *err)
{
    CURL *easy = request->easy;
    request->is_post = strcmp(method, "POST") == 0;
    if (!request->is_post && strcmp(method, "GET") != 0)
        return error_set(err, ERROR_FAILED, "method %s is not supported", method);
    if (!request->is_post)
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    const char *bytes = body != NULL ? body : ""; /* NULL would make libcurl read standard input */
    bool ok = true;
    ok &= curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body_len) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, bytes) == CURLE_OK;
    return ok;
}

static void forget_answer(struct http_request *request, size_t response_max)
{
    if (request->body.limit != response_max || request->body.cap > BODY_KEPT_MAX) {
        buf_done(&request->body);
        buf_init(&request->body, response_max);
    }
    buf_reset(&request->body);
    handshake_reset(&request->handshake);
    request->curl_error[0] = '\0';
    request->sends = 0;
    request->header_bytes = 0;
    request->body_cut = request->headers_cut = false;
}

bool http_request_prepare(struct http_request *request, const struct http_endpoint *endpoint,
                          const char *method, const char *url, const char *const *headers,
                          const char *body, size_t body_len, struct error *err)
{
    forget_answer(request, endpoint->response_max);
    if (set_url(request, url, endpoint->http_allowed, err) && set_headers(request, headers, err) &&
        set_endpoint(request, endpoint, err) && set_method(request, method, body, body_len, err))
        return true;
    return error_set(err, ERROR_NO_MEMORY, "libcurl refused an option");
}
