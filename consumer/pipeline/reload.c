/* reload: a rotated secret is taken up while everything goes on.
 *
 * Taken up: the webhook (URL, signing keys, extra headers, trust, limits of an answer) and the
 * registry's credentials; what else has changed is said, and waits for a restart.
 * Attempts under way end as they are; one that fails at the old address says nothing about the new
 * one, and its order is simply sent again. */
#include "pipeline/pipeline_internal.h"

#include "config/diff.h"
#include "config/load/watch.h"

enum { LOOK_EVERY_MS = 1000 };

#define NEEDS (CONFIG_NEED_KAFKA | CONFIG_NEED_START | CONFIG_NEED_REGISTRY | CONFIG_NEED_WEBHOOK)

/* What is taken up, and what `run` has nothing to do with. */
static const char *const live[] = {"webhook.url",
                                   "webhook.allow_http",
                                   "webhook.ca_file",
                                   "webhook.signing_keys",
                                   "webhook.headers.",
                                   "webhook.timeout",
                                   "webhook.response_max",
                                   "registry.ca_file",
                                   "registry.user",
                                   "registry.password",
                                   "registry.token",
                                   "registry.timeout",
                                   "auth.",
                                   "dashboard.",
                                   NULL};

/* Against the start, and each time: somebody may be waiting for it to take effect. */
static void say_the_rest(struct pipeline *p, const struct config *config)
{
    buf_reset(&p->text);
    config_changes(p->config, config, live, &p->text);
    if (p->text.len > 0)
        log_warn("these options have changed and are taken up at the next start only",
                 LOG_S("options", buf_text(&p->text)));
}

/* The registry borrows from what it was given: that lives until the next one has its place. */
static void adopt(struct pipeline *p, struct config *config)
{
    registry_reload(p->registry, config);
    p->sole_probe = NULL;
    breaker_retarget(&p->breaker, &p->breaker_options, p->now_ms);
    say_the_rest(p, config);
    log_info("configuration read again", LOG_S("webhook", webhook_name(p->webhook)));
    config_free(p->adopted);
    p->adopted = config;
    p->totals.reloads++;
    p->state_changed = true;
}

static void take_up(struct pipeline *p)
{
    struct error err = {0};
    reload_note(p->reload);
    struct config *config = reload_read(p->config, NEEDS, &err);
    if (config != NULL && webhook_reload(p->webhook, config, &err)) {
        adopt(p, config);
        return;
    }
    config_free(config);
    p->totals.reload_failures++;
    log_error("the configuration could not be read again; the one before stays",
              LOG_S("why", err.text));
}

void reload_due(struct pipeline *p)
{
    bool changed = false;
    if (p->now_ms >= p->next_look_ms) {
        changed = reload_look(p->reload);
        p->next_look_ms = p->now_ms + LOOK_EVERY_MS;
    }
    if (changed || p->reload_asked)
        take_up(p);
    p->reload_asked = false;
}
