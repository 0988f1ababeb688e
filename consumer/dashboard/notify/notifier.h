/* notifier: sends messages to an operator who is away, by notify.url, and heartbeats to
 * notify.heartbeat_url while all is well.
 *
 * A thread of its own does all that can hang: nothing else waits for it. Of several dashboards one
 * tells (sender_group, speaker); what it owes is kept in Kafka before it is told, and what it told
 * right afterwards (notices): the next one repeats one message at most, and leaves none out. */
#ifndef DASHBOARD_NOTIFY_NOTIFIER_H
#define DASHBOARD_NOTIFY_NOTIFIER_H

#include "config/config.h"
#include "dashboard/verdict/verdict.h"

struct notifier;

/* The state of things; copied. */
struct notifier_facts {
    int64_t now_ms, seen_ms; /* wall clock; monotonic */
    enum verdict_state state;
    enum verdict_code code;               /* of the gravest cause; VERDICT_CODE_COUNT: none */
    int64_t waiting;                      /* changes that are not settled; below 0: not known */
    int64_t parked;                       /* in all */
    int64_t parked_new, parked_newest_ms; /* after notifier_parked_until; newest -1: none */
};

/* NULL with the reason, or without one where neither address is configured. */
struct notifier *notifier_new(const struct config *config, struct error *err);
void notifier_free(struct notifier *notifier); /* accepts NULL; ends what is under way */

/* Never waits. notifier may be NULL. */
void notifier_see(struct notifier *notifier, const struct notifier_facts *facts);

/* Orders parked until then have been told; -1: none. */
int64_t notifier_parked_until(struct notifier *notifier);

#endif
