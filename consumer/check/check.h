/* check: looks for everything that `run` needs, and shows what `run` would do. Sends nothing
 * (except a ping on request), commits nothing, joins no group. */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "check/report.h"
#include "config/config.h"

struct check_options {
    bool offline;      /* look at the configuration and its files alone: nothing is reached */
    bool ping_webhook; /* send one request that says "ping" to the webhook */
};

/* Adds all findings to the report. Takes some tens of seconds at most. */
void check_run(struct config *config, const struct check_options *options, struct report *report);

#endif
