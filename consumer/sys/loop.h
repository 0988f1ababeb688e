/* loop: the one place where the delivering process waits (epoll); so does a thread with a loop of
 * its own.
 *
 * Level-triggered. A watch's callback runs inside loop_wait. Not thread-safe; one loop a thread.
 */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop;
typedef void loop_callback(void *context, int fd, unsigned events);

struct loop *loop_new(struct error *err);
void loop_free(struct loop *loop); /* closes no watched fd; accepts NULL */

/* Watches fd for `events` (a set of LOOP_*; 0 = stop watching), replacing the set before. Lazy:
 * nothing reaches the kernel before the next loop_wait, which applies only what really changed
 * (naive epoll_ctl calls per libcurl callback cost 23 %). An fd may be closed and its number reused
 * only after loop_forget. False without memory (or with a negative fd). */
bool loop_watch(struct loop *loop, int fd, unsigned events, loop_callback *callback, void *context);
void loop_forget(struct loop *loop, int fd);

/* Waits until something happens or timeout_ms passed (-1: no limit, 0: only looks), then runs the
 * callbacks of what is ready. A signal ends the wait early. Returns the number of callbacks run. */
int loop_wait(struct loop *loop, int64_t timeout_ms);

/* The longest time (ms) from the end of one wait to the next loop_wait: everything else that was
 * due had to wait for so long. */
int64_t loop_longest_turn_ms(const struct loop *loop);

#endif
