/* child: a child process of the demo, forked before the demo has threads: the delivering one
 * (the pipeline that `elementor-sync run` runs), or the dashboard. It ends when its parent does.
 *
 *   member_fork ─▶ (it waits) ─▶ member_go ─▶ delivers … member_stop ─▶ drains ─▶ member_gone */
#ifndef DEMO_CHILD_H
#define DEMO_CHILD_H

#include "base/error.h"
#include "config/config.h"
#include "sys/signals.h"

#include <stdbool.h>
#include <sys/types.h>

struct member {
    pid_t pid;       /* 0: none, or gone */
    int settings_fd; /* -1 once it has them */
    int log_fd;      /* its standard error; not blocking */
    int status;      /* of waitpid, once it is gone */
    char line[2048]; /* of its log, as far as it has come */
    size_t line_len;
};

typedef bool member_work(struct config *config, int stop_fd, struct error *err);

/* Returns in the parent only. stop_fd: becomes readable when the work has to stop (signals_open).
 * elder: another member, whose descriptors the child closes; NULL: none. */
bool member_fork(struct member *m, struct config *config, member_work *work, int stop_fd,
                 const struct member *elder, struct error *err) must_check;
member_work member_deliver; /* runs the pipeline */

/* Sends "name=value" lines, which override the config. */
bool member_go(struct member *m, const char *settings, struct error *err) must_check;

/* Calls back with each whole line of its log. */
void member_read_log(struct member *m, void (*take)(void *context, const char *line),
                     void *context);

void member_stop(struct member *m); /* SIGTERM: it finishes what is in flight */
void member_kill(struct member *m); /* at once, and waits for it; nothing if it is gone */
bool member_gone(struct member *m); /* does not wait */
bool member_ended_well(const struct member *m);
void member_done(struct member *m); /* kills it if it is there, closes what is open */

#endif
