/* request_network: the network between: which proxy, which certificates, which TLS, which IP. */
#include "http/http_client_internal.h"

/* The environment has no say: http_proxy would show an unencrypted request, URL and all, to another
 * host, and no_proxy would go past the proxy that was configured. libcurl reads the environment for
 * whatever is not set. */
static bool set_proxy(struct http_request *request, const struct http_endpoint *endpoint)
{
    CURL *easy = request->easy;
    const char *proxy = endpoint->proxy != NULL ? endpoint->proxy : "";
    if (request->held.proxy == NULL &&
        (curl_easy_setopt(easy, CURLOPT_NOPROXY, "") != CURLE_OK ||
         curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC) != CURLE_OK ||
         curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) != CURLE_OK ||
         curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L) != CURLE_OK ||
         /* Our headers are for the endpoint alone. */
         curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) != CURLE_OK))
        return false;
    return http_request_set_text(easy, CURLOPT_PROXY, &request->held.proxy, proxy) &&
           http_request_set_text(easy, CURLOPT_PROXYUSERNAME, &request->held.proxy_user,
                                 endpoint->proxy_user) &&
           http_request_set_text(easy, CURLOPT_PROXYPASSWORD, &request->held.proxy_password,
                                 endpoint->proxy_password);
}

/* An endpoint with a file of its own trusts nothing else: libcurl would also read the system's
 * directory. Without a file, the defaults are set again. */
static bool set_trust(struct http_request *request, const char *ca_file)
{
    CURL *easy = request->easy;
    char *file = NULL, *directory = NULL;
    if (http_request_holds(request->held.ca_file, ca_file))
        return true;
    if (ca_file == NULL) {
        curl_easy_getinfo(easy, CURLINFO_CAINFO, &file);
        curl_easy_getinfo(easy, CURLINFO_CAPATH, &directory);
    }
    return curl_easy_setopt(easy, CURLOPT_CAPATH, directory) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file != NULL ? ca_file : file) == CURLE_OK &&
           http_request_hold(&request->held.ca_file, ca_file);
}

static bool set_blob(CURL *easy, CURLoption option, char *data, size_t len)
{
    struct curl_blob blob = {.data = data, .len = len, .flags = CURL_BLOB_COPY};
    return curl_easy_setopt(easy, option, data != NULL ? &blob : NULL) == CURLE_OK;
}

/* By their bytes: connections with other ones are not used again. */
static bool set_identity(struct http_request *request, const struct client_identity *identity)
{
    static const struct client_identity none;
    CURL *easy = request->easy;
    if (identity == NULL)
        identity = &none;
    if (identity->number == request->held.identity)
        return true;
    request->held.identity = identity->number;
    return set_blob(easy, CURLOPT_SSLCERT_BLOB, identity->certificate, identity->certificate_len) &&
           set_blob(easy, CURLOPT_SSLKEY_BLOB, identity->key, identity->key_len);
}

/* libcurl calls it for each connection, before its handshake. */
static CURLcode on_context(CURL *easy, void *ssl_ctx, void *userdata)
{
    struct http_request *request = userdata;
    (void)easy;
    return handshake_watch(&request->handshake, ssl_ctx) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* A failure has fewer words when libcurl's TLS is not OpenSSL. */
static bool watch_handshakes(struct http_request *request)
{
    CURL *easy = request->easy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
    if (code == CURLE_UNKNOWN_OPTION || code == CURLE_NOT_BUILT_IN)
        return true;
    return code == CURLE_OK && curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, request) == CURLE_OK;
}

static bool set_tls(struct http_request *request, enum http_tls_min least)
{
    static const long versions[] = {
        [HTTP_TLS_1_2] = CURL_SSLVERSION_TLSv1_2, [HTTP_TLS_1_3] = CURL_SSLVERSION_TLSv1_3};
    request->held.tls_min = least;
    return curl_easy_setopt(request->easy, CURLOPT_SSLVERSION, versions[least]) == CURLE_OK;
}

static bool set_ip(struct http_request *request, enum http_ip ip)
{
    static const long versions[] = {[HTTP_IP_ANY] = CURL_IPRESOLVE_WHATEVER,
                                    [HTTP_IP_4] = CURL_IPRESOLVE_V4,
                                    [HTTP_IP_6] = CURL_IPRESOLVE_V6};
    request->held.ip = ip;
    return curl_easy_setopt(request->easy, CURLOPT_IPRESOLVE, versions[ip]) == CURLE_OK;
}

bool http_request_set_network(struct http_request *request, const struct http_endpoint *endpoint)
{
    bool is_new = request->held.proxy == NULL;
    return (!is_new || watch_handshakes(request)) && set_proxy(request, endpoint) &&
           set_trust(request, endpoint->ca_file) && set_identity(request, endpoint->identity) &&
           (!(is_new || request->held.tls_min != endpoint->tls_min) ||
            set_tls(request, endpoint->tls_min)) &&
           (request->held.ip == endpoint->ip || set_ip(request, endpoint->ip));
}
