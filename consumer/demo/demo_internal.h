/* demo_internal: the demo's state.
 *
 *   demo.c               start, turns, end
 *   dashboard_process.c  the dashboard and its operator's token
 *   flow.c               the shop's changes to Kafka, and the results from the receiver and the
 * topics */
#ifndef DEMO_DEMO_INTERNAL_H
#define DEMO_DEMO_INTERNAL_H

#include "demo/child.h"
#include "demo/demo.h"
#include "demo/display/snapshot.h"
#include "demo/display/terminal.h"
#include "demo/parts/broker.h"
#include "demo/parts/debezium.h"
#include "demo/parts/ledger.h"
#include "demo/parts/receiver.h"

enum demo_phase {
    DEMO_SELLING,  /* the shop is open */
    DEMO_SETTLING, /* it wrote its last record */
    DEMO_STOPPING, /* the delivering process was told to stop */
    DEMO_OVER
};

struct demo {
    const struct demo_options *options;
    struct config *config;
    enum demo_phase phase;
    bool interrupted;    /* by a signal, before the shop's last record */
    bool process_failed; /* it ended before it was told to */
    bool compares;       /* bodies: only if the config does not change their form */
    int64_t started_ms, now_ms, next_second_ms;
    int64_t give_up_ms;      /* SETTLING: without progress until then; STOPPING: kill then */
    uint64_t settled_before; /* to detect progress */
    struct error *err;

    struct loop *loop;
    struct broker *broker;
    struct web *schemas;
    struct receiver *receiver; /* NULL: the user has one */
    struct shop *shop;
    struct debezium *debezium;
    struct ledger *ledger;
    struct member member; /* the delivering process */
    struct {
        struct member process;
        char token[1024]; /* of its operator */
    } dashboard;
    struct terminal *terminal;
    struct snapshot view;
    struct buf key, value;
};

/* dashboard_process.c */
bool operator_fork(struct demo *d); /* after the delivering process, before any thread */
bool operator_go(struct demo *d, const char *settings);
void operator_read_log(struct demo *d);

/* flow.c */
struct broker_events flow_broker_events(struct demo *d);
struct receiver_events flow_receiver_events(struct demo *d);
void flow_write_due(struct demo *d); /* the shop's changes */
void flow_read_logs(struct demo *d); /* of the other processes */
void flow_update_view(struct demo *d);

#endif
