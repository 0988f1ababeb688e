/* cleanup_policy: the cleanup.policy of the program's own topics, as the cluster has it. */
#ifndef TOPICS_SETTINGS_CLEANUP_POLICY_H
#define TOPICS_SETTINGS_CLEANUP_POLICY_H

#include "config/config.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

enum { TOPIC_POLICIES = 5, TOPIC_POLICY_TEXT_MAX = 128 };

struct topic_policy {
    const char *option, *name; /* "parked.topic", and what it is set to; borrowed */
    bool compact;              /* what it is to be (topics/settings/cleanup_policy_rule.h) */
    char found[TOPIC_POLICY_TEXT_MAX]; /* "": not known */
    char why[TOPIC_POLICY_TEXT_MAX]; /* the reason if it is not known; "": there is no such topic */
};

/* Asks for those of all own topics at once. Each of two questions is bounded by timeout_ms. */
void topic_policies_ask(rd_kafka_t *rk, const struct config *config, int timeout_ms,
                        struct topic_policy ret_policies[TOPIC_POLICIES]);

/* The cluster names a controller; only that one answers such questions. */
bool topic_policies_can_ask(rd_kafka_t *rk, int timeout_ms);

#endif
