/* elementor-sync: verbs and their arguments.
 *
 *   elementor-sync VERB [--config FILE] [--set name=value]... [the verb's own] */
#include "edge/config_load.h"
#include "edge/log.h"
#include "pipeline.h"
#include "preview.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { SETS_MAX = 256 };

static const char usage_text[] =
    "elementor-sync: delivers confirmed orders from a Kafka CDC topic to an Elementor webhook\n"
    "\n"
    "usage: elementor-sync VERB [--config FILE] [--set name=value]...\n"
    "\n"
    "  run        read, deliver, commit; until told to stop (SIGTERM, SIGINT)\n"
    "    --until-end      settle what is in the topic now, then exit 0\n"
    "    --timeout D      with --until-end: exit 1 when not done after D (30s, 5m)\n"
    "  preview    print what would become of each record; sends and commits nothing\n"
    "    --from WHERE     beginning (default), an offset, or a time (2026-11-22T09:00:00Z)\n"
    "    --until-end      stop at the topic's present end\n"
    "    --limit N        stop after N records\n"
    "\n"
    "  --help, --version\n"
    "\n"
    "Options come from the file (YAML), then the environment (kafka.brokers is KAFKA_BROKERS),\n"
    "then --set. Secrets may come from files: WEBHOOK_URL_FILE=/run/secrets/url.\n"
    "\n"
    "options:\n";

struct arguments {
    const char *verb, *config_path;
    const char *sets[SETS_MAX];
    size_t set_count;
    bool until_end;
    int64_t timeout_ms;
    const char *from;
    int64_t limit;
};

static void print_help(void)
{
    fputs(usage_text, stdout);
    for (size_t i = 0; i < config_option_count; i++)
        printf("  %-22s %s%s%s\n", config_options[i].name, config_options[i].help,
               config_options[i].fallback ? "; default " : "",
               config_options[i].fallback ? config_options[i].fallback : "");
}

static bool parse_limit(const char *text, int64_t *ret_limit, struct error *err)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1)
        return error_set(err, ERROR_CONFIG, "--limit: \"%s\" is not a whole number of at least 1",
                         text);
    *ret_limit = value;
    return true;
}

static bool parse_timeout(const char *text, int64_t *ret_ms, struct error *err)
{
    struct error why = {0};
    if (config_parse_duration(text, ret_ms, &why))
        return true;
    return error_set(err, ERROR_CONFIG, "--timeout: %s", why.text);
}

/* One option that takes a value. */
static bool take_value(struct arguments *a, const char *name, const char *value, struct error *err)
{
    if (strcmp(name, "--config") == 0)
        a->config_path = value;
    else if (strcmp(name, "--set") == 0 && a->set_count < SETS_MAX)
        a->sets[a->set_count++] = value;
    else if (strcmp(name, "--timeout") == 0)
        return parse_timeout(value, &a->timeout_ms, err);
    else if (strcmp(name, "--from") == 0)
        a->from = value;
    else if (strcmp(name, "--limit") == 0)
        return parse_limit(value, &a->limit, err);
    else
        return error_set(err, ERROR_CONFIG, "%s: no such argument; see elementor-sync --help",
                         name);
    return true;
}

static bool parse_arguments(int argc, char **argv, struct arguments *a, struct error *err)
{
    *a = (struct arguments){.timeout_ms = -1, .from = "beginning", .limit = -1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--until-end") == 0)
            a->until_end = true;
        else if (argv[i][0] != '-' && a->verb == NULL)
            a->verb = argv[i];
        else if (argv[i][0] != '-')
            return error_set(err, ERROR_CONFIG, "%s: one verb is enough", argv[i]);
        else if (i + 1 == argc)
            return error_set(err, ERROR_CONFIG, "%s: no such argument, or its value is missing",
                             argv[i]);
        else if (!take_value(a, argv[i], argv[i + 1], err))
            return false;
        else
            i++;
    }
    if (a->verb == NULL)
        return error_set(err, ERROR_CONFIG, "say what to do: run or preview; see --help");
    if (a->timeout_ms >= 0 && !a->until_end)
        return error_set(err, ERROR_CONFIG, "--timeout goes with --until-end");
    return true;
}

/* SIGTERM and SIGINT are read from a descriptor, in the loop's own turn; -1 on failure. A second
 * one, once the first is taken, ends the process at once. */
static int stop_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The URL is a secret: neither a core dump nor another user's debugger may show it. */
static void keep_secrets_in(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

static bool verb_run(const struct arguments *a, struct config *config, struct error *err)
{
    if (!config_finish(config,
                       CONFIG_NEED_KAFKA | CONFIG_NEED_START | CONFIG_NEED_REGISTRY |
                           CONFIG_NEED_WEBHOOK,
                       err))
        return false;
    const struct pipeline_options options = {
        .until_end = a->until_end, .timeout_ms = a->timeout_ms, .stop_fd = stop_signals()};
    struct pipeline *pipeline = pipeline_new(config, err);
    bool ok = pipeline != NULL && pipeline_run(pipeline, &options, err);
    pipeline_free(pipeline);
    close(options.stop_fd);
    return ok;
}

static bool verb_preview(const struct arguments *a, struct config *config, struct error *err)
{
    if (!config_finish(config, CONFIG_NEED_KAFKA | CONFIG_NEED_REGISTRY, err))
        return false;
    const struct preview_options options = {
        .from = a->from, .until_end = a->until_end, .limit = a->limit, .stop_fd = stop_signals()};
    bool ok = preview_run(config, &options, stdout, err);
    close(options.stop_fd);
    return ok;
}

static bool dispatch(const struct arguments *a, struct config *config, struct error *err)
{
    if (!config_load(config, a->config_path, environ, a->sets, a->set_count, err))
        return false;
    log_setup((enum log_level)config->log_level, config->log_format == LOG_FORMAT_JSON);
    if (strcmp(a->verb, "run") == 0)
        return verb_run(a, config, err);
    if (strcmp(a->verb, "preview") == 0)
        return verb_preview(a, config, err);
    return error_set(err, ERROR_CONFIG, "%s: no such verb; there are run and preview", a->verb);
}

static bool has_argument(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    struct arguments arguments;
    if (has_argument(argc, argv, "--help")) {
        print_help();
        return 0;
    }
    if (has_argument(argc, argv, "--version")) {
        puts("elementor-sync " ELEMENTOR_SYNC_VERSION);
        return 0;
    }
    keep_secrets_in();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct config *config = config_new();
    if (config == NULL)
        error_set(&err, ERROR_NO_MEMORY, "no memory to start");
    else if (parse_arguments(argc, argv, &arguments, &err))
        dispatch(&arguments, config, &err);
    if (err.code != ERROR_NONE)
        fprintf(stderr, "elementor-sync: %s\n", err.text);
    config_free(config);
    curl_global_cleanup();
    return error_exit_code(&err);
}
