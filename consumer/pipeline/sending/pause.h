/* pause: an operator's pause of the deliveries, and the time for which they have stood still.
 *
 *   control topic ─▶ unknown ─▶ going ◀─▶ paused
 *
 * Until the operators' last word is known nothing is sent: a pause is an operator's decision,
 * and a member that cannot hear it must not act against it. Once it is known, the last word heard
 * stands. Not thread-safe. */
#ifndef PIPELINE_SENDING_PAUSE_H
#define PIPELINE_SENDING_PAUSE_H

#include "pipeline/sending/endpoint.h"
#include "topics/control_watch.h"

struct pause;

struct pause_uses {
    const struct config *config;
    const struct now *now;
    int wake_fd; /* as in consumer.h */
    const struct endpoint *endpoint;
};

struct pause *pause_new(const struct pause_uses *uses, struct error *err);
void pause_free(struct pause *p); /* accepts NULL */

/* The control topic exists by now: begins to follow it. As control_watch_begin. */
bool pause_begin(struct pause *p, int timeout_ms, struct error *err) must_check;

/* Takes up the latest word, and logs it. */
void pause_turn(struct pause *p);

struct pause_state {
    bool known, paused; /* paused only if known */
    int64_t since_ms;   /* monotonic: when it became so here; 0: before the first turn */
    uint64_t changes;
};
const struct pause_state *pause_state(const struct pause *p);

/* An attempt may begin. */
bool pause_may_send(const struct pause *p);

/* The sum, in ms, of the times that an open breaker or a pause has kept deliveries back: no order's
 * time runs out meanwhile (retry.give_up). */
int64_t pause_stood_still_ms(const struct pause *p);

#endif
