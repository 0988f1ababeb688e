/* pipeline_reload: a rotated secret is taken up while everything goes on.
 *
 * Taken up: the webhook (URL, signing keys, extra headers, trust) and the registry's credentials.
 * Attempts under way end as they are; one that fails at the old address says nothing about the new
 * one, and its order is simply sent again. */
#include "pipeline_internal.h"

#include "edge/reload.h"

#include <string.h>

enum { LOOK_EVERY_MS = 1000 };

#define NEEDS (CONFIG_NEED_KAFKA | CONFIG_NEED_START | CONFIG_NEED_REGISTRY | CONFIG_NEED_WEBHOOK)

static bool same_properties(const struct config *a, const struct config *b)
{
    bool same = a->kafka_property_count == b->kafka_property_count;
    for (size_t i = 0; same && i < a->kafka_property_count; i++)
        same = strcmp(a->kafka_properties[i].name, b->kafka_properties[i].name) == 0 &&
               strcmp(a->kafka_properties[i].value, b->kafka_properties[i].value) == 0;
    return same;
}

/* The registry borrows from what it was given: that lives until the next one has its place. */
static void adopt(struct pipeline *p, struct config *config)
{
    registry_reload(p->registry, config);
    breaker_retarget(&p->breaker, &p->breaker_options, p->now_ms);
    if (!same_properties(config, p->config))
        log_warn("kafka.properties have changed: they are taken up at the next start",
                 LOG_S("topic", p->config->kafka_topic));
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
