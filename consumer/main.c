/* elementor-sync: verbs and their arguments.
 *
 *   elementor-sync VERB [--config FILE] [--set name=value]... [the verb's own] */
#include "cli/arguments.h"
#include "config/load/load.h"
#include "sys/log.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct verb *const verbs[] = {
    &verb_run,     &verb_preview, &verb_check,  &verb_dashboard, &verb_token,   &verb_demo,
    &verb_options, &verb_offsets, &verb_replay, &verb_retry,     &verb_redrive, &verb_park,
    &verb_forget,  NULL};

static void print_verb(const struct verb *verb)
{
    printf("  %-10s %s\n", verb->name, verb->summary);
    for (size_t i = 0; i < verb->argument_count; i++) {
        const struct argument *a = &verb->arguments[i];
        char left[40];
        snprintf(left, sizeof left, "%s %s", a->name, a->placeholder);
        printf("    %-18s %s\n", left, a->help);
    }
}

static void print_help(void)
{
    puts("elementor-sync: delivers confirmed orders from a Kafka CDC topic to an Elementor "
         "webhook\n\n"
         "usage: elementor-sync VERB [--config FILE] [--set name=value]...\n");
    for (size_t i = 0; verbs[i] != NULL; i++)
        print_verb(verbs[i]);
    puts("\n  --help, --version\n\n"
         "Options come from the file (YAML), then the environment (kafka.brokers is\n"
         "KAFKA_BROKERS), then --set. Secrets may come from files:\n"
         "WEBHOOK_URL_FILE=/run/secrets/url. elementor-sync options lists them all.");
}

/* The URL is a secret: neither a core dump nor another user's debugger may show it, nor the keys of
 * its connection, which libcurl would write to the file that this variable names. */
static void keep_secrets_in(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    unsetenv("SSLKEYLOGFILE");
}

static bool check_config(const struct verb *verb, struct config *config, struct error *err)
{
    if (!config_finish(config, verb->needs, err))
        return false;
    for (size_t i = 0; i < config->warning_count; i++)
        log_warn("configuration", LOG_S("why", config->warnings[i]));
    return true;
}

/* A verb that makes its own surroundings must not find the real ones in file or environment. */
static bool load_config(const struct invocation *call, struct config *config, struct error *err)
{
    const char *const *own = call->verb->settings;
    char *const nothing[] = {NULL};
    size_t count = 0;
    if (own == NULL)
        return config_load(config, call->config_path, environ, call->sets, call->set_count, err);
    if (call->config_path != NULL)
        return error_set(err, ERROR_CONFIG,
                         "--config: %s makes its own configuration; --set "
                         "changes it",
                         call->verb->name);
    while (own[count] != NULL)
        count++;
    return config_load(config, NULL, nothing, own, count, err) &&
           config_load(config, NULL, nothing, call->sets, call->set_count, err);
}

static bool run(const struct invocation *call, struct config *config, struct error *err)
{
    const struct verb *verb = call->verb;
    if (verb->config != VERB_CONFIG_NONE) {
        if (!load_config(call, config, err))
            return false;
        log_setup((enum log_level)config->log_level, config->log_format == LOG_FORMAT_JSON);
    }
    return (verb->config != VERB_CONFIG_CHECKED || check_config(verb, config, err)) &&
           verb->run(config, call->options, err);
}

/* The last word: for people, or an event like every other where the log is for machines. */
static void say_end(const struct config *config, const struct error *err)
{
    if (config == NULL || config->log_format != LOG_FORMAT_JSON) {
        fprintf(stderr, "elementor-sync: %s\n", err->text);
        return;
    }
    log_setup(LOG_ERROR, true); /* it may have failed before that */
    log_error("ended", LOG_S("why", err->text), LOG_I("exit_code", error_exit_code(err)));
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
    struct invocation call = {0};
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
    else if (arguments_parse(argc, argv, verbs, &call, &err) && arguments_hide(&call, config, &err))
        run(&call, config, &err);
    if (err.code != ERROR_NONE)
        say_end(config, &err);
    config_free(config);
    arguments_done(&call);
    curl_global_cleanup();
    return error_exit_code(&err);
}
