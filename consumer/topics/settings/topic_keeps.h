/* topic_keeps: finds settings by which the orders' topic would lose orders before they are read.
 * Pure. */
#ifndef TOPICS_SETTINGS_TOPIC_KEEPS_H
#define TOPICS_SETTINGS_TOPIC_KEEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A topic's settings, as the cluster has them. */
struct topic_settings {
    char policy[64];      /* cleanup.policy: "delete", "compact", "compact,delete"; "": unknown */
    int64_t retention_ms; /* -1: for ever */
    int64_t retention_bytes;   /* of a partition; -1: no limit */
    int64_t compaction_lag_ms; /* min.compaction.lag.ms: how long all changes are kept at least */
};

enum topic_keeps {
    TOPIC_KEEPS,        /* long enough for a long outage */
    TOPIC_KEEPS_LITTLE, /* an outage of some hours or days loses orders */
    TOPIC_LOSES         /* orders are lost in everyday use */
};

enum { TOPIC_KEEPS_TEXT = 480 };

/* *ret_why names each setting at fault, what it costs, and what to set; "" for TOPIC_KEEPS. */
enum topic_keeps topic_keeps_orders(const struct topic_settings *settings,
                                    char ret_why[TOPIC_KEEPS_TEXT]);

#endif
