/* preview_command: prints the verdict on each record. */
#include "cli/command.h"
#include "operator/preview.h"
#include "sys/signals.h"

#include <unistd.h>

struct preview_arguments {
    const char *from;
    bool until_end, json;
    int64_t limit;
};

static const struct argument arguments[] = {
    {"--from", ARGUMENT_TEXT, offsetof(struct preview_arguments, from), "WHERE",
     "beginning (default), an offset, or a time (2026-11-22T09:00:00Z, -1h)"},
    {"--until-end", ARGUMENT_FLAG, offsetof(struct preview_arguments, until_end), "",
     "stop at the topic's present end"},
    {"--limit", ARGUMENT_COUNT, offsetof(struct preview_arguments, limit), "N",
     "stop after N records"},
    {"--json", ARGUMENT_FLAG, offsetof(struct preview_arguments, json), "",
     "one JSON object a line, with the exact bytes that would be sent"},
};

static bool run(struct config *config, const void *given, struct error *err)
{
    const struct preview_arguments *own = given;
    const struct preview_options options = {.from = own->from != NULL ? own->from : "beginning",
                                            .until_end = own->until_end,
                                            .limit = own->limit,
                                            .json = own->json,
                                            .shown = isatty(STDOUT_FILENO),
                                            .style = terminal_style(STDOUT_FILENO),
                                            .stop_fd = signals_of_command()};
    bool ok = preview_run(config, &options, stdout, err);
    signals_close(options.stop_fd);
    return ok;
}

static const char *const examples[] = {"preview --from beginning --limit 10",
                                       "preview --from 2026-11-22T09:00:00Z --until-end",
                                       "preview --until-end --json", NULL};

const struct command command_preview = {
    .name = "preview",
    .summary = "print what would become of each record; sends and commits nothing",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct preview_arguments),
    .needs = CONFIG_NEED_KAFKA | CONFIG_NEED_REGISTRY,
    .examples = examples,
    .run = run};
