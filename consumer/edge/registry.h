/* registry: Confluent's Schema Registry API, asynchronous; schemas cached by id.
 *
 * GET {url}/schemas/ids/{id}; references (GET {url}/subjects/{subject}/versions/{version}) are resolved
 * and inlined, so that what is handed out is one self-contained Avro schema. */
#ifndef EDGE_REGISTRY_H
#define EDGE_REGISTRY_H

#include "core/config.h"
#include "edge/http.h"

enum registry_answer {
    REGISTRY_HAVE,    /* *ret_schema is set */
    REGISTRY_PENDING, /* asked for; come back after the `changed` callback */
    REGISTRY_FAILED   /* the registry says that there is no such schema, twice, 30 s apart at least;
                         or that it is no Avro. err says why */
};

struct registry;

/* `changed` is called (from http_turn or registry_turn) whenever an answer may have changed. */
struct registry *registry_new(struct http *http, const struct config *config,
                              void (*changed)(void *context), void *context, struct error *err);
void registry_free(struct registry *registry); /* accepts NULL */

/* *ret_schema: Avro schema as JSON, NUL-terminated, valid for the registry's life. A registry that is
 * down or answers nonsense is logged once, asked again with backoff, and stays PENDING. */
enum registry_answer registry_get(struct registry *registry, int32_t id, const char **ret_schema,
                                  struct error *err);

/* Starts what is due; returns ms until it wants to be called again, or -1. */
int64_t registry_turn(struct registry *registry, int64_t now_ms);

#endif
