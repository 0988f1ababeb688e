/* reloader: a rotated secret is taken up while everything goes on.
 *
 * Taken up: the webhook (URL, signing keys, extra headers, trust, limits of an answer) and the
 * registry's credentials; other options that changed are logged, and wait for a restart. Attempts
 * under way end as they are; one that fails at the old address does not count against the new one,
 * and its order is simply sent again. Not thread-safe. */
#ifndef PIPELINE_RELOADER_H
#define PIPELINE_RELOADER_H

#include "config/config.h"
#include "delivery/webhook.h"
#include "pipeline/sending/endpoint.h"
#include "registry/registry.h"
#include "sys/clock.h"
#include "tracing/exporter.h"

struct reloader;

struct reloader_uses {
    const struct config *config; /* of the start */
    const struct now *now;
    struct registry *registry;
    struct webhook *webhook;
    struct endpoint *endpoint;
    struct exporter *exporter;
};

struct reloader *reloader_new(const struct reloader_uses *uses); /* NULL without memory */
void reloader_free(struct reloader *r); /* after what it reloads; accepts NULL */

void reloader_ask(struct reloader *r);  /* at the next turn, whatever the files */
void reloader_turn(struct reloader *r); /* reads the configuration again if a file has changed */

struct reloader_counts {
    uint64_t reloads, failures;
};
const struct reloader_counts *reloader_counts(const struct reloader *r);

#endif
