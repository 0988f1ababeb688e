/* known: outcomes and retries of a comparison's orders, from the program's own topics, and the
 * group's position in the orders' topic. Blocking; for the command. */
#ifndef RECONCILE_KNOWN_H
#define RECONCILE_KNOWN_H

#include "config/config.h"
#include "reconcile/comparison.h"

/* Every outcome up to the deliveries topic's present end, then the retries that wait. FAILED when
 * stop_fd becomes readable. */
bool known_outcomes(const struct config *config, struct comparison *comparison, int stop_fd,
                    struct error *err) must_check;

struct known_position {
    int64_t until_ms;  /* by the database's clock, as changes carry it: confirmations after it may
                        * still be read; NO_TIME: nothing was read yet */
    int32_t partition; /* the one that bounds it: a record of it is not settled yet; -1: all that
                        * is in the topic was read, up to its newest record */
    int64_t offset;    /* of that record */
};

/* Reads the group's position in the orders' topic. Ask before the outcomes are read: what is
 * settled meanwhile then has one. Blocks; fails as evaluator_record, or with FAILED when stop_fd
 * becomes readable. */
bool known_position(const struct config *config, int stop_fd, struct known_position *ret,
                    struct error *err) must_check;

#endif
