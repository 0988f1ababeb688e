/* parts: the modules of a pipeline: made, wired to each other, and ended in the opposite order.
 *
 * pipeline/pipeline gives them their turns. */
#ifndef PIPELINE_PARTS_H
#define PIPELINE_PARTS_H

#include "pipeline/member_status.h"
#include "pipeline/membership.h"
#include "pipeline/until_end.h"

struct pipeline_parts {
    const struct config *config;
    struct now now; /* read once a turn */
    int wake_fd;
    struct error fatal; /* ends the process */

    struct loop *loop;
    struct http *http;
    struct registry *registry;
    struct webhook *webhook;
    struct exporter *exporter; /* of spans */
    struct publisher *publisher;
    struct consumer *consumer;

    char member[MEMBER_NAME_MAX];
    struct partitions partitions;
    struct backlog backlog;
    struct endpoint *endpoint;
    struct tracing tracing;
    struct recorder *recorder;
    struct sender *sender;
    struct intake *intake;
    struct committer *committer;
    struct membership membership;
    struct until_end until_end;
    struct reloader *reloader;
    struct member_status *status;
    struct overview overview;
};

/* Makes them in a struct of zeros, which stays at its address until parts_close. config is
 * borrowed. False with err; parts_close is to be called either way. */
bool parts_open(struct pipeline_parts *parts, const struct config *config,
                struct error *err) must_check;
void parts_close(struct pipeline_parts *parts);

#endif
