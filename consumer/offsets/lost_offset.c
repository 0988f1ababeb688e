#include "offsets/lost_offset.h"

#include <stdbool.h>

enum lost_offset_cause lost_offset_cause(int64_t lost, int64_t low, int64_t committed)
{
    bool is_new = low == 0 && committed < 0;
    if (is_new)
        return LOST_OFFSET_MADE_AGAIN; /* it can hold more by now than was lost */
    if (lost == LOST_OFFSET_NONE)
        return LOST_OFFSET_IN_PLACE;
    return lost < low ? LOST_OFFSET_PASSED : LOST_OFFSET_BEHIND;
}
