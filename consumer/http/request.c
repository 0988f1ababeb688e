/* request: options, limits and the result of one request.
 *
 * What never changes is set once, in http_request_new. What depends on the endpoint is compared, by
 * value, with what the handle holds, and set where it differs: no credential of one endpoint may
 * stay behind for the next, and setting it all each time costs 2 % of a request's instructions. */
#include "http/http_client_internal.h"
#include "http/trace.h"

#include "http/retry_after.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    RESPONSE_HEADERS_MAX = 64 * 1024, /* libcurl 7.88 has no limit of its own, nor for 1xx */
    REQUEST_HEADERS_MAX = 16 * 1024,
    STATUS_FINAL = 200,        /* the least status that is no 1xx */
    BODY_KEPT_MAX = 64 * 1024, /* memory an idle handle may keep for the next answer */
};

/* Below common idle timeouts of servers, so that a connection is rarely used just as it is closed.
 */
static const long CONNECTION_IDLE_MAX_S = 20;
static const long CONNECTION_LIFE_MAX_S = 600; /* follows DNS changes */
static const int64_t RETRY_AFTER_MAX_MS = INT64_C(6) * 3600 * 1000;

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
    /* A look-up that outlives its request ends in its own thread: else libcurl would wait for it,
     * and the whole loop with it, for as long as a dead name server takes. */
    ok &= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK;
    /* A proxy from the environment would be shown the secret URL, or could be used to catch it. */
    ok &= curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
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
    return ok;
}

struct http_request *http_request_new(struct http *http)
{
    struct http_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->http = http;
    buf_init(&request->header_text, REQUEST_HEADERS_MAX);
    request->easy = curl_easy_init();
    if (request->easy == NULL || !set_transport(request->easy) ||
        !set_callbacks(request->easy, request) || !http_trace_set(request)) {
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
    buf_done(&request->header_text);
    buf_done(&request->body);
    free(request->url);
    free(request->ca_file);
    free(request->user);
    free(request->password);
    free(request->token);
    free(request);
}

bool http_url_check(const char *url, bool http_allowed, struct error *err)
{
    char *scheme = NULL;
    CURLU *parsed = curl_url();
    if (parsed == NULL)
        return error_set(err, ERROR_NO_MEMORY, "no memory for a URL");
    bool ok = curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;
    if (!ok)
        error_set(err, ERROR_CONFIG, "not a URL");
    else if (strcmp(scheme, "https") != 0 && !(http_allowed && strcmp(scheme, "http") == 0))
        ok = error_set(err, ERROR_CONFIG, "the URL must begin with %s",
                       http_allowed ? "https:// or http://" : "https://");
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return ok;
}

/* Makes *held, the handle's value of a text option, the same as `text`. */
static bool hold(char **held, const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    if (text != NULL && copy == NULL)
        return false;
    free(*held);
    *held = copy;
    return true;
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Parsing a URL costs more than comparing it, and nearly every request goes where the last one
 * went. */
static bool set_url(struct http_request *request, const char *url, bool http_allowed,
                    struct error *err)
{
    if (is_same(request->url, url) && request->url_http_allowed == http_allowed)
        return true;
    if (!http_url_check(url, http_allowed, err))
        return false;
    const char *protocols = http_allowed ? "https,http" : "https";
    if (curl_easy_setopt(request->easy, CURLOPT_PROTOCOLS_STR, protocols) != CURLE_OK ||
        curl_easy_setopt(request->easy, CURLOPT_URL, url) != CURLE_OK || !hold(&request->url, url))
        return error_set(err, ERROR_NO_MEMORY, "no memory for a URL");
    request->url_http_allowed = http_allowed;
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
    if (!add_header(request, &count, "Expect:", err)) /* none: it costs a round trip or a second */
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

static bool set_text(CURL *easy, CURLoption option, char **held, const char *text)
{
    return is_same(*held, text) ||
           (curl_easy_setopt(easy, option, text) == CURLE_OK && hold(held, text));
}

static bool set_credentials(struct http_request *request, const struct http_endpoint *endpoint,
                            struct error *err)
{
    if (endpoint->token != NULL && !is_one_line(endpoint->token))
        return error_set(err, ERROR_CONFIG, "the bearer token holds a line break");
    CURL *easy = request->easy;
    long method = (long)(endpoint->token != NULL ? CURLAUTH_BEARER : CURLAUTH_BASIC);
    return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, method) == CURLE_OK &&
           set_text(easy, CURLOPT_XOAUTH2_BEARER, &request->token, endpoint->token) &&
           set_text(easy, CURLOPT_USERNAME, &request->user, endpoint->user) &&
           set_text(easy, CURLOPT_PASSWORD, &request->password, endpoint->password);
}

/* With a file of its own, an endpoint trusts nothing else: libcurl would still look into the
 * system's directory. Without one, the defaults come back. */
static bool set_trust(struct http_request *request, const char *ca_file)
{
    CURL *easy = request->easy;
    char *file = NULL, *directory = NULL;
    if (is_same(request->ca_file, ca_file))
        return true;
    if (ca_file == NULL) {
        curl_easy_getinfo(easy, CURLINFO_CAINFO, &file);
        curl_easy_getinfo(easy, CURLINFO_CAPATH, &directory);
    }
    return curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file != NULL ? ca_file : file) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CAPATH, directory) == CURLE_OK &&
           hold(&request->ca_file, ca_file);
}

static bool set_endpoint(struct http_request *request, const struct http_endpoint *endpoint,
                         struct error *err)
{
    /* Only for connecting, where libcurl shares it out among a host's addresses. The limit of the
     * whole attempt is http_client.c's; it bounds a slow or dripping answer, too. (LOW_SPEED limits
     * would only cut off receivers that think for long before they answer.) */
    long timeout_ms = (long)endpoint->timeout_ms;
    return curl_easy_setopt(request->easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms) == CURLE_OK &&
           set_trust(request, endpoint->ca_file) && set_credentials(request, endpoint, err);
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

/* libcurl has one code for its limit of a header's line (100 KiB) and for no memory. Where as much
 * can be had, it was the limit. */
static bool is_line_too_long(const struct http_request *request, CURLcode code)
{
    enum { PROBE = 256 * 1024 };
    if (code != CURLE_OUT_OF_MEMORY || request->sends == 0)
        return false;
    void *volatile probe = malloc(PROBE); /* volatile: not to be optimized away */
    bool had = probe != NULL;
    free(probe);
    return had;
}

static enum response_failure kind_of(const struct http_request *request, CURLcode code)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return FAILURE_TIMEOUT;
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE: return request->sends > 0 ? FAILURE_CLOSED : FAILURE_NETWORK;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return FAILURE_TLS;
    case CURLE_OUT_OF_MEMORY:
        return is_line_too_long(request, code) ? FAILURE_BAD_ANSWER : FAILURE_LOCAL;
    case CURLE_FAILED_INIT: return FAILURE_LOCAL;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT: return FAILURE_NETWORK;
    default: return request->sends > 0 ? FAILURE_BAD_ANSWER : FAILURE_NETWORK;
    }
}

/* libcurl's own words, never its error buffer: that one may hold parts of the URL. */
static const char *failure_of(const struct http_request *request, CURLcode code)
{
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return "connection closed by the endpoint before an answer";
    if ((code == CURLE_WRITE_ERROR && request->headers_cut) || is_line_too_long(request, code))
        return "the answer's headers are too large";
    if (code == CURLE_WEIRD_SERVER_REPLY ||
        (code == CURLE_UNSUPPORTED_PROTOCOL && request->sends > 0))
        return "the answer is not HTTP";
    if (code == CURLE_OK)
        return "the answer has no status";
    if (code == CURLE_OPERATION_TIMEDOUT)
        return request->sends > 0 ? "sent, and not answered within the time limit"
                                  : "no connection within the time limit";
    return curl_easy_strerror(code);
}

/* A connection that had been used before and closes without a byte was idle, most often, and the
 * endpoint never saw the request; libcurl says so by sending it again (before_send ends that). */
static bool is_maybe_taken(const struct http_request *request, enum response_failure kind)
{
    long connections = 0;
    if (kind == FAILURE_TIMEOUT)
        return request->sends > 0;
    if (kind != FAILURE_CLOSED || request->sends > 1)
        return false;
    curl_easy_getinfo(request->easy, CURLINFO_NUM_CONNECTS, &connections);
    return connections > 0 || request->header_bytes > 0;
}

/* Of several, the one that asks for the longest wait: a proxy may have added its own. libcurl's own
 * reading cannot tell no delay from nonsense, nor a date in the past. */
static void read_retry_after(CURL *easy, struct http_result *result)
{
    struct curl_header *header;
    for (size_t i = 0;
         curl_easy_header(easy, "Retry-After", i, CURLH_HEADER, -1, &header) == CURLHE_OK; i++) {
        int64_t wait_ms = retry_after_ms(header->value, clock_wall_ms() / 1000, RETRY_AFTER_MAX_MS);
        result->has_retry_after = true;
        if (wait_ms > result->retry_after_ms)
            result->retry_after_ms = wait_ms;
    }
}

/* Whether all of the answer came that was to be read. */
static bool is_whole(const struct http_request *request, CURLcode code)
{
    return code == CURLE_OK || (code == CURLE_WRITE_ERROR && request->body_cut);
}

struct http_result http_request_result(struct http_request *request, CURLcode code)
{
    struct http_result result = {.body = "", .failure = "", .retry_after_ms = -1};
    bool whole = is_whole(request, code);
    long status = 0;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!whole && status < STATUS_FINAL)
        status = 0; /* of a 1xx: the answer itself was still to come */
    if (!whole || status == 0) {
        result.failure = failure_of(request, code);
        result.kind = kind_of(request, code);
    }
    if (status == 0) {
        result.maybe_taken = is_maybe_taken(request, result.kind);
        return result;
    }
    *(whole ? &result.status : &result.begun_status) = (int)status;
    result.body = buf_text(&request->body);
    result.body_len = buf_ok(&request->body) ? request->body.len : 0;
    result.body_cut = request->body_cut || !whole;
    if (status >= 300)
        read_retry_after(request->easy, &result);
    if (status >= 300 && status < 400)
        curl_easy_getinfo(request->easy, CURLINFO_REDIRECT_URL, &result.redirect);
    return result;
}
