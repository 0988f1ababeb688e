/* registry: Confluent's Schema Registry API, asynchronous; schemas cached by what names them.
 *
 * Requests are those of registry/schema_url. A schema that refers to others is asked for once more
 * in its resolved form. A registry that does not offer that is asked for each reference, and they
 * are inlined. The result is one self-contained Avro schema.
 *
 * registry.url may list several addresses of one registry (sys/url_list): the next one is asked
 * when one is in trouble, and stays in use. */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include "cdc/schema_ref.h"
#include "config/config.h"
#include "http/http_client.h"

enum registry_answer {
    REGISTRY_HAVE,    /* *ret_schema is set */
    REGISTRY_PENDING, /* asked for; come back after the `changed` callback */
    REGISTRY_MISSING, /* the registry itself answers, twice and 30 s apart at least, that there is
                         no such schema (asked again when wanted 30 s later); err has it */
    REGISTRY_FAILED   /* err has the reason: it is not Avro, or does not fit together with what it
                       * refers to
                       */
};

struct registry;

enum { REGISTRY_IN_FLIGHT_MAX = 8 }; /* requests at a time */

/* The way to the registry: its trust, login and headers (registry.headers.* among them). */
struct registry_way {
    struct http_endpoint endpoint;         /* texts borrowed from the config */
    char *headers[CONFIG_HEADERS_MAX + 2]; /* "Name: value", NULL behind the last; owned */
    struct client_identity *identity;      /* owned; NULL: none is shown */
};

/* Reads the client certificate. False with err CONFIG, which names its option and file, or without
 * memory; there is nothing to end then. */
bool registry_way_init(struct registry_way *way, const struct config *config,
                       struct error *err) must_check;
void registry_way_done(struct registry_way *way); /* accepts one of zeros */

/* `changed` is called (from http_turn or registry_turn) whenever an answer may have changed. config
 * is borrowed for the registry's life. */
struct registry *registry_new(struct http *http, const struct config *config,
                              void (*changed)(void *context), void *context, struct error *err);
void registry_free(struct registry *registry); /* accepts NULL */

/* Goes another config's way from now on. Takes the way over; its config is borrowed as before. */
void registry_reload(struct registry *registry, struct registry_way *way);

/* *ret_schema: Avro schema as JSON, NUL-terminated, valid until registry_forget. A registry that
 * is down or answers nonsense is logged once, asked again with backoff, and stays PENDING. */
enum registry_answer registry_get(struct registry *registry, const struct schema_ref *schema,
                                  const char **ret_schema, struct error *err);

struct registry_trouble {
    int64_t since_ms; /* by clock_mono_ms() */
    char reason[200]; /* why it was not understood the last time */
};

/* NULL while the registry answers as it should, as far as it was asked. */
const struct registry_trouble *registry_trouble(const struct registry *registry);

/* Forgets a schema, unless it is being asked for: the next registry_get asks. A
 * schema that registry_get returned for it is no longer valid. */
void registry_forget(struct registry *registry, const struct schema_ref *schema);

/* The wait after a first trouble (1 s by default; doubles up to 30 s), and between the two answers
 * that make an id MISSING (30 s by default). For tests. */
void registry_set_pace(struct registry *registry, int64_t retry_first_ms, int64_t miss_interval_ms);

/* Starts the requests that are due; returns ms until the next call is due, or -1. now_ms is
 * clock_mono_ms(). Call it after http_turn, whose callbacks set its deadlines; it returns 0 when it
 * has started something, so that http_turn comes round before the loop waits. */
int64_t registry_turn(struct registry *registry, int64_t now_ms);

#endif
