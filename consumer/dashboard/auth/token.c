#include "dashboard/auth/token.h"

#include "base/slice.h"
#include "dashboard/auth/base64url.h"
#include "dashboard/auth/claims.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Supabase's keys live for ten years; an expiry a century away is invalid. */
#define EXPIRY_FAR_S (INT64_C(100) * 366 * 24 * 3600)

/* ---- form ---- */

struct parts {
    struct slice header, claims, signature, signed_text;
};

static enum auth_verdict because(struct caller *caller, enum auth_verdict verdict,
                                 const char *cause)
{
    caller->cause = cause;
    return verdict;
}

static bool split(struct slice token, struct parts *ret)
{
    struct slice *parts[] = {&ret->header, &ret->claims, &ret->signature};
    size_t at = 0;
    if (token.len > AUTH_TOKEN_MAX)
        return false;
    for (size_t i = 0; i < 3; i++) {
        size_t start = at;
        while (at < token.len && base64url_has(token.data[at]))
            at++;
        *parts[i] = (struct slice){token.data + start, at - start};
        if (parts[i]->len == 0)
            return false;
        if (i < 2 && (at == token.len || token.data[at++] != '.'))
            return false;
    }
    ret->signed_text = (struct slice){token.data, (size_t)(ret->signature.data - 1 - token.data)};
    return at == token.len;
}

static json_t *object_of(struct slice encoded)
{
    uint8_t bytes[AUTH_TOKEN_MAX];
    size_t len = base64url_decode(encoded, bytes, sizeof bytes);
    json_t *value = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Refuses headers by which a token chooses its own key, or needs an extension. NULL: none. */
static const char *check_header(const json_t *header)
{
    static const char *const refused[] = {"crit", "jku", "jwk", "x5u", "x5c", "b64", "zip"};
    const json_t *kid = json_object_get(header, "kid");
    if (header == NULL)
        return "its header is not a JSON object";
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (json_object_get(header, refused[i]) != NULL)
            return "its header brings a key or an extension (crit, jku, jwk, x5u, x5c, b64, zip)";
    if (text_of(header, "alg") == NULL)
        return "its header has no alg";
    if (strcasecmp(text_of(header, "alg"), "none") == 0)
        return "it is not signed (alg none)";
    return kid == NULL || (json_is_string(kid) && json_string_length(kid) < KEY_ID_MAX)
               ? NULL
               : "its kid is not a text of at most 127 bytes";
}

/* ---- signature ---- */

static bool verifies(const struct key *key, const struct parts *parts, struct slice signature)
{
    return key->public != NULL
               ? jws_verifies(key->algorithm, key->public, parts->signed_text, signature)
               : jws_hs256_verifies(key->secret, parts->signed_text, signature);
}

static enum auth_verdict check_signature(const struct keys *keys, const json_t *header,
                                         const struct parts *parts, struct caller *ret)
{
    const char *algorithm = text_of(header, "alg"), *kid = text_of(header, "kid");
    uint8_t bytes[JWS_BYTES_MAX];
    struct slice signature = {(const char *)bytes,
                              base64url_decode(parts->signature, bytes, sizeof bytes)};
    const char *cause = "no key is for its alg";
    bool tried = false;
    for (size_t i = 0; signature.len > 0 && i < keys->count; i++) {
        const struct key *key = &keys->list[i];
        if (!jws_is_named(key->algorithm, algorithm))
            continue;
        cause = tried ? cause : "no key of its alg has its kid";
        if (kid != NULL && key->id[0] != '\0' && strcmp(key->id, kid) != 0)
            continue;
        tried = true;
        cause = "its signature does not verify";
        if (verifies(key, parts, signature))
            return AUTH_VALID;
    }
    if (signature.len == 0)
        return because(ret, AUTH_INVALID, "its signature is not base64url of at most 1024 bytes");
    return because(ret, tried ? AUTH_INVALID : AUTH_UNKNOWN_KEY, cause);
}

/* ---- claims ---- */

static bool whole(const json_t *claims, const char *name, int64_t *ret)
{
    const json_t *value = json_object_get(claims, name);
    *ret = json_integer_value(value);
    return json_is_integer(value);
}

static bool is_text(const json_t *value, struct slice text)
{
    return json_is_string(value) && slice_is(text, json_string_value(value));
}

static bool holds(const json_t *value, struct slice text)
{
    const json_t *item;
    size_t i;
    json_array_foreach (value, i, item) {
        if (is_text(item, text))
            return true;
    }
    return is_text(value, text);
}

static enum auth_verdict check_times(const json_t *claims, int64_t now_s, int64_t *ret_expires_s,
                                     struct caller *ret)
{
    int64_t expires_s, not_before_s = 0;
    if (!whole(claims, "exp", &expires_s) || expires_s <= 0 || expires_s > now_s + EXPIRY_FAR_S)
        return because(ret, AUTH_INVALID,
                       "its exp is missing, or not a whole number of seconds within a century");
    if (json_object_get(claims, "nbf") != NULL && !whole(claims, "nbf", &not_before_s))
        return because(ret, AUTH_INVALID, "its nbf is not a whole number");
    if (not_before_s > now_s + AUTH_LEEWAY_S)
        return because(ret, AUTH_INVALID, "it is not valid yet (nbf)");
    *ret_expires_s = expires_s;
    return now_s >= expires_s + AUTH_LEEWAY_S ? because(ret, AUTH_EXPIRED, "it has expired (exp)")
                                              : AUTH_VALID;
}

/* NULL, or what is wrong. */
static const char *check_parties(const json_t *claims, const struct auth_rules *rules)
{
    const char *issuer = text_of(claims, "iss");
    if (rules->issuer != NULL && (issuer == NULL || strcmp(issuer, rules->issuer) != 0))
        return "its iss is not auth.issuer";
    return rules->audience == NULL ||
                   holds(json_object_get(claims, "aud"), slice_of(rules->audience))
               ? NULL
               : "its aud does not hold auth.audience";
}

/* ---- rights ---- */

static bool is_operator(const json_t *claims, const struct auth_rules *rules)
{
    const char *values = rules->operator_values;
    struct slice value;
    if (rules->operator_claim == NULL || values == NULL)
        return false;
    const json_t *claim = claims_find(claims, rules->operator_claim);
    while ((value = words_next(&values)).len > 0)
        if (value.len < AUTH_NAME_MAX && holds(claim, value))
            return true;
    return false;
}

static bool is_customer(const json_t *claims, const char **ret_cause)
{
    const char *role = text_of(claims, "role"), *subject = text_of(claims, "sub");
    size_t len = subject != NULL ? strlen(subject) : 0;
    *ret_cause = "its role is neither authenticated nor service_role, and it has no operator claim";
    if (role == NULL || strcmp(role, "authenticated") != 0)
        return false;
    *ret_cause = "its sub is missing, or longer than 255 bytes";
    return len > 0 && len < AUTH_NAME_MAX;
}

static void set_rights(const json_t *claims, const struct auth_rules *rules, struct caller *ret)
{
    const json_t *anonymous = json_object_get(claims, "is_anonymous");
    const char *role = text_of(claims, "role"), *aal = text_of(claims, "aal");
    bool is_service = role != NULL && strcmp(role, "service_role") == 0;
    ret->cause = "it is an anonymous visitor's (role anon, or is_anonymous)";
    if ((anonymous != NULL && !json_is_false(anonymous)) ||
        (role != NULL && strcmp(role, "anon") == 0))
        return;
    if (is_customer(claims, &ret->cause)) {
        ret->right = ret->right_as_user = AUTH_USER;
        ret->cause = "it is a customer's: it has no operator claim";
    }
    if (!is_service && !is_operator(claims, rules))
        return;
    ret->right = AUTH_OPERATOR;
    ret->is_strong = is_service || (aal != NULL && strcmp(aal, "aal2") == 0);
    ret->cause = NULL;
}

/* Cut to its size. A customer's subject is never cut: is_customer checks its length. */
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
    if (claims == NULL)
        return because(ret, AUTH_INVALID, "its claims are not a JSON object");
    enum auth_verdict verdict = check_times(claims, now_s, &expires_s, ret);
    const char *cause = check_parties(claims, rules);
    if (verdict != AUTH_INVALID && cause != NULL)
        return because(ret, AUTH_INVALID, cause);
    if (verdict != AUTH_VALID)
        return verdict;
    set_rights(claims, rules, ret);
    ret->expires_s = expires_s;
    copy(ret->subject, text_of(claims, "sub"));
    copy(ret->role, text_of(claims, "role"));
    return AUTH_VALID;
}

enum auth_verdict auth_check(const struct keys *keys, const struct auth_rules *rules,
                             struct slice token, int64_t now_s, struct caller *ret)
{
    struct parts parts;
    *ret = (struct caller){.right = AUTH_NOBODY};
    if (!split(token, &parts))
        return because(ret, AUTH_INVALID,
                       "it is not a JSON Web Token of at most 8 KiB, nor one of auth.service_keys");
    json_t *header = object_of(parts.header), *claims = NULL;
    const char *cause = check_header(header);
    enum auth_verdict verdict = cause != NULL ? because(ret, AUTH_INVALID, cause)
                                              : check_signature(keys, header, &parts, ret);
    if (verdict == AUTH_VALID) {
        claims = object_of(parts.claims);
        verdict = check_claims(rules, claims, now_s, ret);
    }
    json_decref(header);
    json_decref(claims);
    return verdict;
}

/* ---- minting ---- */

/* The first value of an operator's claim; no bytes: there is none. */
static struct slice first_value(const struct auth_rules *rules)
{
    const char *values = rules->operator_values;
    return values != NULL ? words_next(&values) : (struct slice){0};
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
    if (rules->mints_aal2)
        json_object_set_new(claims, "aal", json_string("aal2"));
    if (rules->operator_claim == NULL) {
        json_object_set_new(claims, "role", json_string("service_role"));
    } else {
        struct slice value = first_value(rules);
        claims_put(claims, rules->operator_claim, json_stringn(value.data, value.len));
    }
    return claims;
}

/* header.claims.signature; the caller's, NULL without memory. */
static char *sign(const char *claims, const char *secret)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    unsigned char signature[JWS_HS256_BYTES];
    struct buf b;
    size_t len;
    buf_init(&b, AUTH_TOKEN_MAX);
    base64url_add(&b, header, sizeof header - 1);
    buf_add_char(&b, '.');
    base64url_add(&b, claims, strlen(claims));
    if (buf_ok(&b) && jws_hs256_make(secret, (struct slice){b.data, b.len}, signature)) {
        buf_add_char(&b, '.');
        base64url_add(&b, signature, sizeof signature);
        (void)buf_text(&b);
        if (buf_ok(&b))
            return buf_take(&b, &len);
    }
    buf_done(&b);
    return NULL;
}

char *auth_mint(const struct auth_rules *rules, const char *secret, const char *subject,
                int64_t now_s, int64_t expires_s, struct error *err)
{
    if (rules->operator_claim != NULL && first_value(rules).len == 0) {
        error_set(err, ERROR_CONFIG, "auth.operator_values holds no value");
        return NULL;
    }
    json_t *claims = claims_for(rules, subject, now_s, expires_s);
    char *text = claims != NULL ? json_dumps(claims, JSON_COMPACT) : NULL;
    char *token = text != NULL ? sign(text, secret) : NULL;
    json_decref(claims);
    free(text);
    if (token == NULL)
        error_set(err, ERROR_FAILED, "the token could not be signed");
    return token;
}
