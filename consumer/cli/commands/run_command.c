/* run_command: read, deliver, commit; until stopped. */
#include "cli/command.h"
#include "pipeline/pipeline.h"
#include "sys/signals.h"

#include <unistd.h>

struct run_arguments {
    bool until_end, start_at_end;
    int64_t timeout_ms;
};

static const struct argument arguments[] = {
    {"--until-end", ARGUMENT_FLAG, offsetof(struct run_arguments, until_end), "",
     "settle what is in the topic now, then exit 0"},
    {"--timeout", ARGUMENT_DURATION, offsetof(struct run_arguments, timeout_ms), "D",
     "with --until-end: exit 1 when not done after D (30s, 5m)"},
    {"--start-at-end", ARGUMENT_FLAG, offsetof(struct run_arguments, start_at_end), "",
     "with kafka.start=latest: start at the end although the group's commits expired"},
};

static bool run(struct config *config, const void *given, struct error *err)
{
    const struct run_arguments *own = given;
    if (own->timeout_ms >= 0 && !own->until_end)
        return error_set(err, ERROR_CONFIG, "--timeout goes with --until-end");
    const struct pipeline_options options = {.until_end = own->until_end,
                                             .timeout_ms = own->timeout_ms,
                                             .start_at_end = own->start_at_end,
                                             .stop_fd = signals_open()};
    struct pipeline *pipeline = pipeline_new(config, err);
    bool ok = pipeline != NULL && pipeline_run(pipeline, &options, err);
    pipeline_free(pipeline);
    close(options.stop_fd);
    return ok;
}

static const char *const examples[] = {"run --config shop.yaml", "run --until-end --timeout 60s",
                                       NULL};

const struct command command_run = {
    .name = "run",
    .summary = "read, deliver, commit; until told to stop (SIGTERM, SIGINT)",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct run_arguments),
    .needs = CONFIG_NEED_KAFKA | CONFIG_NEED_START | CONFIG_NEED_REGISTRY | CONFIG_NEED_WEBHOOK,
    .examples = examples,
    .run = run};
