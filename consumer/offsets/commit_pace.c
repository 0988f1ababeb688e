#include "offsets/commit_pace.h"

enum { INTERVALS_ONLY_PASSED = 5, INTERVALS_TOLD = 10, SHARE_HURRIED = 4 };
enum { KEPT_BACK_MS = 1500 }; /* longer than the time-out of a heartbeat's answer */

int64_t commit_pace_ms(const struct commit_pace *pace, size_t uncovered, bool only_passed)
{
    if (only_passed)
        return INTERVALS_ONLY_PASSED * pace->interval_ms;
    bool hurried = uncovered > pace->uncovered_max / 2;
    return hurried ? pace->interval_ms / SHARE_HURRIED : pace->interval_ms;
}

int64_t commit_pace_told_ms(int64_t interval_ms)
{
    return INTERVALS_TOLD * interval_ms; /* most of it for the commit's answer */
}

int64_t commit_pace_at_ms(int64_t due_ms, int64_t wanted_ms, int64_t wait_ms, int64_t now_ms)
{
    if (due_ms < 0 || wait_ms < 0)
        return -1;
    bool starved = now_ms >= due_ms + KEPT_BACK_MS && now_ms >= wanted_ms + KEPT_BACK_MS;
    int64_t may_ms = starved ? now_ms : now_ms + wait_ms;
    return due_ms > may_ms ? due_ms : may_ms;
}
