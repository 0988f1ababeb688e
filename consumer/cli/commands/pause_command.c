/* pause_command: no member of the group sends anything from now on, whatever arrives. */
#include "base/printable.h"
#include "base/time_text.h"
#include "cli/audit.h"
#include "cli/command.h"
#include "operator/control.h"
#include "sys/clock.h"
#include "sys/signals.h"

#include <stdio.h>

struct pause_arguments {
    const char *reason;
};

static const struct argument arguments[] = {
    {"--reason", ARGUMENT_TEXT, offsetof(struct pause_arguments, reason), "TEXT",
     "the reason, shown while the deliveries are paused and written to the audit log"},
};

static void print_standing(const struct config *config, const struct control_word *word)
{
    char at[TIMESTAMP_TEXT], by[CONTROL_BY_MAX + 1], reason[CONTROL_REASON_MAX + 1];
    timestamp_text(word->at_ms, at);
    printf("the deliveries of group %s are paused already, since %s, by %s: %s\n",
           config->kafka_group, at, printable(word->by, by, sizeof by),
           printable(word->reason, reason, sizeof reason));
}

static bool pause_deliveries(const struct config *config, const char *reason, int stop_fd,
                             struct error *err)
{
    struct control_word standing, word = {.paused = true, .at_ms = clock_wall_ms()};
    if (!control_reason_is_valid(reason))
        return error_set(
            err, ERROR_CONFIG,
            "--reason: 1 to %d bytes of UTF-8, to be shown while the deliveries are paused",
            CONTROL_REASON_MAX);
    if (!control_read(config, stop_fd, &standing, err))
        return false;
    if (standing.paused) {
        print_standing(config, &standing);
        return true;
    }
    command_who(word.by);
    snprintf(word.reason, sizeof word.reason, "%s", reason);
    if (!control_write(config, &word, err))
        return false;
    command_audit("pause", (const struct log_field[]){
                               LOG_S("group", config->kafka_group), LOG_S("reason", reason), {0}});
    printf("paused: the members of group %s begin no further request; those under way end.\n"
           "Orders are read on, and wait; elementor-sync resume lets them go.\n",
           config->kafka_group);
    return true;
}

static bool run(struct config *config, const void *given, struct error *err)
{
    const struct pause_arguments *own = given;
    int stop_fd = signals_of_command();
    bool ok = pause_deliveries(config, own->reason, stop_fd, err);
    signals_close(stop_fd);
    return ok;
}

static const char *const examples[] = {"pause --reason \"stock count, back at noon\"", NULL};

const struct command command_pause = {.name = "pause",
                                      .summary = "no member of the group sends anything until "
                                                 "resume; nothing is lost",
                                      .arguments = arguments,
                                      .argument_count = sizeof arguments / sizeof *arguments,
                                      .options_size = sizeof(struct pause_arguments),
                                      .needs = CONFIG_NEED_KAFKA,
                                      .examples = examples,
                                      .run = run};
