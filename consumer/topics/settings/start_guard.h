/* start_guard: refuses kafka.start=latest where it would pass by orders of a group that is not new.
 *
 * Kafka deletes a group's commits when it has had no member for offsets.retention.minutes (a week),
 * and `latest` would then take the topic's end for a first start. The deliveries topic remembers:
 * each of its records names the topic, partition and offset of an order that was dealt with.
 *
 * Reads with a consumer of its own, joins nothing, commits nothing. The deliveries topic is
 * compacted and may hold millions of records: only its newest are read, and for a bounded time. */
#ifndef TOPICS_SETTINGS_START_GUARD_H
#define TOPICS_SETTINGS_START_GUARD_H

#include "config/config.h"

#include <stdbool.h>

struct start_guard_question {
    bool at_end;     /* the operator has chosen to go on from the end: nothing is looked at */
    int timeout_ms;  /* for each look-up of an offset */
    int reading_ms;  /* for all reading of outcomes */
    int answered_ms; /* how long a look-up without an answer is repeated; -1: without end */
    bool (*wanted)(void *context); /* whether to go on waiting; may be NULL */
    void *context;
};

/* True when a start from the end passes by nothing that the group had to deliver: kafka.start is
 * not latest, there are commits, or there is no outcome of this topic. False with
 *   CONFIG: it would pass by records; names both positions and the choices;
 *   UNREACHABLE: the commits are not known;
 *   no error: `wanted` ended the wait.
 * Outcomes that cannot be read are taken for none; *ret_unknown (of ERROR_TEXT_MAX bytes) then has
 * why, and is "" otherwise. */
bool start_guard_allows(const struct config *config, const struct start_guard_question *question,
                        char *ret_unknown, struct error *err) must_check;

#endif
