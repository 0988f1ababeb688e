/* routes: which handler a request goes to, and who may ask. */
#include "dashboard/api/api_internal.h"
#include "dashboard/web/assets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ANYBODY = -1 };

/* ":" stands for one segment of the path, the call's key. */
static const struct route {
    const char *method, *path;
    int right; /* enum auth_right, or ANYBODY */
    void (*handle)(struct call *call);
    const char *query; /* the parameters that it knows */
} routes[] = {
    {"POST", "/functions/v1/sync-order-elementor", AUTH_USER, call_sync, ""},
    {"GET", "/functions/v1/sync-order-elementor", AUTH_USER, call_sync_state,
     "order_id confirmed_at"},
    {"GET", "/api/v1/session", AUTH_USER, call_session, ""},
    {"GET", "/api/v1/status", AUTH_OPERATOR, call_status, ""},
    {"GET", "/api/v1/activity", AUTH_OPERATOR, call_activity, ""},
    {"GET", "/api/v1/orders", AUTH_OPERATOR, call_list,
     "state reason q since_ms until_ms limit cursor"},
    {"GET", "/api/v1/orders/:", AUTH_OPERATOR, call_order, ""},
    {"POST", "/api/v1/orders/:/retry", AUTH_OPERATOR, call_retry, ""},
    {"POST", "/api/v1/redrives/preview", AUTH_OPERATOR, call_preview, ""},
    {"POST", "/api/v1/redrives", AUTH_OPERATOR, call_redrive, ""},
    {"GET", "/api/v1/redrives", AUTH_OPERATOR, call_redrives, ""},
    {"GET", "/api/v1/redrives/:", AUTH_OPERATOR, call_redrive_state, ""},
    {"DELETE", "/api/v1/redrives/:", AUTH_OPERATOR, call_redrive_cancel, ""},
    {"GET", "/api/v1/events", AUTH_OPERATOR, call_events, ""},
    {"GET", "/livez", ANYBODY, call_ready, ""},
    {"GET", "/readyz", ANYBODY, call_ready, ""},
};

enum { ROUTES = sizeof routes / sizeof *routes };

/* ---- paths ---- */

/* Whether the path is the pattern's; *key becomes the raw text of its ":". */
static bool matches(const char *pattern, const char *path, struct slice *key)
{
    while (*pattern != '\0' && *path != '\0') {
        if (*pattern == ':') {
            size_t len = strcspn(path, "/");
            if (len == 0)
                return false;
            *key = (struct slice){path, len};
            path += len;
            pattern++;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *pattern == '\0' && *path == '\0';
}

/* A path that is spelt out in the table is nobody's key. */
static bool is_literal(const char *path)
{
    for (size_t i = 0; i < ROUTES; i++)
        if (strcmp(routes[i].path, path) == 0)
            return true;
    return false;
}

/* The route of path and method; NULL, with the methods that there are, when there is none. */
static const struct route *find(const struct web_request *x, struct slice *key, char methods[64])
{
    bool literal = is_literal(web_request_path(x));
    methods[0] = '\0';
    for (size_t i = 0; i < ROUTES; i++) {
        if ((literal && strchr(routes[i].path, ':') != NULL) ||
            !matches(routes[i].path, web_request_path(x), key))
            continue;
        if (strcmp(routes[i].method, web_request_method(x)) == 0)
            return &routes[i];
        size_t used = strlen(methods);
        snprintf(methods + used, 64 - used, "%s%s", used > 0 ? ", " : "", routes[i].method);
    }
    return NULL;
}

/* ---- other origins (CORS) ---- */

/* Whether a list of words, separated by spaces or commas, has this one. */
static bool lists(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words; at != NULL && *at != '\0';) {
        size_t size = strcspn(at, " ,");
        if (size == len && len > 0 && strncmp(at, word, len) == 0)
            return true;
        at += size + (at[size] != '\0');
    }
    return false;
}

static bool is_own(const struct web_request *x, const char *origin)
{
    const char *host = web_request_header(x, "Host"), *colon = strstr(origin, "://");
    return host != NULL && colon != NULL && strcasecmp(colon + 3, host) == 0;
}

/* False: refused, and answered. */
static bool check_origin(const struct call *call)
{
    const struct dashboard *d = call->d;
    struct web_request *x = call->x;
    const char *origin = web_request_header(x, "Origin");
    web_request_add_header(x, "Vary", "Origin");
    if (origin == NULL || is_own(x, origin))
        return true;
    if (lists(d->config->dashboard_origins, origin)) {
        web_request_add_header(x, "Access-Control-Allow-Origin", origin);
        web_request_add_header(x, "Access-Control-Expose-Headers", "Location");
        return true;
    }
    refuse(call, PROBLEM_ORIGIN, "dashboard.origins lists those that may call");
    return false;
}

static void answer_options(struct web_request *x, const char *methods)
{
    web_request_add_header(x, "Allow", methods);
    web_request_add_header(x, "Access-Control-Allow-Methods", methods);
    web_request_add_header(x, "Access-Control-Allow-Headers",
                           "authorization, x-client-info, apikey, content-type");
    web_request_add_header(x, "Access-Control-Max-Age", "600");
    web_request_reply_static(x, 204, NULL, (struct slice){0});
}

/* ---- a call ---- */

static bool query_is_known(const struct web_request *x, const char *words)
{
    const char *names[WEB_QUERY_MAX + 1] = {NULL};
    char text[128], *rest = text, *name;
    size_t count = 0;
    snprintf(text, sizeof text, "%s", words);
    while ((name = strsep(&rest, " ")) != NULL && count < WEB_QUERY_MAX)
        if (*name != '\0')
            names[count++] = name;
    return web_request_query_is_known(x, names);
}

static bool has_json(const struct web_request *x)
{
    const char *type = web_request_header(x, "Content-Type");
    size_t len = strlen("application/json");
    return type != NULL && strncasecmp(type, "application/json", len) == 0 &&
           (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

/* Operators are not counted: their page asks often, and in an outage more often. */
static bool check_rate(struct call *call)
{
    struct dashboard *d = call->d;
    int64_t rate = d->config->auth_call_rate, wait_ms;
    if (call->caller.right != AUTH_USER || rate == 0 ||
        call_quota_take(&d->quota, call->caller.subject, rate, d->now_ms, &wait_ms))
        return true;
    refuse_for(call, PROBLEM_TOO_OFTEN, NULL, wait_ms);
    return false;
}

static bool check_right(struct call *call, const struct route *route)
{
    if (route->right == ANYBODY)
        return true;
    if (!signin_check(call))
        return false;
    if ((int)call->caller.right < route->right) {
        refuse(call, PROBLEM_FORBIDDEN, NULL);
        return false;
    }
    return check_rate(call);
}

static void run(struct call *call, const struct route *route)
{
    if (!check_right(call, route))
        return;
    if (!web_decode(call->key))
        call_bad(call, "the path is not UTF-8 in percent-encoding");
    else if (strlen(call->key) > VIEW_KEY_MAX)
        reply_problem(call->x, PROBLEM_NOT_FOUND, "no key is that long", NULL);
    else if (!query_is_known(call->x, route->query))
        call_bad(call, "the query has a parameter that is not known here");
    else if (route->method[0] == 'P' && !has_json(call->x))
        reply_problem(call->x, PROBLEM_MEDIA_TYPE, NULL, NULL);
    else
        route->handle(call);
}

static void route_call(struct dashboard *d, struct web_request *x, bool keys_awaited)
{
    char methods[64];
    struct slice key = {0};
    struct call call = {.d = d, .x = x, .keys_awaited = keys_awaited};
    const struct route *route = find(x, &key, methods);
    call.route = route != NULL ? route->path : NULL;
    bool options = strcmp(web_request_method(x), "OPTIONS") == 0;
    if (route == NULL && *methods == '\0') {
        reply_problem(x, PROBLEM_NOT_FOUND, NULL, NULL);
    } else if (!check_origin(&call)) {
        ; /* answered */
    } else if (options) {
        answer_options(x, methods);
    } else if (route == NULL) {
        web_request_add_header(x, "Allow", methods);
        reply_problem(x, PROBLEM_METHOD, NULL, NULL);
    } else if ((call.key = strndup(key.data != NULL ? key.data : "", key.len)) == NULL) {
        reply_problem(x, PROBLEM_INTERNAL, NULL, NULL);
    } else {
        run(&call, route);
    }
    free(call.key);
}

void api_request(void *context, struct web_request *x)
{
    struct dashboard *d = context;
    d->asked = true;
    reply_common_headers(x);
    if (web_request_is_ambiguous(x))
        reply_problem(x, PROBLEM_BAD_REQUEST, NULL, NULL);
    else if (web_request_body_cut(x))
        reply_problem(x, PROBLEM_TOO_LARGE, NULL, NULL);
    else if (!assets_serve(x))
        route_call(d, x, false);
}

void api_call_again(struct dashboard *d, struct web_request *x)
{
    d->asked = true;
    route_call(d, x, true);
}

/* ---- what a call says ---- */

void call_bad(const struct call *call, const char *detail)
{
    reply_problem(call->x, PROBLEM_BAD_REQUEST, detail, NULL);
}

json_t *call_body(const struct call *call)
{
    struct slice body = web_request_body(call->x);
    json_t *value =
        body.len > 0 ? json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_object(value))
        return value;
    json_decref(value);
    call_bad(call, "the body is not a JSON object");
    return NULL;
}

bool call_text(const struct call *call, const char *name, size_t most, const char **ret)
{
    bool bad = false;
    char detail[100];
    const char *text = web_request_query(call->x, name, &bad);
    if (!bad && text == NULL)
        return true;
    if (!bad && *text != '\0' && strlen(text) <= most) {
        *ret = text;
        return true;
    }
    snprintf(detail, sizeof detail, "%s: given once, as 1 to %zu bytes of UTF-8", name, most);
    call_bad(call, detail);
    return false;
}

bool call_number(const struct call *call, const char *name, int64_t least, int64_t most,
                 int64_t *ret)
{
    const char *text = NULL;
    char detail[120];
    if (!call_text(call, name, 19, &text))
        return false;
    if (text == NULL)
        return true;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno == 0 && text[strspn(text, "0123456789")] == '\0' && value >= least && value <= most) {
        *ret = value;
        return true;
    }
    snprintf(detail, sizeof detail, "%s: a whole number from %lld to %lld", name, (long long)least,
             (long long)most);
    call_bad(call, detail);
    return false;
}
