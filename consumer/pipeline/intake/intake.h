/* intake: takes records while there is room and has each decided.
 *
 *   consumer ─▶ batch ─(while there is room)─▶ decision ─▶ window, order queues, suspects
 *
 * Serves the partitions in rounds, a batch at a time; one that waits for a schema, for memory or
 * for room holds up no other. Not thread-safe. */
#ifndef PIPELINE_INTAKE_INTAKE_H
#define PIPELINE_INTAKE_INTAKE_H

#include "config/config.h"
#include "kafka/consumer/consumer.h"
#include "order/rule.h"
#include "order/status_cache.h"
#include "pipeline/sending/sender.h"
#include "pipeline/tracking/backlog.h"
#include "pipeline/tracking/partitions.h"
#include "registry/registry.h"

struct intake;

struct intake_uses {
    const struct config *config;
    const struct now *now;
    struct consumer *consumer;
    struct registry *registry;
    struct partitions *partitions;
    struct backlog *backlog;
    const struct sender_state *sending;
    const struct endpoint_state *endpoint;
    const struct pause *pause;
};

struct intake *intake_new(const struct intake_uses *uses); /* NULL without memory */
void intake_free(struct intake *i);                        /* accepts NULL */

void intake_turn(struct intake *i);
bool intake_may_read(struct intake *i); /* there may be more to read at once */

/* Records may have arrived in any queue; a schema has arrived, or will not. */
void intake_wake(struct intake *i);
void intake_schema_changed(struct intake *i);

/* Gives up the partition's records that are read and not decided, its suspects too. */
void intake_drop(struct intake *i, struct partition *partition);

struct intake_counts {
    uint64_t consumed;       /* decided */
    uint64_t repeated;       /* by the fetcher: dropped */
    uint64_t settled_before; /* by an earlier owner: passed */
    uint64_t skipped[SKIP_REASON_COUNT];
    uint64_t abandoned; /* suspects */
};
const struct intake_counts *intake_counts(const struct intake *i);

struct intake_oddities {
    uint64_t before_unknown, snapshot_unsent;
};
struct intake_oddities intake_oddities(const struct intake *i);
struct status_cache_stats intake_status_cache(const struct intake *i);

/* Why orders are not read, a line for /readyz; NULL: they are. */
const char *intake_trouble(const struct intake *i);

#endif
