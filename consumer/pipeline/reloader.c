#include "pipeline/reloader.h"

#include "base/buf.h"
#include "config/diff.h"
#include "config/load/watch.h"
#include "sys/log.h"

#include <stdlib.h>

enum { LOOK_EVERY_MS = 1000 };

#define NEEDS (CONFIG_NEED_KAFKA | CONFIG_NEED_START | CONFIG_NEED_REGISTRY | CONFIG_NEED_WEBHOOK)

/* Options that are taken up, and those that `run` does not use. */
static const char *const live[] = {"webhook.url",
                                   "webhook.allow_http",
                                   "webhook.ca_file",
                                   "webhook.cert_file",
                                   "webhook.key_file",
                                   "webhook.tls_min",
                                   "webhook.ip",
                                   "webhook.proxy",
                                   "webhook.proxy_user",
                                   "webhook.proxy_password",
                                   "webhook.signing_keys",
                                   "webhook.headers.",
                                   "webhook.timeout",
                                   "webhook.response_max",
                                   "registry.ca_file",
                                   "registry.cert_file",
                                   "registry.key_file",
                                   "registry.user",
                                   "registry.password",
                                   "registry.token",
                                   "registry.headers.",
                                   "registry.timeout",
                                   "trace.",
                                   "auth.",
                                   "dashboard.",
                                   NULL};

enum { NAMES_MAX = 64 * 1024 };

struct reloader {
    struct reloader_uses use;
    struct reload *files;
    struct config *adopted; /* what the last reload read; owned. NULL: none yet */
    bool asked;             /* by SIGHUP */
    int64_t next_look_ms;
    struct reloader_counts counts;
};

struct reloader *reloader_new(const struct reloader_uses *uses)
{
    struct reloader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->use = *uses;
    r->files = reload_new(uses->config);
    if (r->files == NULL) {
        reloader_free(r);
        return NULL;
    }
    return r;
}

void reloader_free(struct reloader *r)
{
    if (r == NULL)
        return;
    reload_free(r->files);
    config_free(r->adopted);
    free(r);
}

const struct reloader_counts *reloader_counts(const struct reloader *r)
{
    return &r->counts;
}

void reloader_ask(struct reloader *r)
{
    r->asked = true;
}

/* Compared with the start, and logged each time: an operator may wait for it to take effect. */
static void log_the_rest(struct reloader *r, const struct config *config)
{
    struct buf names;
    buf_init(&names, NAMES_MAX);
    config_changes(r->use.config, config, live, &names);
    if (names.len > 0)
        log_warn("options need restart", LOG_S("options", buf_text(&names)));
    buf_done(&names);
}

/* The registry borrows from the configuration it was given, which lives until the next replaces it.
 */
static void adopt(struct reloader *r, struct config *config, struct registry_way *way,
                  struct collector *collector)
{
    registry_reload(r->use.registry, way);
    exporter_reload(r->use.exporter, collector);
    endpoint_retarget(r->use.endpoint);
    log_the_rest(r, config);
    log_info("configuration read again", LOG_S("webhook", webhook_name(r->use.webhook)));
    config_free(r->adopted);
    r->adopted = config;
    r->counts.reloads++;
}

static void take_up(struct reloader *r)
{
    struct error err = {0};
    reload_note(r->files);
    struct config *config = reload_read(r->use.config, NEEDS, &err);
    struct registry_way way = {0};
    struct collector collector = {0};
    if (config != NULL && registry_way_init(&way, config, &err) &&
        collector_init(&collector, config, &err) && webhook_reload(r->use.webhook, config, &err)) {
        adopt(r, config, &way, &collector);
        return;
    }
    registry_way_done(&way);
    collector_done(&collector);
    config_free(config);
    r->counts.failures++;
    log_error("configuration not reloaded", LOG_S("error", err.text),
              LOG_S("hint", "the configuration of before stays in use"));
}

void reloader_turn(struct reloader *r)
{
    bool changed = false;
    if (r->use.now->mono_ms >= r->next_look_ms) {
        changed = reload_look(r->files);
        r->next_look_ms = r->use.now->mono_ms + LOOK_EVERY_MS;
    }
    if (changed || r->asked)
        take_up(r);
    r->asked = false;
}
