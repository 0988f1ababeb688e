#include "dashboard/routes/origins.h"

#include "base/printable.h"
#include "base/slice.h"
#include "dashboard/api/api.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_MAX = 128, ASKED_MAX = 1024 };

/* True: the list (NULL: none) has this word, in the same case. */
static bool lists(const char *words, const char *word)
{
    struct slice one;
    while (words != NULL && (one = words_next(&words)).len > 0)
        if (slice_is(one, word))
            return true;
    return false;
}

static bool is_own(const struct call *call, const char *origin)
{
    const struct web_request *x = call->x;
    if (*origin != '\0' && strcmp(origin, call->api->site.origin) == 0)
        return true;
    const char *host = web_request_header(x, "Host"), *colon = strstr(origin, "://");
    return host != NULL && colon != NULL && strcasecmp(colon + 3, host) == 0;
}

/* A proxy that passes its own Host makes the page's origin a foreign one: the answer says both. */
static void refuse_origin(const struct call *call, const char *origin)
{
    char detail[4 * SHOWN_MAX], seen[SHOWN_MAX], host[SHOWN_MAX];
    const char *sent = web_request_header(call->x, "Host");
    snprintf(detail, sizeof detail,
             "the page's origin is %s and the request's Host %s: behind a proxy set dashboard.url "
             "to the address of this page; dashboard.origins lists the other pages that may call",
             printable(origin, seen, sizeof seen),
             sent != NULL ? printable(sent, host, sizeof host) : "is missing");
    refuse(call, PROBLEM_ORIGIN, detail);
}

bool origins_check(const struct call *call)
{
    struct web_request *x = call->x;
    const char *origin = web_request_header(x, "Origin");
    web_request_add_header(x, "Vary", "Origin, Access-Control-Request-Headers");
    if (origin == NULL || is_own(call, origin))
        return true;
    if (lists(call->api->config->dashboard_origins, origin)) {
        web_request_add_header(x, "Access-Control-Allow-Origin", origin);
        web_request_add_header(x, "Access-Control-Expose-Headers", "Location, Retry-After");
        return true;
    }
    refuse_origin(call, origin);
    return false;
}

/* Names of headers (RFC 9110 5.6.2) with commas and blanks between, and nothing else: what comes
 * back in our own header cannot end it. */
static bool is_list_of_names(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~, ";
    size_t len = 0;
    for (; text[len] != '\0'; len++)
        if (isalnum((unsigned char)text[len]) == 0 && strchr(others, text[len]) == NULL)
            return false;
    return len > 0 && len <= ASKED_MAX;
}

/* SDKs add headers with every release (x-region, traceparent, …), none of which means anything
 * here: the ones that a listed page asks for are allowed, whatever they are. */
void origins_answer_options(const struct call *call, const char *methods)
{
    struct web_request *x = call->x;
    const char *asked = web_request_header(x, "Access-Control-Request-Headers");
    web_request_add_header(x, "Allow", methods);
    web_request_add_header(x, "Access-Control-Allow-Methods", methods);
    web_request_add_header(x, "Access-Control-Allow-Headers",
                           web_request_header(x, "Origin") != NULL && asked != NULL &&
                                   is_list_of_names(asked)
                               ? asked
                               : "authorization, x-client-info, apikey, content-type");
    web_request_add_header(x, "Access-Control-Max-Age", "600");
    web_request_reply_static(x, 204, NULL, (struct slice){0});
}
