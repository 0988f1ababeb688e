#include "dashboard/api/sign_in.h"

#include "dashboard/api/api.h"
#include "sys/log.h"

#include <string.h>
#include <strings.h>

enum {
    REFRESH_MS = 600000, /* a revoked key is valid until then */
    REFRESH_FAILED_MS = 30000,
    ASK_EVERY_MS = 10000, /* for unknown keys, which any caller can name */
    SET_MAX = 256 * 1024,
    SET_TIMEOUT_MS = 5000,
    KEY_WAITS_MAX = 32
};

/* ---- where keys come from ---- */

static bool is_loopback(const char *url)
{
    static const char *const starts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t len = strlen(starts[i]);
        if (strncasecmp(url, starts[i], len) == 0 && (url[len] == ':' || url[len] == '/'))
            return true;
    }
    return false;
}

/* A user before the host could make the host look like another one. */
static bool has_user(const char *url)
{
    const char *slashes = strstr(url, "://"), *host = slashes != NULL ? slashes + 3 : url;
    return memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

static bool check_url(const char *url, struct error *err)
{
    struct error why = {0};
    if (has_user(url))
        error_set(&why, ERROR_CONFIG, "the URL must not hold a user or a password");
    else if (http_url_check(url, is_loopback(url), &why))
        return true;
    return error_set(err, why.code, "auth.jwks_url: %s", why.text);
}

bool sign_in_open(struct api *api, struct error *err)
{
    const struct config *c = api->config;
    api->sign_in.rules = (struct auth_rules){.issuer = c->auth_issuer,
                                             .audience = c->auth_audience,
                                             .operator_claim = c->auth_operator_claim,
                                             .operator_values = c->auth_operator_values};
    if (c->auth_hs256_secret != NULL &&
        !keys_add_secret(&api->sign_in.keys, c->auth_hs256_secret, err))
        return false;
    if (c->auth_public_key_file != NULL &&
        !keys_add_file(&api->sign_in.keys, c->auth_public_key_file, err))
        return false;
    if (c->auth_jwks_url != NULL && !check_url(c->auth_jwks_url, err))
        return false;
    api->sign_in.due_ms = c->auth_jwks_url != NULL ? 0 : INT64_MAX;
    api->sign_in.asked_ms = INT64_MIN / 2;
    return true;
}

void sign_in_done(struct sign_in *sign_in)
{
    keys_done(&sign_in->keys);
}

/* ---- the set of keys ---- */

static void set_fetched(void *context, const struct http_result *result)
{
    struct api *api = context;
    struct error err = {0};
    bool ok = false;
    api->sign_in.request = NULL;
    if (result->status != 200 || result->body_cut)
        error_set(&err, ERROR_UNREACHABLE, "HTTP %d %s", result->status, result->failure);
    else
        ok =
            keys_read_set(&api->sign_in.keys, (struct slice){result->body, result->body_len}, &err);
    api->sign_in.due_ms = api->now_ms + (ok ? REFRESH_MS : REFRESH_FAILED_MS);
    if (ok)
        log_debug("keys read", LOG_I("keys", (int64_t)api->sign_in.keys.count));
    else
        log_warn("keys not read", LOG_S("option", "auth.jwks_url"), LOG_S("error", err.text),
                 LOG_S("hint", "the keys that were read before stay in use"));
    pending_resume_all(api, PENDING_KEYS);
}

static void request_set(struct api *api)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    struct error err = {0};
    const char *url = api->config->auth_jwks_url;
    const struct http_endpoint endpoint = {.ca_file = api->config->auth_jwks_ca_file,
                                           .timeout_ms = SET_TIMEOUT_MS,
                                           .response_max = SET_MAX,
                                           .http_allowed = is_loopback(url),
                                           .connections_max = 1};
    api->sign_in.asked_ms = api->now_ms;
    api->sign_in.due_ms = api->now_ms + REFRESH_FAILED_MS;
    api->sign_in.request =
        http_start(api->http, &endpoint, "GET", url, headers, NULL, 0, set_fetched, api, &err);
    if (api->sign_in.request == NULL)
        log_warn("keys not requested", LOG_S("option", "auth.jwks_url"), LOG_S("error", err.text));
}

void sign_in_turn(struct api *api)
{
    if (api->sign_in.request == NULL && api->now_ms >= api->sign_in.due_ms)
        request_set(api);
}

/* An unknown key may be a new one: the call waits, once, until the set has been read again, at most
 * for SET_TIMEOUT_MS. When many wait already, it is refused with a Retry-After. True: it waits, or
 * is answered. */
static bool waits_for_set(struct call *call)
{
    struct api *api = call->api;
    if (api->config->auth_jwks_url == NULL || call->keys_awaited)
        return false;
    if (api->sign_in.request == NULL && api->now_ms - api->sign_in.asked_ms >= ASK_EVERY_MS)
        request_set(api);
    if (api->sign_in.request == NULL)
        return false;
    if (api->pending.counts[PENDING_KEYS] >= KEY_WAITS_MAX)
        refuse_for(call, PROBLEM_KEYS, "try again in a few seconds", SET_TIMEOUT_MS);
    else if (pending_new(call, PENDING_KEYS, NULL, call->resume) == NULL)
        return false;
    return true;
}

/* ---- a call ---- */

static struct slice token_of(const struct web_request *x)
{
    static const char scheme[] = "Bearer ";
    const char *header = web_request_header(x, "Authorization");
    if (header == NULL || strncasecmp(header, scheme, strlen(scheme)) != 0)
        return (struct slice){0};
    return slice_of(header + strlen(scheme));
}

bool sign_in_check(struct call *call)
{
    struct slice token = token_of(call->x);
    int64_t now_s = call->api->wall_ms / 1000;
    enum auth_verdict verdict = AUTH_INVALID;
    if (token.len > 0)
        verdict = auth_check(&call->api->sign_in.keys, &call->api->sign_in.rules, token, now_s,
                             &call->caller);
    if (verdict == AUTH_VALID)
        return true;
    if (verdict == AUTH_UNKNOWN_KEY && waits_for_set(call))
        return false;
    refuse(call, verdict == AUTH_EXPIRED ? PROBLEM_EXPIRED : PROBLEM_UNAUTHORIZED, NULL);
    return false;
}
