/* elementor-sync: commands and their arguments.
 *
 *   elementor-sync COMMAND [--config FILE] [--set name=value]... [the command's own] */
#include "cli/arguments.h"
#include "cli/help.h"
#include "cli/manual.h"
#include "config/load/load.h"
#include "sys/log.h"
#include "terminal/progress.h"
#include "terminal/style.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &command_run,     &command_preview,   &command_check,   &command_dashboard, &command_token,
    &command_demo,    &command_options,   &command_offsets, &command_replay,    &command_retry,
    &command_redrive, &command_park,      &command_dismiss, &command_pause,     &command_resume,
    &command_forget,  &command_reconcile, &command_health,  &command_version,   NULL};

/* The URL is a secret: neither a core dump nor another user's debugger may show it, nor the keys of
 * its connection, which libcurl would write to the file that this variable names. */
static void keep_secrets_in(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    unsetenv("SSLKEYLOGFILE");
}

static bool check_config(const struct command *command, struct config *config, struct error *err)
{
    if (!config_finish(config, command->needs, err))
        return false;
    for (size_t i = 0; i < config->warning_count; i++)
        log_warn("configuration", LOG_S("reason", config->warnings[i]));
    return true;
}

/* A command that makes its own surroundings must not read the real ones from file or
 * environment. */
static bool load_config(const struct invocation *call, struct config *config, struct error *err)
{
    const char *const *own = call->command->settings;
    char *const nothing[] = {NULL};
    size_t count = 0;
    if (own == NULL)
        return config_load(config, call->config_path, environ, call->sets, call->set_count, err);
    if (call->config_path != NULL)
        return error_set(err, ERROR_CONFIG,
                         "--config: %s makes its own configuration; --set "
                         "changes it",
                         call->command->name);
    while (own[count] != NULL)
        count++;
    return config_load(config, NULL, nothing, own, count, err) &&
           config_load(config, NULL, nothing, call->sets, call->set_count, err);
}

static bool run(const struct invocation *call, struct config *config, struct error *err)
{
    const struct command *command = call->command;
    if (command->config != COMMAND_CONFIG_NONE) {
        if (!load_config(call, config, err))
            return false;
        log_setup((enum log_level)config->log_level, config->log_format == LOG_FORMAT_JSON);
    }
    bool ok = (command->config != COMMAND_CONFIG_CHECKED || check_config(command, config, err)) &&
              command->run(config, call->options, err);
    progress_end();
    return ok;
}

/* The final message: for people, or a log event where the log is for machines. */
static void report_end(const struct config *config, const struct error *err)
{
    if (config == NULL || config->log_format != LOG_FORMAT_JSON) {
        const struct terminal_style *style = terminal_style(STDERR_FILENO);
        fprintf(stderr, "%selementor-sync:%s %s\n", style->bad, style->off, err->text);
        return;
    }
    log_setup(LOG_ERROR, true); /* it may have failed before that */
    log_error("ended", LOG_S("reason", err->text), LOG_I("exit_code", error_exit_code(err)));
}

/* True when help, the manual page or a completion was asked for, and is printed; or err. */
static bool print_help(int argc, char **argv, struct error *err)
{
    struct buf b;
    const struct command *command;
    bool ok = true;
    size_t width = terminal_width(STDOUT_FILENO);
    const struct terminal_style *style = terminal_style(STDOUT_FILENO);
    buf_init(&b, MANUAL_MAX);
    bool wanted = manual_is_wanted(&b, argc, argv, commands, &ok, err);
    if (!wanted && help_is_wanted(argc, argv, commands, &command)) {
        wanted = true;
        if (command != NULL)
            help_add_command(&b, command, width, style);
        else
            help_add_all(&b, commands, width, style);
    }
    if (!ok)
        report_end(NULL, err);
    else if (b.len > 0)
        fwrite(b.data, 1, b.len, stdout);
    buf_done(&b);
    return wanted;
}

/* A client of Kafka's that does not end in time still has threads when the process ends
 * (kafka/client_end.h). OpenSSL must not take away from under a handshake of theirs what it uses.
 */
static void keep_tls_until_the_end(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

int main(int argc, char **argv)
{
    struct error err = {0};
    struct invocation call = {0};
    static char version[] = "version";
    if (print_help(argc, argv, &err))
        return error_exit_code(&err);
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        argv[1] = version;
    keep_tls_until_the_end();
    keep_secrets_in();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct config *config = config_new();
    if (config == NULL)
        error_no_memory(&err);
    else if (arguments_parse(argc, argv, commands, &call, &err) &&
             arguments_hide(&call, config, &err))
        run(&call, config, &err);
    if (err.code != ERROR_NONE)
        report_end(config, &err);
    config_free(config);
    arguments_done(&call);
    curl_global_cleanup();
    return error_exit_code(&err);
}
