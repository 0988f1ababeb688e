/* sign_in: who calls; and the set of keys, fetched again now and then. */
#include "dashboard/api/api_internal.h"

#include "sys/clock.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    REFRESH_MS = 600000, /* keys that are taken back end by then */
    REFRESH_FAILED_MS = 30000,
    ASK_EVERY_MS = 10000, /* for a key that nobody knows: whoever calls may name any */
    SET_MAX = 256 * 1024,
    SET_TIMEOUT_MS = 5000
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

/* A user before the host would make another host look like this one. */
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

bool signin_open(struct dashboard *d, struct error *err)
{
    const struct config *c = d->config;
    d->rules = (struct auth_rules){.issuer = c->auth_issuer,
                                   .audience = c->auth_audience,
                                   .operator_claim = c->auth_operator_claim,
                                   .operator_values = c->auth_operator_values};
    if (c->auth_hs256_secret != NULL && !keys_add_secret(&d->keys, c->auth_hs256_secret, err))
        return false;
    if (c->auth_public_key_file != NULL && !keys_add_file(&d->keys, c->auth_public_key_file, err))
        return false;
    if (c->auth_jwks_url != NULL && !check_url(c->auth_jwks_url, err))
        return false;
    d->set.due_ms = c->auth_jwks_url != NULL ? 0 : INT64_MAX;
    d->set.asked_ms = INT64_MIN / 2;
    return true;
}

/* ---- the set of keys ---- */

static void call_again(struct dashboard *d)
{
    for (struct wait *w = d->waits, *next; w != NULL; w = next) {
        next = w->next;
        if (w->kind != WAIT_KEYS)
            continue;
        struct web_request *x = w->x;
        wait_free(w);
        api_call_again(d, x);
    }
}

static void set_fetched(void *context, const struct http_result *result)
{
    struct dashboard *d = context;
    struct error err = {0};
    bool ok = false;
    d->set.request = NULL;
    if (result->status != 200 || result->body_cut)
        error_set(&err, ERROR_UNREACHABLE, "HTTP %d %s", result->status, result->failure);
    else
        ok = keys_read_set(&d->keys, (struct slice){result->body, result->body_len}, &err);
    d->set.due_ms = d->now_ms + (ok ? REFRESH_MS : REFRESH_FAILED_MS);
    if (ok)
        log_debug("the set of keys was read", LOG_I("keys", (int64_t)d->keys.count));
    else
        log_warn("the set of keys (auth.jwks_url) could not be read; the old one is kept",
                 LOG_S("why", err.text));
    call_again(d);
}

static void ask_for_set(struct dashboard *d)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    struct error err = {0};
    const char *url = d->config->auth_jwks_url;
    const struct http_endpoint endpoint = {.ca_file = d->config->auth_jwks_ca_file,
                                           .timeout_ms = SET_TIMEOUT_MS,
                                           .response_max = SET_MAX,
                                           .http_allowed = is_loopback(url),
                                           .connections_max = 1};
    d->set.asked_ms = d->now_ms;
    d->set.due_ms = d->now_ms + REFRESH_FAILED_MS;
    d->set.request =
        http_start(d->http, &endpoint, "GET", url, headers, NULL, 0, set_fetched, d, &err);
    if (d->set.request == NULL)
        log_warn("the set of keys (auth.jwks_url) could not be asked for", LOG_S("why", err.text));
}

void signin_turn(struct dashboard *d)
{
    if (d->set.request == NULL && d->now_ms >= d->set.due_ms)
        ask_for_set(d);
}

/* A key that is not known may be a new one: the call waits for the set to be read again, once. The
 * answer comes within SET_TIMEOUT_MS, whatever the server of the keys does; who comes when many
 * wait already is told to come back. True: it waits, or is answered. */
static bool waits_for_set(struct call *call)
{
    struct dashboard *d = call->d;
    if (d->config->auth_jwks_url == NULL || call->keys_awaited)
        return false;
    if (d->set.request == NULL && d->now_ms - d->set.asked_ms >= ASK_EVERY_MS)
        ask_for_set(d);
    if (d->set.request == NULL)
        return false;
    if (d->wait_counts[WAIT_KEYS] >= KEY_WAITS_MAX)
        refuse_for(call, PROBLEM_KEYS, "try again in a few seconds", SET_TIMEOUT_MS);
    else if (wait_new(call, WAIT_KEYS, NULL) == NULL)
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

bool signin_check(struct call *call)
{
    struct slice token = token_of(call->x);
    int64_t now_s = call->d->wall_ms / 1000;
    enum auth_verdict verdict = AUTH_INVALID;
    if (token.len > 0)
        verdict = auth_check(&call->d->keys, &call->d->rules, token, now_s, &call->caller);
    if (verdict == AUTH_VALID)
        return true;
    if (verdict == AUTH_UNKNOWN_KEY && waits_for_set(call))
        return false;
    refuse(call, verdict == AUTH_EXPIRED ? PROBLEM_EXPIRED : PROBLEM_UNAUTHORIZED, NULL);
    return false;
}
