/* exporter: takes spans to the collector, beside the loop's other work: nothing waits for it and
 * nothing fails with it.
 *
 *   exporter_add ─▶ batch (≤ 512 spans, ≤ 1 s) ─▶ … ─▶ POST, one at a time ─▶ gone
 *                   at most 8 of them                    └─(429, 502, 503, 504, no answer: again,
 *                                                           for a minute at most)
 *
 * Spans without room, refused by the collector, or not taken in time are dropped, counted, and
 * logged once a minute. Not thread-safe. Times: clock_mono_ms. */
#ifndef TRACING_EXPORTER_H
#define TRACING_EXPORTER_H

#include "tracing/collector.h"
#include "tracing/span.h"

struct exporter;

/* `instance` names this process among others. Everything is borrowed but the config, which is only
 * read. NULL with err. Without trace.url it takes no spans. */
struct exporter *exporter_new(struct http *http, const struct config *config, const char *instance,
                              struct error *err);
void exporter_free(struct exporter *e); /* before the http that it uses; accepts NULL */

/* Another collector from now on; what waits goes there. *collector becomes the exporter's. */
void exporter_reload(struct exporter *e, struct collector *collector);

/* Whether spans of this trace are wanted. */
bool exporter_is_on(const struct exporter *e);
bool exporter_wants(const struct exporter *e, const char trace_id[TRACE_ID_TEXT]);

void exporter_add(struct exporter *e, const struct span *span, int64_t now_ms);

/* Once a turn, before http_turn. */
void exporter_turn(struct exporter *e, int64_t now_ms);
int64_t exporter_wait_until(const struct exporter *e); /* -1: not waiting */

/* The last of it: sends what there is, for a second at most, turning the loop. */
void exporter_finish(struct exporter *e, struct loop *loop);

struct exporter_counts {
    uint64_t exported, dropped; /* spans */
    size_t queued;              /* spans that are neither yet */
};
const struct exporter_counts *exporter_counts(const struct exporter *e);

#endif
