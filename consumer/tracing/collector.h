/* collector: where spans go (trace.url), what is sent along, and which share of all traces is
 * recorded, as a configuration says. */
#ifndef TRACING_COLLECTOR_H
#define TRACING_COLLECTOR_H

#include "config/config.h"
#include "http/http_client.h"

struct collector {
    char *url;                                 /* owned; NULL: no traces */
    char *host;                                /* "collector:4318": what logs may show; owned */
    double share;                              /* of the traces, 0 to 1 */
    char *headers[1 + CONFIG_HEADERS_MAX + 1]; /* "Name: value", owned, NULL-terminated */
    char *ca_file;                             /* owned */
    struct client_identity *identity;          /* owned */
    struct http_endpoint endpoint;
};

/* Copies what it needs: nothing is borrowed. False with err CONFIG, which never repeats the URL or
 * a header, when something of trace.* cannot be used. */
bool collector_init(struct collector *collector, const struct config *config,
                    struct error *err) must_check;
void collector_done(struct collector *collector); /* a zeroed one, too */

/* A request that holds no spans: what asks whether it would take some. */
extern const char collector_nothing[];

/* POSTs an ExportTraceServiceRequest in JSON; body and collector are borrowed until done. NULL
 * with err when it could not be started. */
struct http_request *collector_post(const struct collector *collector, struct http *http,
                                    const char *body, size_t body_len, http_done *done,
                                    void *context, struct error *err);

#endif
