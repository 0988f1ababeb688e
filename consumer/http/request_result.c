/* request_result: the result of a finished request. */
#include "http/http_client_internal.h"

#include "base/slice.h"
#include "http/headers/retry_after.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_FINAL = 200 /* the first status after the 1xx */ };

static const int64_t RETRY_AFTER_MAX_MS = INT64_C(6) * 3600 * 1000;

/* libcurl before 8.6 has one code for its limit of a header's line (100 KiB) and for no memory.
 * Where memory can be allocated, it was the limit. Later ones have CURLE_TOO_LARGE. */
static bool is_line_too_long(const struct http_request *request, CURLcode code)
{
    enum { PROBE = 256 * 1024, TOO_LARGE = 100 };
    if ((int)code == TOO_LARGE)
        return request->sends > 0;
    if (code != CURLE_OUT_OF_MEMORY || request->sends == 0)
        return false;
    void *volatile probe = malloc(PROBE); /* volatile: not to be optimized away */
    bool had = probe != NULL;
    free(probe);
    return had;
}

/* Says so after the request was sent, with TLS 1.3; it was not processed all the same. */
static bool wants_certificate(const struct http_request *request, CURLcode code)
{
    return code != CURLE_OPERATION_TIMEDOUT && request->header_bytes == 0 &&
           handshake_wants_certificate(&request->handshake);
}

/* The failure is the proxy's own. */
static bool is_proxys(const struct http_request *request, CURLcode code)
{
    long answered = 0;
    if (request->held.proxy == NULL || *request->held.proxy == '\0' || request->sends > 0)
        return false;
    curl_easy_getinfo(request->easy, CURLINFO_HTTP_CONNECTCODE, &answered);
    if (code == CURLE_OUT_OF_MEMORY || code == CURLE_FAILED_INIT)
        return false;
    return code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT ||
           answered >= 300 || (answered == 0 && code != CURLE_OPERATION_TIMEDOUT);
}

static enum response_failure kind_of(const struct http_request *request, CURLcode code)
{
    if (wants_certificate(request, code))
        return FAILURE_TLS;
    if (is_proxys(request, code))
        return FAILURE_PROXY;
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
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_ISSUER_ERROR: return FAILURE_TLS;
    case CURLE_OUT_OF_MEMORY:
        return is_line_too_long(request, code) ? FAILURE_BAD_ANSWER : FAILURE_LOCAL;
    case CURLE_FAILED_INIT: return FAILURE_LOCAL;
    case CURLE_COULDNT_RESOLVE_HOST: return FAILURE_DNS;
    case CURLE_COULDNT_CONNECT: return FAILURE_NETWORK;
    default: return request->sends > 0 ? FAILURE_BAD_ANSWER : FAILURE_NETWORK;
    }
}

/* ---- the cause in words ---- */

static bool is_https(const struct http_request *request)
{
    return has_prefix_any_case(request->held.url, "https:");
}

static void proxy_words(const struct http_request *request, CURLcode code, char *text, size_t size)
{
    enum { WANTS_LOGIN = 407, REFUSES_LOGIN = 401 /* tinyproxy */ };
    long answered = 0, refused = 0;
    curl_easy_getinfo(request->easy, CURLINFO_HTTP_CONNECTCODE, &answered);
    curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &refused);
    if (code == CURLE_COULDNT_RESOLVE_PROXY)
        snprintf(text, size, "the proxy's name has no address in DNS");
    else if (code == CURLE_COULDNT_CONNECT)
        snprintf(text, size, "the proxy cannot be reached: %s",
                 refused != 0 ? strerror((int)refused) : "no connection");
    else if ((answered == WANTS_LOGIN || answered == REFUSES_LOGIN) &&
             request->held.proxy_user != NULL)
        snprintf(text, size, "the proxy refuses proxy_user and proxy_password (%ld)", answered);
    else if (answered == WANTS_LOGIN)
        snprintf(text, size, "the proxy wants credentials (407): proxy_user and proxy_password");
    else if (answered >= 500)
        snprintf(text, size, "the proxy cannot reach the endpoint: it answers CONNECT with %ld",
                 answered);
    else if (answered >= 300)
        snprintf(text, size, "the proxy refuses to CONNECT to the endpoint: it answers %ld",
                 answered);
    else
        snprintf(text, size, "the proxy gives no answer to CONNECT: is it an HTTP proxy?");
}

static const char *no_address(enum http_ip ip)
{
    switch (ip) {
    case HTTP_IP_4: return "the host's name has no IPv4 address in DNS (ip)";
    case HTTP_IP_6: return "the host's name has no IPv6 address in DNS (ip)";
    default: return "the host's name has no address in DNS, or DNS does not answer";
    }
}

static void connect_words(const struct http_request *request, char *text, size_t size)
{
    long cause = 0;
    curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &cause);
    if (cause == ECONNREFUSED)
        snprintf(text, size, "connection refused: nothing listens on that port of the host");
    else
        snprintf(text, size, "no connection to the host%s%s", cause != 0 ? ": " : "",
                 cause != 0 ? strerror((int)cause) : "");
}

/* OpenSSL's names for bytes that are no TLS record. */
static bool is_no_tls(const struct http_request *request)
{
    return strstr(request->curl_error, "wrong version number") != NULL ||
           strstr(request->curl_error, "packet length too long") != NULL;
}

static bool tls_words(const struct http_request *request, CURLcode code, char *text, size_t size)
{
    static const char *const versions[] = {[HTTP_TLS_1_2] = "1.2", [HTTP_TLS_1_3] = "1.3"};
    const char *least = versions[request->held.tls_min];
    const struct handshake *h = &request->handshake;
    if (is_no_tls(request))
        snprintf(text, size, "the port does not speak TLS: it may be one for http://");
    else if (strstr(request->curl_error, "unsupported protocol") != NULL)
        snprintf(text, size, "no TLS version in common: here TLS %s is the least (tls_min)", least);
    else if (code == CURLE_PEER_FAILED_VERIFICATION && h->verified && h->verify_error == 0)
        snprintf(text, size, "the endpoint's certificate is for %s, not for the URL's host",
                 *h->names != '\0' ? h->names : "another name");
    else
        return handshake_words(h, request->held.identity != 0, least, text, size);
    return true;
}

/* libcurl's own text is that of the code: its error buffer may hold parts of the URL. */
static void other_words(const struct http_request *request, CURLcode code, char *text, size_t size)
{
    /* A server that speaks TLS ends, or answers in TLS. One that misses a certificate says so in an
     * alert, which the connection's end may overtake. */
    long connections = 0;
    curl_easy_getinfo(request->easy, CURLINFO_NUM_CONNECTS, &connections);
    const char *hint = connections == 0 || request->sends > 1 ? ""
                       : !is_https(request)                   ? "; a port for https:// would do so"
                       : !request->handshake.asked_for_certificate ? ""
                       : request->held.identity != 0
                           ? "; it may refuse our client certificate, which it had asked for"
                           : "; it had asked for a client certificate (cert_file, key_file)";
    bool closed = code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR;
    if (code == CURLE_ABORTED_BY_CALLBACK ||
        (closed && request->sends > 0 && request->header_bytes == 0))
        snprintf(text, size, "connection closed by the endpoint before an answer%s", hint);
    else if ((code == CURLE_WRITE_ERROR && request->headers_cut) || is_line_too_long(request, code))
        snprintf(text, size, "the answer's headers are too large");
    else if (code == CURLE_WEIRD_SERVER_REPLY ||
             (code == CURLE_UNSUPPORTED_PROTOCOL && request->sends > 0))
        snprintf(text, size, "the answer is not HTTP%s", hint);
    else if (code == CURLE_OK)
        snprintf(text, size, "the answer has no status");
    else if (code == CURLE_OPERATION_TIMEDOUT)
        snprintf(text, size, "%s",
                 request->sends > 0 ? "sent, and not answered within the time limit"
                                    : "no connection within the time limit");
    else
        snprintf(text, size, "%s", curl_easy_strerror(code));
}

static const char *failure_of(struct http_request *request, CURLcode code,
                              enum response_failure kind)
{
    char *text = request->failure;
    enum { SIZE = sizeof request->failure };
    if (is_proxys(request, code))
        proxy_words(request, code, text, SIZE);
    else if (code == CURLE_COULDNT_RESOLVE_HOST)
        snprintf(text, SIZE, "%s", no_address(request->held.ip));
    else if (code == CURLE_COULDNT_CONNECT)
        connect_words(request, text, SIZE);
    else if (kind != FAILURE_TLS || !tls_words(request, code, text, SIZE))
        other_words(request, code, text, SIZE);
    return text;
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

/* The longest wait of all headers of a name: a proxy may have added its own. libcurl's own parser
 * cannot tell a delay of 0 from an invalid value or a date in the past. -1: none is valid. */
static int64_t read_waits(CURL *easy, const char *name,
                          int64_t (*parse)(const char *value, int64_t now_s, int64_t cap_ms))
{
    struct curl_header *header;
    int64_t longest_ms = -1, now_s = clock_wall_ms() / 1000;
    for (size_t i = 0; curl_easy_header(easy, name, i, CURLH_HEADER, -1, &header) == CURLHE_OK;
         i++) {
        int64_t wait_ms = parse(header->value, now_s, RETRY_AFTER_MAX_MS);
        longest_ms = wait_ms > longest_ms ? wait_ms : longest_ms;
    }
    return longest_ms;
}

/* Some is left of another limit than the one that refused: its reset says nothing. */
static bool some_is_left(CURL *easy)
{
    static const char *const names[] = {"X-RateLimit-Remaining", "RateLimit-Remaining"};
    struct curl_header *header;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (curl_easy_header(easy, names[i], 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
            strtod(header->value, NULL) >= 1)
            return true;
    return false;
}

/* Milliseconds first, since they are more exact; the reset of a limit only where nothing better is
 * said. */
static void read_retry_after(CURL *easy, long status, struct http_result *result)
{
    static const char *const milliseconds[] = {"Retry-After-Ms", "X-Ms-Retry-After-Ms"};
    static const char *const resets[] = {"RateLimit-Reset", "X-RateLimit-Reset-After",
                                         "X-RateLimit-Reset", "X-Rate-Limit-Reset"};
    struct curl_header *header;
    int64_t wait_ms = -1;
    for (size_t i = 0; i < sizeof milliseconds / sizeof *milliseconds && wait_ms < 0; i++)
        wait_ms = read_waits(easy, milliseconds[i], retry_after_ms_in_ms);
    if (wait_ms < 0)
        wait_ms = read_waits(easy, "Retry-After", retry_after_ms);
    for (size_t i = 0; i < sizeof resets / sizeof *resets && wait_ms < 0; i++)
        if (status == 429 && !some_is_left(easy))
            wait_ms = read_waits(easy, resets[i], retry_after_ms);
    result->retry_after_ms = wait_ms;
    result->has_retry_after = wait_ms >= 0 || curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER,
                                                               -1, &header) == CURLHE_OK;
}

const char *http_result_header(const struct http_result *result, const char *name)
{
    struct curl_header *header;
    bool found =
        result->request != NULL &&
        curl_easy_header(result->request->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK;
    return found ? header->value : NULL;
}

/* True: the whole answer has come, up to the limit of its body. */
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
        status = 0; /* a 1xx: the final answer has not come */
    if (!whole || status == 0) {
        result.kind = kind_of(request, code);
        result.failure = failure_of(request, code, result.kind);
    }
    if (status == 0) {
        result.maybe_taken = is_maybe_taken(request, result.kind);
        return result;
    }
    *(whole ? &result.status : &result.begun_status) = (int)status;
    result.body = buf_text(&request->body);
    result.body_len = buf_ok(&request->body) ? request->body.len : 0;
    result.body_cut = request->body_cut || !whole;
    result.request = request;
    if (status < 300)
        result.has_captcha = http_result_header(&result, "SG-Captcha") != NULL ||
                             http_result_header(&result, "cf-mitigated") != NULL;
    else
        read_retry_after(request->easy, status, &result);
    if (status >= 300 && status < 400)
        curl_easy_getinfo(request->easy, CURLINFO_REDIRECT_URL, &result.redirect);
    return result;
}
