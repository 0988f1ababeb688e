#include "dashboard/web/assets.h"

#include "dashboard/web/page.h"
#include "dashboard/web/reply.h"

#include <string.h>

static void add_headers(struct web_request *x, const struct page_file *file)
{
    web_request_add_header(x, "Cache-Control", "no-cache");
    web_request_add_header(x, "ETag", file->etag);
    web_request_add_header(
        x, "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
        "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"); /* the page never writes markup
                                                                      */
    web_request_add_header(x, "Cross-Origin-Opener-Policy", "same-origin");
    web_request_add_header(x, "Cross-Origin-Resource-Policy", "same-origin");
}

bool assets_serve(struct web_request *x)
{
    const struct page_file *file = page_find(web_request_path(x));
    if (file == NULL)
        return false;
    if (strcmp(web_request_method(x), "GET") != 0) {
        web_request_add_header(x, "Allow", "GET, HEAD");
        reply_problem(x, PROBLEM_METHOD, NULL, NULL);
        return true;
    }
    const char *known = web_request_header(x, "If-None-Match");
    add_headers(x, file);
    if (known != NULL && strcmp(known, file->etag) == 0)
        web_request_reply_static(x, 304, NULL, (struct slice){0});
    else
        web_request_reply_static(x, 200, page_type(file),
                                 (struct slice){(const char *)file->bytes, file->len});
    return true;
}
