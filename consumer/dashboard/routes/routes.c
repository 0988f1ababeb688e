#include "dashboard/routes/routes.h"

#include "base/printable.h"
#include "base/slice.h"
#include "dashboard/api/api.h"
#include "dashboard/control/batches.h"
#include "dashboard/control/dismissing.h"
#include "dashboard/control/pausing.h"
#include "dashboard/control/redrive.h"
#include "dashboard/export/export.h"
#include "dashboard/health/trends.h"
#include "dashboard/routes/events.h"
#include "dashboard/routes/order_payload.h"
#include "dashboard/routes/orders.h"
#include "dashboard/routes/origins.h"
#include "dashboard/routes/status.h"
#include "dashboard/routes/view_metrics.h"
#include "dashboard/sync/sync.h"
#include "dashboard/web/assets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_TOKEN = -1 };
#define ORDER_FILTERS "state reason status source q since_ms until_ms"

/* ":" matches one segment of the path: the call's key. */
static const struct route {
    const char *method, *path;
    int right; /* enum auth_right, or NO_TOKEN: none is needed */
    void (*handle)(struct call *call);
    const char *query; /* the names of its parameters; NULL: others are ignored (SDKs add theirs) */
} routes[] = {
    {"POST", "/functions/v1/sync-order-elementor", AUTH_USER, call_sync, NULL},
    {"GET", "/functions/v1/sync-order-elementor", AUTH_USER, call_sync_state, NULL},
    {"GET", "/api/v1/sign-in", NO_TOKEN, call_sign_in, ""},
    {"GET", "/api/v1/session", AUTH_USER, call_session, ""},
    {"GET", "/api/v1/status", AUTH_OPERATOR, call_status, ""},
    {"GET", "/api/v1/activity", AUTH_OPERATOR, call_activity, ""},
    {"GET", "/api/v1/trends", AUTH_OPERATOR, call_trends, "hours"},
    {"GET", "/api/v1/orders", AUTH_OPERATOR, call_list, ORDER_FILTERS " sort limit cursor"},
    {"GET", "/api/v1/orders.csv", AUTH_OPERATOR, call_export_csv, ORDER_FILTERS},
    {"GET", "/api/v1/orders.ndjson", AUTH_OPERATOR, call_export_ndjson, ORDER_FILTERS},
    {"GET", "/api/v1/orders/:", AUTH_OPERATOR, call_order, ""},
    {"POST", "/api/v1/orders/:/retry", AUTH_OPERATOR, call_retry, ""},
    {"POST", "/api/v1/orders/:/dismiss", AUTH_OPERATOR, call_dismiss, ""},
    {"POST", "/api/v1/orders/:/restore", AUTH_OPERATOR, call_restore, ""},
    {"GET", "/api/v1/orders/:/payload", AUTH_OPERATOR, call_payload, ""},
    {"POST", "/api/v1/orders/:/payload/show", AUTH_OPERATOR, call_payload_show, ""},
    {"GET", "/api/v1/requests", AUTH_OPERATOR, call_requests, ""},
    {"POST", "/api/v1/redrives/preview", AUTH_OPERATOR, call_preview, ""},
    {"POST", "/api/v1/redrives", AUTH_OPERATOR, call_redrive, ""},
    {"GET", "/api/v1/redrives", AUTH_OPERATOR, call_redrives, ""},
    {"GET", "/api/v1/redrives/:", AUTH_OPERATOR, call_redrive_state, ""},
    {"DELETE", "/api/v1/redrives/:", AUTH_OPERATOR, call_redrive_cancel, ""},
    {"POST", "/api/v1/batches/preview", AUTH_OPERATOR, call_batch_preview, ORDER_FILTERS},
    {"POST", "/api/v1/batches", AUTH_OPERATOR, call_batch, ORDER_FILTERS},
    {"GET", "/api/v1/batches", AUTH_OPERATOR, call_batches, ""},
    {"GET", "/api/v1/batches/:", AUTH_OPERATOR, call_batch_state, ""},
    {"DELETE", "/api/v1/batches/:", AUTH_OPERATOR, call_batch_cancel, ""},
    {"POST", "/api/v1/pause", AUTH_OPERATOR, call_pause, ""},
    {"POST", "/api/v1/resume", AUTH_OPERATOR, call_resume, ""},
    {"GET", "/api/v1/events", AUTH_OPERATOR, call_events, ""},
    {"GET", "/metrics", AUTH_OPERATOR, call_metrics, ""},
    {"GET", "/livez", NO_TOKEN, call_ready, ""},
    {"GET", "/readyz", NO_TOKEN, call_ready, ""},
};

enum { ROUTES = sizeof routes / sizeof *routes };

/* ---- paths ---- */

/* True: the path matches the pattern; *key becomes the raw text of its ":". */
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

/* The last segment of a path that is in the table word for word is never a key. */
static bool is_literal(const char *path)
{
    for (size_t i = 0; i < ROUTES; i++)
        if (strcmp(routes[i].path, path) == 0)
            return true;
    return false;
}

/* The route of path and method; NULL: none, and methods has those that the path allows. */
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
    const char *rest =
        after_prefix_any_case(web_request_header(x, "Content-Type"), "application/json");
    return rest != NULL && (*rest == '\0' || *rest == ';' || *rest == ' ');
}

static void refuse_type(const struct call *call)
{
    char detail[256], shown[80];
    const char *type = web_request_header(call->x, "Content-Type");
    snprintf(detail, sizeof detail,
             "Content-Type %s%s: send JSON, with Content-Type: application/json (functions-js does "
             "so where the body is an object)",
             type != NULL ? "is " : "is missing",
             type != NULL ? printable(type, shown, sizeof shown) : "");
    reply_problem(call->x, PROBLEM_MEDIA_TYPE, detail, NULL);
}

/* Operators are not counted: their page calls often, and in an outage more often. */
static bool check_rate(struct call *call)
{
    struct api *api = call->api;
    int64_t rate = api->config->auth_call_rate, wait_ms;
    if (call->caller.right != AUTH_USER || rate == 0 ||
        call_quota_take(&api->quota, call->caller.subject, rate, api->now_ms, &wait_ms))
        return true;
    refuse_for(call, PROBLEM_TOO_OFTEN, NULL, wait_ms);
    return false;
}

/* An operator without a second factor has the rights of a customer, where one is asked for
 * (auth.operator_aal2). True: they are taken away. */
static bool weaken(struct call *call, const struct route *route)
{
    struct caller *caller = &call->caller;
    int asked = call->api->config->auth_operator_aal2;
    bool is_asked = asked == OPERATOR_AAL2_ALWAYS ||
                    (asked == OPERATOR_AAL2_CHANGES && strcmp(route->method, "GET") != 0);
    if (!is_asked || caller->right != AUTH_OPERATOR || caller->is_strong)
        return false;
    caller->right = caller->right_as_user;
    caller->cause = "it is an operator's without a second factor (aal is not aal2)";
    return true;
}

static bool check_right(struct call *call, const struct route *route)
{
    if (route->right == NO_TOKEN)
        return true;
    if (!sign_in_check(call))
        return false;
    bool weakened = weaken(call, route);
    if ((int)call->caller.right < route->right) {
        if (weakened)
            refuse(call, PROBLEM_SECOND_FACTOR,
                   "sign in with a second factor (auth.operator_aal2)");
        else
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
    else if (route->query != NULL && !query_is_known(call->x, route->query))
        call_bad(call, "the query has a parameter that is not known here");
    else if (route->method[0] == 'P' && !has_json(call->x))
        refuse_type(call);
    else
        route->handle(call);
}

static void resume(struct pending *p);

static void route_call(struct api *api, struct web_request *x, bool keys_awaited)
{
    char methods[64];
    struct slice key = {0};
    struct call call = {.api = api, .x = x, .keys_awaited = keys_awaited, .resume = resume};
    const struct route *route = find(x, &key, methods);
    call.route = route != NULL ? route->path : NULL;
    bool options = strcmp(web_request_method(x), "OPTIONS") == 0;
    if (route == NULL && *methods == '\0') {
        reply_problem(x, PROBLEM_NOT_FOUND, NULL, NULL);
    } else if (!origins_check(&call)) {
        ; /* answered */
    } else if (options) {
        origins_answer_options(&call, methods);
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

/* Its keys have been read meanwhile. */
static void resume(struct pending *p)
{
    struct api *api = p->api;
    struct web_request *x = p->x;
    pending_free(p);
    api->called = true;
    route_call(api, x, true);
}

/* Takes dashboard.url's prefix off the path. False: answered, with the place that was meant. */
static bool enter_site(const struct site *site, struct web_request *x)
{
    char place[SITE_PREFIX_MAX + 2];
    switch (site_path(site, web_request_path(x))) {
    case SITE_INSIDE: web_request_skip(x, strlen(site->prefix)); return true;
    case SITE_BARE:
        snprintf(place, sizeof place, "%s/", site->prefix);
        web_request_add_header(x, "Location", place);
        web_request_reply_static(x, 308, NULL, (struct slice){0});
        return false;
    default: return true;
    }
}

void routes_request(void *context, struct web_request *x)
{
    struct api *api = context;
    api->called = true;
    reply_common_headers(x);
    if (web_request_is_ambiguous(x))
        reply_problem(x, PROBLEM_BAD_REQUEST, NULL, NULL);
    else if (web_request_body_cut(x))
        reply_problem(x, PROBLEM_TOO_LARGE, NULL, NULL);
    else if (enter_site(&api->site, x) && !assets_serve(x, api->offer.url))
        route_call(api, x, false);
}
