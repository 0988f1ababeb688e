#include "demo/demo_internal.h"

#include "dashboard/auth/token.h"
#include "dashboard/dashboard.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SECRET_BYTES = 32, TOKEN_S = 8 * 3600 };

static bool serve(struct config *config, int stop_fd, struct error *err)
{
    if (!config_finish(config, CONFIG_NEED_KAFKA | CONFIG_NEED_AUTH, err))
        return false;
    struct dashboard *dashboard = dashboard_new(config, err);
    bool ok = dashboard != NULL && dashboard_run(dashboard, stop_fd, err);
    dashboard_free(dashboard);
    return ok;
}

bool operator_fork(struct demo *d)
{
    return member_fork(&d->dashboard.process, d->config, serve, d->options->stop_fd, &d->member,
                       d->err);
}

/* A random secret for this run. */
static bool mint(struct demo *d, char secret[2 * SECRET_BYTES + 1])
{
    const struct auth_rules rules = {.operator_claim = d->config->auth_operator_claim,
                                     .operator_values = d->config->auth_operator_values};
    unsigned char bytes[SECRET_BYTES];
    int64_t now_s = clock_wall_ms() / 1000;
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return error_set(d->err, ERROR_FAILED, "no random bytes for the dashboard's secret");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(secret + 2 * i, 3, "%02x", bytes[i]);
    char *token = auth_mint(&rules, secret, "demo", now_s, now_s + TOKEN_S, d->err);
    if (token == NULL)
        return false;
    snprintf(d->dashboard.token, sizeof d->dashboard.token, "%s", token);
    free(token);
    return true;
}

bool operator_go(struct demo *d, const char *settings)
{
    char all[1024], secret[2 * SECRET_BYTES + 1];
    if (!mint(d, secret))
        return false;
    snprintf(all, sizeof all,
             "%sauth.hs256_secret=%s\ndashboard.listen=127.0.0.1:0\ndashboard.database=:memory:\n",
             settings, secret);
    return member_go(&d->dashboard.process, all, d->err);
}

/* Its log has the address. The demo goes on if the dashboard does not start. */
static void take_line(void *context, const char *line)
{
    static const char listens[] = "event=\"dashboard listens\" address=";
    struct demo *d = context;
    const char *address = strstr(line, listens);
    if (address != NULL)
        snprintf(d->view.dashboard, sizeof d->view.dashboard, "http://%s/#token=%s",
                 address + strlen(listens), d->dashboard.token);
    else if (strstr(line, " level=error") != NULL)
        snapshot_add_note(&d->view, line);
}

void operator_read_log(struct demo *d)
{
    member_read_log(&d->dashboard.process, take_line, d);
}
