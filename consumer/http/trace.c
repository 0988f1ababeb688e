#include "http/trace.h"

#include "sys/log.h"

#include <string.h>

enum { LINE_MAX_BYTES = 400 };

static bool holds(const char *line, const char *secret)
{
    return secret != NULL && *secret != '\0' && strstr(line, secret) != NULL;
}

/* What follows the host: the path is what makes the webhook's URL a secret. */
static const char *behind_host(const char *url)
{
    const char *host = url != NULL ? strstr(url, "://") : NULL;
    const char *path = host != NULL ? host + 3 + strcspn(host + 3, "/?#") : NULL;
    return path != NULL && path[0] != '\0' && path[1] != '\0' ? path + 1 : NULL;
}

static int on_line(CURL *easy, curl_infotype type, char *data, size_t size, void *context)
{
    const struct http_request *request = context;
    char line[LINE_MAX_BYTES];
    (void)easy;
    if (type != CURLINFO_TEXT || size >= sizeof line)
        return 0;
    memcpy(line, data, size);
    line[size] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    if (!holds(line, behind_host(request->url)) && !holds(line, request->user) &&
        !holds(line, request->password) && !holds(line, request->token))
        log_debug("libcurl", LOG_S("text", line));
    return 0;
}

bool http_trace_set(struct http_request *request)
{
    CURL *easy = request->easy;
    return !log_is_on(LOG_DEBUG) ||
           (curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_line) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_DEBUGDATA, request) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L) == CURLE_OK);
}
