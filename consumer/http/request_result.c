/* request_result: what a finished request came to. */
#include "http/http_client_internal.h"

#include "http/retry_after.h"
#include "sys/clock.h"

#include <stdlib.h>

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

/* libcurl's text for the code. Its error buffer may hold parts of the URL. */
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

/* The longest wait of all such headers: a proxy may have added its own. libcurl's own parser cannot
 * tell a delay of 0 from an invalid value or a date in the past. */
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
    result.request = request;
    if (status < 300)
        result.has_captcha = http_result_header(&result, "SG-Captcha") != NULL ||
                             http_result_header(&result, "cf-mitigated") != NULL;
    else
        read_retry_after(request->easy, &result);
    if (status >= 300 && status < 400)
        curl_easy_getinfo(request->easy, CURLINFO_REDIRECT_URL, &result.redirect);
    return result;
}
