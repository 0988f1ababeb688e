#include "pipeline/sending/latency.h"

#include <string.h>

const char *const latency_hop_names[HOP_COUNT] = {"kafka", "read", "sent", "answered"};

static int64_t since(int64_t from_ms, int64_t to_ms)
{
    return to_ms > from_ms ? to_ms - from_ms : 0;
}

void latency_note(struct latency *l, const struct delivery *d, const struct now *now)
{
    int64_t whole_ms = 0;
    if (strcmp(d->source, "cdc") != 0 || d->event_ms < 0 || d->timestamp_ms < 0)
        return;
    int64_t written_ms = d->timestamp_ms > d->event_ms ? d->timestamp_ms : d->event_ms;
    int64_t read_ms = now->wall_ms - since(d->held_ms, now->mono_ms);
    const int64_t took_ms[HOP_COUNT] = {[HOP_KAFKA] = since(d->event_ms, written_ms),
                                        [HOP_READ] = since(written_ms, read_ms),
                                        [HOP_SENT] = since(d->held_ms, d->sent_ms),
                                        [HOP_ANSWERED] = since(d->sent_ms, now->mono_ms)};
    for (int i = 0; i < HOP_COUNT; i++) {
        histogram_note(&l->hop[i], took_ms[i]);
        whole_ms += took_ms[i];
    }
    histogram_note(&l->whole, whole_ms);
}
