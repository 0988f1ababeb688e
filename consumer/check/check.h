/* check: whether everything that `run` needs is there, and what it would do with it. Sends nothing
 * (but the ping that is asked for), commits nothing, joins no group. */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "check/report.h"
#include "config/config.h"

struct check_options {
    bool ping_webhook; /* send one request that says "ping" to the webhook */
};

/* Adds all that is found to the report. Bounded by some tens of seconds. */
void check_run(struct config *config, const struct check_options *options, struct report *report);

#endif
