/* clock: the only place that reads a clock. */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ms(void); /* monotonic, ms; for delays and deadlines */
int64_t clock_wall_ms(void); /* wall clock, ms since the epoch; for what others read */

/* Both at once: read at the beginning of a turn, the same for all that happens in it. */
struct now {
    int64_t mono_ms, wall_ms;
};
static inline struct now clock_now(void)
{
    return (struct now){.mono_ms = clock_mono_ms(), .wall_ms = clock_wall_ms()};
}

#endif
