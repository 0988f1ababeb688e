#include "dashboard/auth/token.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Supabase's keys live for ten years; an expiry a century away is invalid. */
#define EXPIRY_FAR_S (INT64_C(100) * 366 * 24 * 3600)

/* ---- form ---- */

struct parts {
    struct slice header, claims, signature;
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* True: whole bytes, and the bits left over are zero, so each byte string has one encoding only. */
static bool is_base64url(struct slice text)
{
    static const unsigned left_over[] = {0, 0x3f, 0x0f, 0x03};
    unsigned bits = left_over[text.len % 4];
    if (text.len == 0 || text.len % 4 == 1)
        return false;
    const char *last = memchr(alphabet, text.data[text.len - 1], sizeof alphabet - 1);
    return ((unsigned)(last - alphabet) & bits) == 0;
}

static bool split(struct slice token, struct parts *ret)
{
    struct slice *parts[] = {&ret->header, &ret->claims, &ret->signature};
    size_t at = 0;
    if (token.len > AUTH_TOKEN_MAX)
        return false;
    for (size_t i = 0; i < 3; i++) {
        size_t start = at;
        while (at < token.len && token.data[at] != '.' &&
               memchr(alphabet, token.data[at], sizeof alphabet - 1) != NULL)
            at++;
        *parts[i] = (struct slice){token.data + start, at - start};
        if (!is_base64url(*parts[i]))
            return false;
        if (i < 2 && (at == token.len || token.data[at++] != '.'))
            return false;
    }
    return at == token.len;
}

static json_t *object_of(struct slice encoded)
{
    uint8_t *bytes = NULL;
    size_t len;
    if (!cjose_base64url_decode(encoded.data, encoded.len, &bytes, &len, NULL))
        return NULL;
    json_t *value = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
    free(bytes);
    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Refuses headers by which a token chooses its own key, or needs an extension. */
static bool header_is_plain(const json_t *header)
{
    static const char *const refused[] = {"crit", "jku", "jwk", "x5u", "x5c", "b64", "zip"};
    const json_t *kid = json_object_get(header, "kid");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (json_object_get(header, refused[i]) != NULL)
            return false;
    return text_of(header, "alg") != NULL &&
           (kid == NULL || (json_is_string(kid) && json_string_length(kid) < KEY_ID_MAX));
}

/* ---- signature ---- */

static bool fits(const struct key *key, const char *algorithm, const char *kid)
{
    return strcmp(key->algorithm, algorithm) == 0 &&
           (kid == NULL || key->id[0] == '\0' || strcmp(key->id, kid) == 0);
}

static bool verifies(const struct key *key, struct slice token)
{
    cjose_jws_t *jws = cjose_jws_import(token.data, token.len, NULL);
    bool ok = jws != NULL && cjose_jws_verify(jws, key->jwk, NULL);
    cjose_jws_release(jws);
    return ok;
}

static enum auth_verdict check_signature(const struct keys *keys, const json_t *header,
                                         struct slice token)
{
    const char *algorithm = text_of(header, "alg"), *kid = text_of(header, "kid");
    bool tried = false;
    for (size_t i = 0; i < keys->count; i++) {
        if (!fits(&keys->list[i], algorithm, kid))
            continue;
        tried = true;
        if (verifies(&keys->list[i], token))
            return AUTH_VALID;
    }
    return tried ? AUTH_INVALID : AUTH_UNKNOWN_KEY;
}

/* ---- claims ---- */

static bool whole(const json_t *claims, const char *name, int64_t *ret)
{
    const json_t *value = json_object_get(claims, name);
    *ret = json_integer_value(value);
    return json_is_integer(value);
}

static bool holds(const json_t *value, const char *text)
{
    const json_t *item;
    size_t i;
    if (json_is_string(value))
        return strcmp(json_string_value(value), text) == 0;
    json_array_foreach (value, i, item) {
        if (json_is_string(item) && strcmp(json_string_value(item), text) == 0)
            return true;
    }
    return false;
}

static enum auth_verdict check_times(const json_t *claims, int64_t now_s, int64_t *ret_expires_s)
{
    int64_t expires_s, not_before_s;
    if (!whole(claims, "exp", &expires_s) || expires_s <= 0 || expires_s > now_s + EXPIRY_FAR_S)
        return AUTH_INVALID;
    if (json_object_get(claims, "nbf") != NULL &&
        (!whole(claims, "nbf", &not_before_s) || not_before_s > now_s + AUTH_LEEWAY_S))
        return AUTH_INVALID;
    *ret_expires_s = expires_s;
    return now_s >= expires_s + AUTH_LEEWAY_S ? AUTH_EXPIRED : AUTH_VALID;
}

static bool check_parties(const json_t *claims, const struct auth_rules *rules)
{
    const char *issuer = text_of(claims, "iss");
    if (rules->issuer != NULL && (issuer == NULL || strcmp(issuer, rules->issuer) != 0))
        return false;
    return rules->audience == NULL || holds(json_object_get(claims, "aud"), rules->audience);
}

/* ---- rights ---- */

/* The member at a path of names. */
static const json_t *find(const json_t *claims, const char *path)
{
    const json_t *value = claims;
    while (value != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");
        value = json_object_getn(value, path, len);
        path += len + (path[len] == '.');
    }
    return value;
}

static bool is_operator(const json_t *claims, const struct auth_rules *rules)
{
    char value[AUTH_NAME_MAX];
    if (rules->operator_claim == NULL || rules->operator_values == NULL)
        return false;
    const json_t *claim = find(claims, rules->operator_claim);
    for (const char *rest = rules->operator_values; *rest != '\0';) {
        size_t len = strcspn(rest, " ,");
        if (len > 0 && len < sizeof value) {
            memcpy(value, rest, len);
            value[len] = '\0';
            if (holds(claim, value))
                return true;
        }
        rest += len + (rest[len] != '\0');
    }
    return false;
}

static enum auth_right right_of(const json_t *claims, const struct auth_rules *rules)
{
    const json_t *anonymous = json_object_get(claims, "is_anonymous");
    const char *role = text_of(claims, "role"), *subject = text_of(claims, "sub");
    if ((anonymous != NULL && !json_is_false(anonymous)) ||
        (role != NULL && strcmp(role, "anon") == 0))
        return AUTH_NOBODY;
    if ((role != NULL && strcmp(role, "service_role") == 0) || is_operator(claims, rules))
        return AUTH_OPERATOR;
    bool customer = role != NULL && strcmp(role, "authenticated") == 0;
    size_t len = subject != NULL ? strlen(subject) : 0;
    return customer && len > 0 && len < AUTH_NAME_MAX ? AUTH_USER : AUTH_NOBODY;
}

/* Cut to its size. A customer's subject is never cut: right_of checks its length. */
static void copy(char to[AUTH_NAME_MAX], const char *from)
{
    size_t len = from != NULL ? strlen(from) : 0;
    while (len >= AUTH_NAME_MAX || (len > 0 && ((unsigned char)from[len] & 0xc0) == 0x80))
        len--;
    if (len > 0)
        memcpy(to, from, len);
    to[len] = '\0';
}

static enum auth_verdict check_claims(const struct auth_rules *rules, const json_t *claims,
                                      int64_t now_s, struct caller *ret)
{
    int64_t expires_s = 0;
    enum auth_verdict verdict = check_times(claims, now_s, &expires_s);
    if (verdict == AUTH_INVALID || !check_parties(claims, rules))
        return AUTH_INVALID;
    if (verdict == AUTH_VALID) {
        ret->right = right_of(claims, rules);
        ret->expires_s = expires_s;
        copy(ret->subject, text_of(claims, "sub"));
        copy(ret->role, text_of(claims, "role"));
    }
    return verdict;
}

enum auth_verdict auth_check(const struct keys *keys, const struct auth_rules *rules,
                             struct slice token, int64_t now_s, struct caller *ret)
{
    struct parts parts;
    enum auth_verdict verdict = AUTH_INVALID;
    *ret = (struct caller){.right = AUTH_NOBODY};
    if (!split(token, &parts))
        return AUTH_INVALID;
    json_t *header = object_of(parts.header), *claims = NULL;
    if (header != NULL && header_is_plain(header))
        verdict = check_signature(keys, header, token);
    if (verdict == AUTH_VALID) {
        claims = object_of(parts.claims);
        verdict = claims != NULL ? check_claims(rules, claims, now_s, ret) : AUTH_INVALID;
    }
    json_decref(header);
    json_decref(claims);
    return verdict;
}

/* ---- minting ---- */

/* Sets the operator's claim at its path. */
static void put(json_t *claims, const char *path, json_t *value)
{
    json_t *at = claims;
    for (size_t len; path[len = strcspn(path, ".")] == '.'; path += len + 1) {
        json_t *inner = json_object();
        json_object_setn_new(at, path, len, inner);
        at = inner;
    }
    json_object_set_new(at, path, value);
}

static json_t *claims_for(const struct auth_rules *rules, const char *subject, int64_t now_s,
                          int64_t expires_s)
{
    json_t *claims = json_pack("{s:s, s:I, s:I}", "sub", subject, "iat", (json_int_t)now_s, "exp",
                               (json_int_t)expires_s);
    if (claims == NULL)
        return NULL;
    if (rules->issuer != NULL)
        json_object_set_new(claims, "iss", json_string(rules->issuer));
    if (rules->audience != NULL)
        json_object_set_new(claims, "aud", json_string(rules->audience));
    if (rules->operator_claim == NULL)
        json_object_set_new(claims, "role", json_string("service_role"));
    else
        put(claims, rules->operator_claim,
            json_stringn(rules->operator_values, strcspn(rules->operator_values, " ,")));
    return claims;
}

static char *sign(const char *text, const char *secret)
{
    const char *compact = NULL;
    cjose_header_t *header = cjose_header_new(NULL);
    cjose_jwk_t *jwk = cjose_jwk_create_oct_spec((const uint8_t *)secret, strlen(secret), NULL);
    cjose_header_set(header, CJOSE_HDR_ALG, CJOSE_HDR_ALG_HS256, NULL);
    cjose_header_set(header, "typ", "JWT", NULL);
    cjose_jws_t *jws =
        jwk != NULL ? cjose_jws_sign(jwk, header, (const uint8_t *)text, strlen(text), NULL) : NULL;
    char *token = jws != NULL && cjose_jws_export(jws, &compact, NULL) ? strdup(compact) : NULL;
    cjose_jws_release(jws);
    cjose_jwk_release(jwk);
    cjose_header_release(header);
    return token;
}

char *auth_mint(const struct auth_rules *rules, const char *secret, const char *subject,
                int64_t now_s, int64_t expires_s, struct error *err)
{
    json_t *claims = claims_for(rules, subject, now_s, expires_s);
    char *text = claims != NULL ? json_dumps(claims, JSON_COMPACT) : NULL;
    char *token = text != NULL ? sign(text, secret) : NULL;
    json_decref(claims);
    free(text);
    if (token == NULL)
        error_set(err, ERROR_FAILED, "the token could not be signed");
    return token;
}
