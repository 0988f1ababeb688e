/* resume_command: ends a pause. */
#include "base/printable.h"
#include "cli/audit.h"
#include "cli/command.h"
#include "operator/control.h"
#include "sys/clock.h"
#include "sys/signals.h"

#include <stdio.h>

static bool resume_deliveries(const struct config *config, int stop_fd, struct error *err)
{
    struct control_word standing, word = {.at_ms = clock_wall_ms()};
    char by[CONTROL_BY_MAX + 1], reason[CONTROL_REASON_MAX + 1];
    if (!control_read(config, stop_fd, &standing, err))
        return false;
    if (!standing.paused) {
        printf("the deliveries of group %s are not paused\n", config->kafka_group);
        return true;
    }
    command_who(word.by);
    if (!control_write(config, &word, err))
        return false;
    command_audit("resume", (const struct log_field[]){LOG_S("group", config->kafka_group), {0}});
    printf("resumed: the members of group %s send what has waited; paused by %s: %s\n",
           config->kafka_group, printable(standing.by, by, sizeof by),
           printable(standing.reason, reason, sizeof reason));
    return true;
}

static bool run(struct config *config, const void *given, struct error *err)
{
    int stop_fd = signals_of_command();
    (void)given;
    bool ok = resume_deliveries(config, stop_fd, err);
    signals_close(stop_fd);
    return ok;
}

static const char *const examples[] = {"resume", NULL};

const struct command command_resume = {.name = "resume",
                                       .summary = "the group's deliveries go on after a pause",
                                       .needs = CONFIG_NEED_KAFKA,
                                       .examples = examples,
                                       .run = run};
