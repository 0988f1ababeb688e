/* speaker: decides whether this dashboard sends notifications now. Pure, by a clock that is handed
 * in.
 *
 *   it holds the partition, debts are kept    it sends
 *   another one holds it                      the other one sends
 *   Kafka is away                             the last holder sends, or one that saw no holder
 *   the group is silent for a minute          the same; for less: none sends
 *
 * A group that does not answer keeps messages back for a minute only: one too many is better than
 * none.
 */
#ifndef DASHBOARD_NOTIFY_SPEAKER_H
#define DASHBOARD_NOTIFY_SPEAKER_H

#include "dashboard/notify/sender_group.h"

#include <stdbool.h>
#include <stdint.h>

/* Longer than a session of the group and the sharing out after it. */
enum { SPEAKER_PATIENCE_MS = 60000 };

struct speaker {
    int64_t unsure_since_ms; /* 0: the group said who it is, and kept what is owed */
    int64_t away_ms;         /* when Kafka was last away; 0: never */
};

struct speaker_facts {
    int64_t now_ms; /* monotonic, above 0 */
    enum sender_role role;
    bool is_kept; /* what is owed and told */
    bool away;    /* Kafka does not answer */
};

bool speaker_may_tell(struct speaker *speaker, const struct speaker_facts *facts);

/* Another one tells, and has had the time to keep what it told while Kafka was away. */
bool speaker_is_settled_elsewhere(const struct speaker *speaker, const struct speaker_facts *facts);

#endif
