/* trend: what settled in each minute of the last seven days: how many orders were delivered and
 * parked, and how long those that were delivered had taken from their confirmation. A ring of fixed
 * size (7.5 MB, of which only minutes with outcomes are touched). Pure: times are the caller's, of
 * the wall clock.
 *
 * It counts what happened, while the orders' table has what is: a parked order that is delivered
 * today was parked yesterday all the same. */
#ifndef DASHBOARD_VIEW_TREND_H
#define DASHBOARD_VIEW_TREND_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TREND_MINUTE_MS = 60000,
    TREND_MINUTES = 7 * 24 * 60,
    /* Up to 64 ms in steps of 8 ms, then each doubling in eight steps, up to three days. */
    TREND_LATENCIES = 8 + 22 * 8
};

struct trend_minute {
    int64_t minute; /* since 1970; 0: nothing settled in it */
    uint32_t delivered, parked, latencies[TREND_LATENCIES];
    bool is_changed; /* since trend_each_changed gave it last */
};

struct trend {
    struct trend_minute *ring; /* TREND_MINUTES; owned */
    int64_t newest;            /* minute */
    size_t changed;            /* number of minutes that are changed */
};

bool trend_open(struct trend *trend) must_check; /* false without memory */
void trend_done(struct trend *trend);
void trend_clear(struct trend *trend);

/* latency_ms -1: not known. What is older than the ring, or in the future, is passed over. */
void trend_note_delivered(struct trend *trend, int64_t at_ms, int64_t latency_ms, int64_t now_ms);
void trend_note_parked(struct trend *trend, int64_t at_ms, int64_t now_ms);

/* The minute's own place, emptied if another minute had it; NULL: that one is newer. */
struct trend_minute *trend_minute(struct trend *trend, int64_t minute);

/* Calls each with every minute that has changed, once. False: one of the calls returned false. */
bool trend_each_changed(struct trend *trend,
                        bool (*each)(void *context, const struct trend_minute *minute),
                        void *context) must_check;

struct trend_sum {
    uint64_t delivered, parked, timed; /* timed: those of delivered whose latency is known */
    uint64_t latencies[TREND_LATENCIES];
};

/* Sums `count` minutes from `first` on. */
void trend_add_up(const struct trend *trend, int64_t first, int64_t count, struct trend_sum *ret);

/* The same of those delivered alone. */
uint64_t trend_delivered(const struct trend *trend, int64_t first, int64_t count);

/* The latency in ms that `share` (0 to 1) of the deliveries did not exceed, to within an eighth;
 * -1: none is known. */
int64_t trend_latency(const struct trend_sum *sum, double share);

#endif
