/* metrics_text: the program's metrics in Prometheus' text format 0.0.4. Each name is written with
 * "elementor_sync_" before it; names, labels and help texts are ours and need no escape. */
#ifndef SYS_METRICS_TEXT_H
#define SYS_METRICS_TEXT_H

#include "base/buf.h"

#include <stdint.h>

#define METRIC_PREFIX "elementor_sync_"

/* A row of a program's table of metrics. Type: "counter", "gauge" or "histogram". */
struct metric {
    const char *name, *type, *help;
};

/* HELP and TYPE; the samples follow. */
void metric_head(struct buf *b, const struct metric *metric);

/* A whole metric with one sample: a count, a whole number, or a number with three decimals. */
void metric_count(struct buf *b, const struct metric *metric, uint64_t value);
void metric_number(struct buf *b, const struct metric *metric, int64_t value);
void metric_real(struct buf *b, const struct metric *metric, double value);

/* A sample with one label. */
void metric_of(struct buf *b, const struct metric *metric, const char *label, const char *text,
               uint64_t value);

/* Times, by how many took at most so long. Zero is an empty one. */
enum { HISTOGRAM_BOUNDS = 16 };
struct histogram {
    uint64_t took[HISTOGRAM_BOUNDS + 1]; /* the last: longer than any bound */
    int64_t sum_ms;
};
void histogram_note(struct histogram *h, int64_t took_ms);
uint64_t histogram_count(const struct histogram *h);

/* Its samples; metric_head goes before. labels: `hop="read"`, or "" for none. */
void metric_histogram(struct buf *b, const struct metric *metric, const char *labels,
                      const struct histogram *h);

/* The process's own metrics, under the names that Prometheus' client libraries give them: processor
 * time, resident memory, open files and their limit. A value that the system does not give is left
 * out. */
void metrics_process(struct buf *b);

/* name="value", with any value. */
void metric_label(struct buf *b, const char *name, const char *value);

#endif
