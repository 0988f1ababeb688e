/* options_command: the reference of all options, from their table. */
#include "cli/command.h"
#include "config/reference/reference.h"

#include <stdio.h>

enum { REFERENCE_MAX = 1024 * 1024 };

struct options_arguments {
    bool markdown, json_schema;
};

static const struct argument arguments[] = {
    {"--markdown", ARGUMENT_FLAG, offsetof(struct options_arguments, markdown), "",
     "as the page consumer/OPTIONS.md"},
    {"--json-schema", ARGUMENT_FLAG, offsetof(struct options_arguments, json_schema), "",
     "the configuration file as a JSON Schema, schemas/config.schema.json: for editors and tests"},
};

static bool run(struct config *config, const void *given, struct error *err)
{
    const struct options_arguments *own = given;
    struct buf b;
    bool ok = true;
    (void)config;
    buf_init(&b, REFERENCE_MAX);
    if (own->json_schema)
        ok = config_reference_schema(&b);
    else if (own->markdown)
        config_reference_markdown(&b);
    else
        config_reference_text(&b);
    ok = ok && buf_ok(&b) && fwrite(b.data, 1, b.len, stdout) == b.len && fflush(stdout) == 0;
    buf_done(&b);
    return ok || error_set(err, ERROR_FAILED, "the reference could not be written");
}

static const char *const examples[] = {"options", "options --markdown", "options --json-schema",
                                       NULL};

const struct command command_options = {.name = "options",
                                        .summary =
                                            "print every option: what it takes, default, meaning",
                                        .arguments = arguments,
                                        .argument_count = sizeof arguments / sizeof *arguments,
                                        .options_size = sizeof(struct options_arguments),
                                        .config = COMMAND_CONFIG_NONE,
                                        .examples = examples,
                                        .run = run};
