/* token: verifies a JSON Web Token, and reads the caller and their rights from it.
 *
 *   anon, is_anonymous                        NOBODY, however well signed
 *   role authenticated                        USER: a customer of the shop
 *   role service_role, or the operator claim  OPERATOR: a service, or a person
 *
 * The key determines the algorithm, never the token. Pure: the clock is the caller's. */
#ifndef DASHBOARD_AUTH_TOKEN_H
#define DASHBOARD_AUTH_TOKEN_H

#include "dashboard/auth/keys.h"

#include <stdint.h>

enum { AUTH_TOKEN_MAX = 8192, AUTH_NAME_MAX = 256, AUTH_LEEWAY_S = 30 };

enum auth_right { AUTH_NOBODY, AUTH_USER, AUTH_OPERATOR };

enum auth_verdict {
    AUTH_VALID,
    AUTH_INVALID,
    AUTH_EXPIRED,    /* validly signed, and expired */
    AUTH_UNKNOWN_KEY /* its key is unknown: a newer set of keys may have it */
};

struct auth_rules { /* texts borrowed; NULL: not checked */
    const char *issuer, *audience;
    const char *operator_claim;  /* "app_metadata.role"; a path of claims.h */
    const char *operator_values; /* words; a minted token has the first */
    bool mints_aal2;             /* a minted token is to pass where a second factor is asked for */
};

struct caller {
    enum auth_right right, right_as_user; /* the second: without the operator's */
    bool is_strong;    /* signed in with a second factor (aal2), or a service, which has none */
    const char *cause; /* static: why there is no right, or no more; NULL: a full one. Without any
                        * part of the token, which is the caller's to choose */
    char subject[AUTH_NAME_MAX], role[AUTH_NAME_MAX]; /* "": none */
    int64_t expires_s;
};

/* The cause is set of every verdict but a valid one, and of a right that is NOBODY or USER. */
enum auth_verdict auth_check(const struct keys *keys, const struct auth_rules *rules,
                             struct slice token, int64_t now_s, struct caller *ret);

/* A token for an operator, signed with the secret (HS256); free() it. NULL with an error. */
char *auth_mint(const struct auth_rules *rules, const char *secret, const char *subject,
                int64_t now_s, int64_t expires_s, struct error *err);

#endif
