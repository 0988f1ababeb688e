/* clock: the program's clocks, which a test may put forward.
 *
 * Linked before sys/clock, so that every question for the time comes here. */
#ifndef FAKES_CLOCK_H
#define FAKES_CLOCK_H

#include <stdint.h>

/* Both clocks jump; never back. Any thread. */
void clock_skip(int64_t ms);

#endif
