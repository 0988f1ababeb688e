/* pipeline: one turn of the loop: records in, deliveries out, commits up to the watermark.
 *
 * Wires the parts of this folder and gives each its turn. One thread; everything happens in
 * pipeline_run. */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include "base/error.h"
#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>

struct pipeline;

/* Connects nothing yet. The config must outlive it. */
struct pipeline *pipeline_new(const struct config *config, struct error *err);
void pipeline_free(struct pipeline *p); /* accepts NULL */

/* The port that ops.listen was given; -1: none. */
int pipeline_ops_port(const struct pipeline *p);

struct pipeline_options {
    bool until_end;     /* settle and commit everything up to the end offsets of now, then return */
    int64_t timeout_ms; /* of until_end; -1: none */
    bool start_at_end;  /* kafka.start=latest, although the group delivered before (start_guard) */
    int stop_fd;        /* a signalfd: SIGHUP reads the secrets again, any other signal stops */
};

/* Runs until a signal stops it (true: everything in flight was finished or handed back, and what
 * was settled is committed), until the end (true), or until it cannot go on. */
bool pipeline_run(struct pipeline *p, const struct pipeline_options *options,
                  struct error *err) must_check;

#endif
