#include "demo/child.h"

#include "pipeline/pipeline.h"
#include "sys/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SETTINGS_MAX = 4096 };

/* ---- in the child ---- */

static bool apply_settings(struct config *config, int fd, struct error *err)
{
    char text[SETTINGS_MAX + 1], *save = NULL;
    size_t len = 0;
    for (ssize_t got; (got = read(fd, text + len, SETTINGS_MAX - len)) > 0;)
        len += (size_t)got;
    text[len] = '\0';
    close(fd);
    if (len == 0)
        return error_set(err, ERROR_FAILED, "the demo ended before it began");
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *value = strchr(line, '=');
        *value++ = '\0';
        if (!config_set(config, line, value, "demo", err))
            return false;
    }
    return true;
}

bool member_deliver(struct config *config, int stop_fd, struct error *err)
{
    const struct pipeline_options options = {.timeout_ms = -1, .stop_fd = stop_fd};
    struct pipeline *pipeline = pipeline_new(config, err);
    bool ok = pipeline != NULL && pipeline_run(pipeline, &options, err);
    pipeline_free(pipeline);
    return ok;
}

/* In a process group of its own: a terminal's Ctrl-C reaches the parent only, which stops the
 * child. */
static _Noreturn void be_member(struct config *config, member_work *work, int settings_fd,
                                int log_fd, int stop_fd)
{
    struct error err = {0};
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(log_fd, STDERR_FILENO);
    close(log_fd);
    log_setup(LOG_INFO, false);
    if (apply_settings(config, settings_fd, &err))
        work(config, stop_fd, &err);
    if (err.code != ERROR_NONE)
        log_error("ended", LOG_S("reason", err.text));
    config_free(config);
    _exit(error_exit_code(&err));
}

/* ---- in the parent ---- */

/* Open descriptors here would hide the end of another member. */
static void close_others(const struct member *elder)
{
    if (elder == NULL)
        return;
    close(elder->settings_fd);
    close(elder->log_fd);
}

bool member_fork(struct member *m, struct config *config, member_work *work, int stop_fd,
                 const struct member *elder, struct error *err)
{
    int settings[2], log[2];
    *m = (struct member){.settings_fd = -1, .log_fd = -1};
    if (pipe2(settings, O_CLOEXEC) != 0)
        return error_set(err, ERROR_FAILED, "pipe: %s", strerror(errno));
    m->settings_fd = settings[1];
    if (pipe2(log, O_CLOEXEC) != 0) {
        close(settings[0]);
        return error_set(err, ERROR_FAILED, "pipe: %s", strerror(errno));
    }
    m->log_fd = log[0];
    fcntl(m->log_fd, F_SETFL, O_NONBLOCK);
    pid_t pid = fork();
    if (pid == 0) {
        close(settings[1]);
        close(log[0]);
        close_others(elder);
        be_member(config, work, settings[0], log[1], stop_fd);
    }
    close(settings[0]);
    close(log[1]);
    if (pid < 0)
        return error_set(err, ERROR_FAILED, "fork: %s", strerror(errno));
    m->pid = pid;
    return true;
}

bool member_go(struct member *m, const char *settings, struct error *err)
{
    size_t len = strlen(settings);
    bool ok = write(m->settings_fd, settings, len) == (ssize_t)len;
    close(m->settings_fd);
    m->settings_fd = -1;
    return ok || error_set(err, ERROR_FAILED, "the delivering process did not start");
}

void member_read_log(struct member *m, void (*take)(void *context, const char *line), void *context)
{
    const size_t room = sizeof m->line - 1;
    for (;;) {
        ssize_t got = read(m->log_fd, m->line + m->line_len, room - m->line_len);
        if (got <= 0)
            return;
        m->line_len += (size_t)got;
        m->line[m->line_len] = '\0';
        for (char *end; (end = strchr(m->line, '\n')) != NULL;) {
            *end = '\0';
            take(context, m->line);
            m->line_len -= (size_t)(end + 1 - m->line);
            memmove(m->line, end + 1, m->line_len + 1);
        }
        if (m->line_len == room)
            m->line_len = 0; /* too long for a log line */
    }
}

void member_stop(struct member *m)
{
    if (m->pid > 0)
        kill(m->pid, SIGTERM);
}

bool member_gone(struct member *m)
{
    if (m->pid > 0 && waitpid(m->pid, &m->status, WNOHANG) == m->pid)
        m->pid = 0;
    return m->pid == 0;
}

void member_kill(struct member *m)
{
    if (m->pid <= 0)
        return;
    kill(m->pid, SIGKILL);
    while (waitpid(m->pid, &m->status, 0) < 0 && errno == EINTR)
        continue;
    m->pid = 0;
}

bool member_ended_well(const struct member *m)
{
    return m->pid == 0 && WIFEXITED(m->status) && WEXITSTATUS(m->status) == 0;
}

void member_done(struct member *m)
{
    member_kill(m);
    if (m->settings_fd >= 0)
        close(m->settings_fd);
    if (m->log_fd >= 0)
        close(m->log_fd);
    m->settings_fd = m->log_fd = -1;
}
