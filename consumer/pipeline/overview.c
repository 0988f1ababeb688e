#include "pipeline/overview.h"

#include "pipeline/intake/suspects.h"

struct totals overview_totals(const struct overview *o)
{
    const struct intake_counts *intake = intake_counts(o->intake);
    const struct recorder_counts *recorder = recorder_counts(o->recorder);
    struct totals t = {
        .consumed = intake->consumed,
        .delivered = recorder->delivered,
        .parked = recorder->parked,
        .abandoned = intake->abandoned + recorder->abandoned + sender_state(o->sender)->abandoned,
        .in_flight = o->backlog->records - o->backlog->concluded + suspect_count(o->partitions)};
    for (size_t i = 0; i < SKIP_REASON_COUNT; i++) {
        t.skipped[i] = intake->skipped[i] + recorder->skipped[i];
        t.skipped_sum += t.skipped[i];
    }
    return t;
}

int64_t overview_end(const struct overview *o, const struct partition *partition)
{
    int64_t end = consumer_end_known(o->consumer, partition->slot);
    return end > partition->window.next ? end : partition->window.next;
}
