/* dashboard_command: serve the page and its API. */
#include "cli/command.h"
#include "dashboard/dashboard.h"
#include "sys/signals.h"

static bool run(struct config *config, const void *given, struct error *err)
{
    (void)given;
    int stop_fd = signals_of_command();
    struct dashboard *dashboard = dashboard_new(config, err);
    config_forget_secret(&config->auth_service_keys); /* the dashboard has their hashes */
    bool ok = dashboard != NULL && dashboard_run(dashboard, stop_fd, err);
    dashboard_free(dashboard);
    signals_close(stop_fd);
    return ok;
}

static const char *const examples[] = {"dashboard --config shop.yaml", NULL};

const struct command command_dashboard = {
    .name = "dashboard",
    .summary = "serve the page and the API of what became of each order",
    .needs = CONFIG_NEED_KAFKA | CONFIG_NEED_AUTH,
    .examples = examples,
    .run = run};
