/* metrics_text: the program's metrics in Prometheus' text format 0.0.4. Each name is written with
 * "elementor_sync_" before it; names, labels and help texts are ours and need no escape. */
#ifndef SYS_METRICS_TEXT_H
#define SYS_METRICS_TEXT_H

#include "base/buf.h"

#include <stdint.h>

#define METRIC_PREFIX "elementor_sync_"

/* HELP and TYPE ("counter", "gauge", "histogram"); the samples follow. */
void metric_head(struct buf *b, const char *name, const char *type, const char *help);

/* A whole metric with one sample. */
void metric_counter(struct buf *b, const char *name, uint64_t value, const char *help);
void metric_gauge(struct buf *b, const char *name, int64_t value, const char *help);

/* The process's own metrics, under the names that Prometheus' client libraries give them: processor
 * time, resident memory, open files and their limit. What the system does not tell is left out. */
void metrics_process(struct buf *b);

/* name="value", with any value. */
void metric_label(struct buf *b, const char *name, const char *value);

#endif
