/* progress: the last line of a terminal, which names the step of a command that takes longer than a
 * second.
 *
 *   progress_step("reading topic elementor-sync.parked", 1200);
 *   progress_at(17);
 *   progress_end();             before anything is printed
 *
 * The line is drawn on standard error, and only on a terminal (terminal_is_there). A thread draws
 * it, since commands wait in librdkafka. It is one for the process, as the terminal's line is: its
 * state is this module's own. A line of the log is written over it, and it comes again below.
 * Called by the command's thread. */
#ifndef TERMINAL_PROGRESS_H
#define TERMINAL_PROGRESS_H

#include <stdint.h>

/* The next step, from a count of 0 on; total: the count at its end, -1: not known. `what` is
 * copied. The second is counted from the first step on. */
void progress_step(const char *what, int64_t total);

/* The step "reading topic NAME", of which no end is known. */
void progress_reading(const char *topic);

void progress_at(int64_t count);
void progress_one_more(void); /* counts one */

/* The line is gone when it returns. Without a step before it: nothing. */
void progress_end(void);

#endif
