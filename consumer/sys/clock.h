/* clock: the only place that reads a clock. */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ms(void); /* monotonic, ms; for delays and deadlines */
int64_t clock_wall_ms(void); /* wall clock, ms since the epoch; for what others read */

#endif
