/* park_reasons: the number of records parked for each reason, since the start.
 *
 * Reasons are of a closed list, which statuses and fields make long; each becomes a series of its
 * own where metrics are scraped, so that reasons beyond the bound are "other". */
#ifndef PIPELINE_SENDING_PARK_REASONS_H
#define PIPELINE_SENDING_PARK_REASONS_H

#include "delivery/delivery.h"

enum { PARK_REASONS_MAX = 64 };

struct park_reasons {
    struct park_reason {
        char text[DELIVERY_REASON_MAX];
        uint64_t count;
    } list[PARK_REASONS_MAX + 1]; /* the last may be "other" */
    size_t count;
};

void park_reasons_note(struct park_reasons *r, const char *reason);

#endif
