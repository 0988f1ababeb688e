/* join: everything before the first turn that asks brokers and waits for their answers.
 *
 * It is done in a thread of its own, so that the loop serves the ops port and signals meanwhile. */
#ifndef PIPELINE_JOIN_H
#define PIPELINE_JOIN_H

#include "http/ops_server.h"
#include "pipeline/member_status.h"
#include "pipeline/pipeline.h"
#include "pipeline/sending/pause.h"
#include "pipeline/until_end.h"

struct join {
    const struct config *config;
    const struct pipeline_options *options;
    struct consumer *consumer;
    struct member_status *status;
    struct until_end *until_end;
    struct pause *pause;
    struct loop *loop;
    struct ops *ops; /* NULL: none */
    int wake_fd;
    const bool *stopping;
};

/* Prepares the member and joins the group. False when stopped meanwhile, or with
 * err. */
bool join_group(const struct join *join, struct error *err) must_check;

#endif
