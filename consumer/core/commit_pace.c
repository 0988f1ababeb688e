#include "core/commit_pace.h"

enum { INTERVALS_ONLY_PASSED = 5, SHARE_HURRIED = 4 };

int64_t commit_pace_ms(const struct commit_pace *pace, size_t uncovered, bool only_passed)
{
    if (only_passed)
        return INTERVALS_ONLY_PASSED * pace->interval_ms;
    bool hurried = uncovered > pace->uncovered_max / 2;
    return hurried ? pace->interval_ms / SHARE_HURRIED : pace->interval_ms;
}
