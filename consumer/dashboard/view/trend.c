#include "dashboard/view/trend.h"

#include <stdlib.h>
#include <string.h>

enum { FINE_MS = 64, STEPS = 8, DOUBLINGS = 22, FINE_BITS = 6, SLACK_MS = 60000 };

bool trend_open(struct trend *trend)
{
    *trend = (struct trend){.ring = calloc(TREND_MINUTES, sizeof *trend->ring)};
    return trend->ring != NULL;
}

void trend_done(struct trend *trend)
{
    free(trend->ring);
    *trend = (struct trend){0};
}

void trend_clear(struct trend *trend)
{
    memset(trend->ring, 0, TREND_MINUTES * sizeof *trend->ring);
    trend->newest = 0;
    trend->changed = 0;
}

/* ---- latencies ---- */

static size_t step_of(int64_t ms)
{
    unsigned doubling = 0;
    if (ms < FINE_MS)
        return ms > 0 ? (size_t)ms / STEPS : 0;
    while (doubling < DOUBLINGS - 1 && ms >> (FINE_BITS + doubling + 1) > 0)
        doubling++;
    int64_t first = INT64_C(1) << (FINE_BITS + doubling), over = (ms - first) / (first / STEPS);
    return (size_t)STEPS + doubling * STEPS + (size_t)(over < STEPS ? over : STEPS - 1);
}

/* The ms that a step begins with; the one behind the last step ends it. */
static double step_ms(size_t step)
{
    if (step < STEPS)
        return (double)step * STEPS;
    size_t doubling = (step - STEPS) / STEPS;
    double first = (double)(INT64_C(1) << (FINE_BITS + doubling));
    return first + first * (double)((step - STEPS) % STEPS) / STEPS;
}

int64_t trend_latency(const struct trend_sum *sum, double share)
{
    double wanted = share * (double)sum->timed, passed = 0;
    if (sum->timed == 0)
        return -1;
    for (size_t i = 0; i < TREND_LATENCIES; i++) {
        double count = (double)sum->latencies[i];
        if (count > 0 && passed + count >= wanted)
            return (int64_t)(step_ms(i) +
                             (step_ms(i + 1) - step_ms(i)) * (wanted - passed) / count);
        passed += count;
    }
    return (int64_t)step_ms(TREND_LATENCIES);
}

/* ---- minutes ---- */

struct trend_minute *trend_minute(struct trend *trend, int64_t minute)
{
    struct trend_minute *m = &trend->ring[minute % TREND_MINUTES];
    if (m->minute > minute)
        return NULL;
    if (m->minute < minute) {
        trend->changed -= m->is_changed;
        *m = (struct trend_minute){.minute = minute};
    }
    if (minute > trend->newest)
        trend->newest = minute;
    return m;
}

/* An outcome's own time is a member's, whose clock may be a little ahead. */
static struct trend_minute *note(struct trend *trend, int64_t at_ms, int64_t now_ms)
{
    int64_t minute = at_ms / TREND_MINUTE_MS;
    if (at_ms > now_ms + SLACK_MS || minute <= now_ms / TREND_MINUTE_MS - TREND_MINUTES)
        return NULL;
    struct trend_minute *m = trend_minute(trend, minute);
    if (m != NULL) {
        trend->changed += !m->is_changed;
        m->is_changed = true;
    }
    return m;
}

void trend_note_delivered(struct trend *trend, int64_t at_ms, int64_t latency_ms, int64_t now_ms)
{
    struct trend_minute *m = note(trend, at_ms, now_ms);
    if (m == NULL)
        return;
    m->delivered++;
    if (latency_ms >= 0)
        m->latencies[step_of(latency_ms)]++;
}

void trend_note_parked(struct trend *trend, int64_t at_ms, int64_t now_ms)
{
    struct trend_minute *m = note(trend, at_ms, now_ms);
    if (m != NULL)
        m->parked++;
}

/* As a rule the newest ones have changed. */
bool trend_each_changed(struct trend *trend,
                        bool (*each)(void *context, const struct trend_minute *minute),
                        void *context)
{
    for (int64_t minute = trend->newest; trend->changed > 0; minute--) {
        struct trend_minute *m = &trend->ring[minute % TREND_MINUTES];
        if (!m->is_changed)
            continue;
        m->is_changed = false;
        trend->changed--;
        if (!each(context, m))
            return false;
    }
    return true;
}

void trend_add_up(const struct trend *trend, int64_t first, int64_t count, struct trend_sum *ret)
{
    *ret = (struct trend_sum){0};
    for (int64_t minute = first; minute < first + count; minute++) {
        const struct trend_minute *m = &trend->ring[minute % TREND_MINUTES];
        if (m->minute != minute)
            continue;
        ret->delivered += m->delivered;
        ret->parked += m->parked;
        for (size_t i = 0; m->delivered > 0 && i < TREND_LATENCIES; i++)
            ret->latencies[i] += m->latencies[i];
    }
    for (size_t i = 0; i < TREND_LATENCIES; i++)
        ret->timed += ret->latencies[i];
}

uint64_t trend_delivered(const struct trend *trend, int64_t first, int64_t count)
{
    uint64_t delivered = 0;
    for (int64_t minute = first; minute < first + count; minute++) {
        const struct trend_minute *m = &trend->ring[minute % TREND_MINUTES];
        delivered += m->minute == minute ? m->delivered : 0;
    }
    return delivered;
}
