/* check_command: looks for everything that run needs, and shows what run would do. */
#include "check/check.h"
#include "cli/command.h"
#include "sys/log.h"
#include "terminal/progress.h"
#include "terminal/style.h"

#include <stdio.h>
#include <unistd.h>

enum { REPORT_MAX = 4 * 1024 * 1024 };

struct check_arguments {
    bool json, offline, ping_webhook;
};

static const struct argument arguments[] = {
    {"--json", ARGUMENT_FLAG, offsetof(struct check_arguments, json), "",
     "one JSON object, for machines: schemas/check.schema.json"},
    {"--offline", ARGUMENT_FLAG, offsetof(struct check_arguments, offline), "",
     "look at the configuration and the files that it names alone; reach nothing"},
    {"--ping-webhook", ARGUMENT_FLAG, offsetof(struct check_arguments, ping_webhook), "",
     "send the webhook one test request, marked as a ping"},
};

static bool print(const struct report *report, bool json, struct error *err)
{
    struct buf b;
    buf_init(&b, REPORT_MAX);
    if (json)
        report_json(report, ELEMENTOR_SYNC_VERSION, &b);
    else
        report_text(report, terminal_width(STDOUT_FILENO), terminal_style(STDOUT_FILENO), &b);
    bool ok = buf_ok(&b) && fwrite(b.data, 1, b.len, stdout) == b.len && fflush(stdout) == 0;
    buf_done(&b);
    return ok || error_set(err, ERROR_FAILED, "the report could not be written");
}

static bool run(struct config *config, const void *given, struct error *err)
{
    const struct check_arguments *own = given;
    const struct check_options options = {.offline = own->offline,
                                          .ping_webhook = own->ping_webhook};
    if (own->offline && own->ping_webhook)
        return error_set(err, ERROR_CONFIG,
                         "--ping-webhook: --offline sends nothing; keep one of the two");
    struct report *report = report_new();
    if (report == NULL)
        return error_no_memory(err);
    if (config->log_level > LOG_LEVEL_DEBUG) /* the report contains it */
        log_setup(LOG_ERROR, config->log_format == LOG_FORMAT_JSON);
    progress_step("looking at all that run needs", -1);
    check_run(config, &options, report);
    progress_end();
    bool ok = print(report, own->json, err) && report_verdict(report, err);
    report_free(report);
    return ok;
}

static const char *const examples[] = {"check", "check --ping-webhook --config shop.yaml",
                                       "check --offline --config shop.yaml", NULL};

const struct command command_check = {
    .name = "check",
    .summary = "is all there that run needs, and what would it do; commits nothing",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct check_arguments),
    .config = COMMAND_CONFIG_LOADED,
    .examples = examples,
    .run = run};
