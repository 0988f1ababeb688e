/* demo: the whole pipeline with nothing but this program: a shop, a Kafka (librdkafka's mock
 * cluster), a schema registry, the delivering process, a receiver, and accounts at the end. */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include "base/error.h"
#include "config/config.h"
#include "sys/signals.h"

#include <stdint.h>

struct demo_options {
    uint64_t orders; /* 0: until Ctrl-C */
    double rate;     /* new orders a second */
    uint64_t seed;
    const char *webhook_url;  /* NULL: a receiver of the demo's own */
    const char *journal_path; /* NULL: none; else one JSON line a confirmation is written there */
    int stop_fd;              /* signals_open */
};

/* The config is the delivering process's; the demo sets its Kafka, registry and webhook. True when
 * the accounts balance. */
bool demo_run(struct config *config, const struct demo_options *options,
              struct error *err) must_check;

#endif
