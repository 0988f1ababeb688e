/* member: the delivering process: the pipeline that `elementor-sync run` runs, in a process of its
 * own, forked before this one has any thread. It ends when its parent does.
 *
 *   member_fork ─▶ (it waits) ─▶ member_go ─▶ delivers … member_stop ─▶ drains ─▶ member_gone */
#ifndef DEMO_MEMBER_H
#define DEMO_MEMBER_H

#include "core/config.h"
#include "core/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct member {
    pid_t pid;       /* 0: none, or gone */
    int settings_fd; /* -1 once it has them */
    int log_fd;      /* its standard error; not blocking */
    int status;      /* of waitpid, once it is gone */
};

/* stop_fd: where it learns that it shall stop (verb_stop_signals). Returns in the parent only. */
bool member_fork(struct member *m, struct config *config, int stop_fd,
                 struct error *err) must_check;

/* "name=value" lines, which win over the config. */
bool member_go(struct member *m, const char *settings, struct error *err) must_check;

void member_stop(struct member *m); /* SIGTERM: it finishes what is in flight */
void member_kill(struct member *m); /* at once, and waits for it; nothing if it is gone */
bool member_gone(struct member *m); /* looks, does not wait */
bool member_ended_well(const struct member *m);
void member_done(struct member *m); /* kills it if it is there, closes what is open */

#endif
