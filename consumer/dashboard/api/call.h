/* call: one call of the API, as its handler gets it; reads its parameters and logs its audit line.
 */
#ifndef DASHBOARD_API_CALL_H
#define DASHBOARD_API_CALL_H

#include "dashboard/auth/token.h"
#include "dashboard/web/reply.h"

#include <jansson.h>

struct api;
struct order_facts;
struct pending;

struct call {
    struct api *api;
    struct web_request *x;
    struct caller caller;
    bool keys_awaited; /* it has waited for newer keys once */
    const char *route; /* the pattern of its path, which names no order; NULL: not found */
    char *key;         /* the path's, decoded, at most VIEW_KEY_MAX bytes; "": none. The router's */
    void (*resume)(struct pending *p); /* begins the call again, once newer keys are there */
};

/* The body as an object, the caller's; NULL: it is not one, and the call is answered. */
json_t *call_body(const struct call *call);

/* Answers 400 with this detail. */
void call_bad(const struct call *call, const char *detail);

/* Reads the facts that the view has of the path's order. False: it has none, and the call is
 * answered. */
bool call_facts(const struct call *call, struct order_facts *ret);

/* A parameter of the query; *ret is untouched when it is missing. False: the call is answered. */
bool call_number(const struct call *call, const char *name, int64_t least, int64_t most,
                 int64_t *ret);
bool call_text(const struct call *call, const char *name, size_t most, const char **ret);

/* The subject, or without one the role. */
const char *caller_name(const struct caller *caller);

/* Logs an action and its caller: one line, at every log level. */
void call_audit(const struct caller *caller, const char *what, const char *order,
                const char *request);

#endif
