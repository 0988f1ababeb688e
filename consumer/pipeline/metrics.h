/* metrics: the answer of the ops port: Prometheus' text exposition format, version 0.0.4. */
#ifndef PIPELINE_METRICS_H
#define PIPELINE_METRICS_H

#include "base/buf.h"
#include "pipeline/overview.h"

/* started_ms: wall clock. */
void metrics_write(const struct overview *o, int64_t started_ms, struct buf *b);

#endif
