/* clock: the program's clocks, which a test may put forward.
 *
 * Linked before the edge's own, so that whoever asks for the time asks here. */
#ifndef FAKES_CLOCK_H
#define FAKES_CLOCK_H

#include <stdint.h>

/* Both clocks jump; never back. Any thread. */
void clock_skip(int64_t ms);

#endif
