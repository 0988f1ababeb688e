/* reply: answers in JSON, and problem documents (RFC 9457). */
#ifndef DASHBOARD_WEB_REPLY_H
#define DASHBOARD_WEB_REPLY_H

#include "http/web_server.h"

#include <jansson.h>

/* name, status, title. Each answer adds its detail. */
#define PROBLEMS(X)                                                                 \
    X(BAD_REQUEST, "bad-request", 400, "The request cannot be read")                \
    X(UNAUTHORIZED, "unauthorized", 401, "A valid token is needed")                 \
    X(EXPIRED, "expired", 401, "The token has expired")                             \
    X(FORBIDDEN, "forbidden", 403, "This token does not give this right")           \
    X(SECOND_FACTOR, "second-factor", 403, "A second factor is needed")             \
    X(ORIGIN, "origin", 403, "Requests of this origin are not allowed")             \
    X(NOT_FOUND, "not-found", 404, "There is no such thing")                        \
    X(NEVER_SEEN, "never-seen", 404, "This order was never seen")                   \
    X(METHOD, "method", 405, "This method is not allowed here")                     \
    X(UNDER_WAY, "under-way", 409, "This order is under way")                       \
    X(DELIVERED, "delivered", 409, "This order was delivered")                      \
    X(SUPERSEDED, "superseded", 409, "A later confirmation of this order was seen") \
    X(OVERTAKEN, "overtaken", 409, "This order lost its status before it was sent") \
    X(NOT_PARKED, "not-parked", 409, "This order is not parked")                    \
    X(COUNT_CHANGED, "count-changed", 409, "The number of orders has changed")      \
    X(BUSY, "busy", 409, "Another redrive is running")                              \
    X(GONE, "gone", 410, "The record is no longer kept")                            \
    X(TOO_LARGE, "too-large", 413, "The body is too large")                         \
    X(MEDIA_TYPE, "media-type", 415, "The body must be application/json")           \
    X(NEVER, "never", 422, "This order can never be sent as it is")                 \
    X(TOO_MANY, "too-many", 429, "Too many requests wait")                          \
    X(TOO_OFTEN, "too-often", 429, "Too many calls in a short time")                \
    X(TOO_SOON, "too-soon", 429, "This order was sent again a moment ago")          \
    X(KEYS, "keys", 503, "The keys that verify tokens are being fetched")           \
    X(INTERNAL, "internal", 500, "Something went wrong here")                       \
    X(REFUSED, "refused", 502, "The endpoint did not take this order")              \
    X(REGISTRY, "registry", 503, "The schema registry does not answer")             \
    X(UNAVAILABLE, "unavailable", 503, "Kafka does not answer")

enum problem {
#define X(id, name, status, title) PROBLEM_##id,
    PROBLEMS(X)
#undef X
};

const char *problem_name(enum problem problem);

/* detail: a sentence for the caller; NULL: none. more: further members, consumed; NULL: none. */
void reply_problem(struct web_request *x, enum problem problem, const char *detail, json_t *more);

/* Consumes the value; NULL is answered as an internal problem. */
void reply_json(struct web_request *x, unsigned status, json_t *value);

/* The headers that every answer has. */
void reply_common_headers(struct web_request *x);

#endif
