#include "dashboard/api/sign_in.h"

#include "base/slice.h"
#include "dashboard/api/api.h"
#include "dashboard/auth/claims.h"
#include "sys/log.h"

#include <stdio.h>
#include <string.h>

enum {
    REFRESH_MS = 600000, /* a revoked key is valid until then */
    REFRESH_FAILED_MS = 30000,
    ASK_EVERY_MS = 10000, /* for unknown keys, which any caller can name */
    SET_MAX = 256 * 1024,
    SET_TIMEOUT_MS = 5000,
    KEY_WAITS_MAX = 32,
    SERVICE_SESSION_S = 366 * 24 * 3600 /* a service key has no end: what a session shows of it */
};

/* ---- the source of keys ---- */

static bool is_loopback(const char *url)
{
    static const char *const starts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        const char *rest = after_prefix_any_case(url, starts[i]);
        if (rest != NULL && (*rest == ':' || *rest == '/'))
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
    if (!claims_check_option(c->auth_operator_claim, err) ||
        (c->auth_service_keys != NULL &&
         !service_keys_read(&api->sign_in.service_keys, c->auth_service_keys, err)))
        return false;
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

static struct slice token_of(const char *authorization)
{
    return slice_of(after_prefix_any_case(authorization, "Bearer "));
}

/* True: it is the key of a service. */
static bool is_service(struct call *call, struct slice key)
{
    const struct api *api = call->api;
    size_t place = service_keys_place(&api->sign_in.service_keys, key);
    if (place == 0)
        return false;
    call->caller = (struct caller){.right = AUTH_OPERATOR,
                                   .right_as_user = AUTH_NOBODY,
                                   .is_strong = true,
                                   .expires_s = api->wall_ms / 1000 + SERVICE_SESSION_S,
                                   .role = "service_role"};
    snprintf(call->caller.subject, sizeof call->caller.subject, "service key %zu", place);
    return true;
}

/* Authorization says who calls, where there is one: a service that passes on its user's token in it
 * has the user's rights, whatever its own apikey is. Nothing is read from the query, which proxies
 * write into their logs. */
static enum auth_verdict check_caller(struct call *call)
{
    const struct api *api = call->api;
    const char *authorization = web_request_header(call->x, "Authorization"),
               *apikey = web_request_header(call->x, "apikey");
    if (authorization == NULL && apikey != NULL && is_service(call, slice_of(apikey)))
        return AUTH_VALID;
    struct slice token = token_of(authorization);
    if (is_service(call, token))
        return AUTH_VALID;
    call->caller = (struct caller){.right = AUTH_NOBODY};
    if (authorization == NULL)
        call->caller.cause = apikey != NULL ? "it has no Authorization, and its apikey is none of "
                                              "auth.service_keys"
                                            : "it has no Authorization";
    else if (token.len == 0)
        call->caller.cause = "its Authorization is not Bearer and a token";
    return token.len == 0 ? AUTH_INVALID
                          : auth_check(&api->sign_in.keys, &api->sign_in.rules, token,
                                       api->wall_ms / 1000, &call->caller);
}

bool sign_in_check(struct call *call)
{
    enum auth_verdict verdict = check_caller(call);
    if (verdict == AUTH_VALID)
        return true;
    if (verdict == AUTH_UNKNOWN_KEY && waits_for_set(call))
        return false;
    refuse(call, verdict == AUTH_EXPIRED ? PROBLEM_EXPIRED : PROBLEM_UNAUTHORIZED, NULL);
    return false;
}
