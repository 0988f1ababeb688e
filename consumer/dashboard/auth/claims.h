/* claims: a claim at a path of names, "app_metadata.role".
 *
 * A name with "://" in it is one claim, as providers name their own ("https://shop.example/role"),
 * dots and slashes included; a name in quotes is one whatever it holds:
 * "https://hasura.io/jwt/claims".role. Pure. */
#ifndef DASHBOARD_AUTH_CLAIMS_H
#define DASHBOARD_AUTH_CLAIMS_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

/* False with the reason: a name is empty, or a quote is not closed. */
bool claims_check_path(const char *path, struct error *err) must_check;

/* The same of auth.operator_claim, which the reason names; NULL, where it is not set, is fine. */
bool claims_check_option(const char *path, struct error *err) must_check;

/* The member at the path, borrowed; NULL: none. */
const json_t *claims_find(const json_t *claims, const char *path);

/* Sets the member at the path, and the objects on the way to it. Consumes the value. */
void claims_put(json_t *claims, const char *path, json_t *value);

#endif
