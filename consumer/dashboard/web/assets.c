#include "dashboard/web/assets.h"

#include "base/slice.h"
#include "dashboard/web/gzip.h"
#include "dashboard/web/page.h"
#include "dashboard/web/reply.h"

#include <stdio.h>
#include <string.h>

/* A document's own; a script or a style sheet has none. */
static void add_policy(struct web_request *x, const char *origin)
{
    char policy[768];
    snprintf(
        policy, sizeof policy,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
        "'self'%s%s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'", /* it never writes markup */
        *origin != '\0' ? " " : "", origin);
    web_request_add_header(x, "Content-Security-Policy", policy);
    web_request_add_header(x, "Cross-Origin-Opener-Policy", "same-origin");
}

static bool is_document(const char *type)
{
    return has_prefix(type, "text/html") || has_prefix(type, "image/svg");
}

static void serve(struct web_request *x, const struct page_file *file, bool fixed,
                  const char *origin)
{
    const char *known = web_request_header(x, "If-None-Match"), *type = page_type(file);
    bool gzip = gzip_is_accepted(web_request_header(x, "Accept-Encoding"));
    const char *etag = gzip ? file->gzip_etag : file->etag;
    web_request_add_header(x, "Cache-Control",
                           fixed ? "public, max-age=31536000, immutable" : "no-cache");
    if (!fixed) /* a fixed one is never asked about */
        web_request_add_header(x, "ETag", etag);
    web_request_add_header(x, "Vary", "Accept-Encoding");
    web_request_add_header(x, "Cross-Origin-Resource-Policy", "same-origin");
    if (is_document(type))
        add_policy(x, origin);
    if (known != NULL && strcmp(known, etag) == 0) {
        web_request_reply_static(x, 304, NULL, (struct slice){0});
    } else if (gzip) {
        web_request_add_header(x, "Content-Encoding", "gzip");
        web_request_reply_static(x, 200, type,
                                 (struct slice){(const char *)file->gzip, file->gzip_len});
    } else {
        web_request_reply_static(x, 200, type,
                                 (struct slice){(const char *)file->bytes, file->len});
    }
}

bool assets_serve(struct web_request *x, const char *origin)
{
    bool fixed;
    const struct page_file *file = page_find(web_request_path(x), &fixed);
    if (file == NULL)
        return false;
    if (strcmp(web_request_method(x), "GET") != 0) {
        web_request_add_header(x, "Allow", "GET, HEAD");
        reply_problem(x, PROBLEM_METHOD, NULL, NULL);
        return true;
    }
    serve(x, file, fixed, origin);
    return true;
}
