#include "pipeline/sending/pause.h"

#include "base/time_text.h"
#include "sys/log.h"

#include <stdlib.h>

enum { LOG_EVERY_MS = 60000, UNREAD_MS = 10000 };

struct pause {
    struct pause_uses use;
    struct control_watch *watch;
    struct pause_state state;
    int64_t sum_ms;  /* of the pauses that are over, without what the breaker counts itself */
    int64_t open_ms; /* of the breaker, when this pause began */
    struct log_limited unread;
};

struct pause *pause_new(const struct pause_uses *uses, struct error *err)
{
    struct pause *p = calloc(1, sizeof *p);
    if (p == NULL) {
        error_no_memory(err);
        return NULL;
    }
    p->use = *uses;
    p->watch = control_watch_new(uses->config, uses->wake_fd, err);
    if (p->watch != NULL)
        return p;
    free(p);
    return NULL;
}

void pause_free(struct pause *p)
{
    if (p == NULL)
        return;
    control_watch_free(p->watch);
    free(p);
}

bool pause_begin(struct pause *p, int timeout_ms, struct error *err)
{
    return control_watch_begin(p->watch, timeout_ms, err);
}

const struct pause_state *pause_state(const struct pause *p)
{
    return &p->state;
}

bool pause_may_send(const struct pause *p)
{
    return p->state.known && !p->state.paused;
}

static int64_t breaker_ms(const struct pause *p)
{
    return breaker_open_ms(&endpoint_state(p->use.endpoint)->breaker, p->use.now->mono_ms);
}

/* Of the pause that is on: its time, less that in which the breaker was open too. */
static int64_t this_pause_ms(const struct pause *p)
{
    return p->use.now->mono_ms - p->state.since_ms - (breaker_ms(p) - p->open_ms);
}

int64_t pause_stood_still_ms(const struct pause *p)
{
    return breaker_ms(p) + p->sum_ms + (p->state.paused ? this_pause_ms(p) : 0);
}

/* ---- the log ---- */

static void log_word(const struct pause *p, const struct control_word *word)
{
    char at[TIMESTAMP_TEXT];
    timestamp_text(word->at_ms, at);
    if (word->paused)
        log_warn("deliveries paused", LOG_S("group", p->use.config->kafka_group),
                 LOG_S("by", word->by), LOG_S("at", at), LOG_S("reason", word->reason),
                 LOG_S("hint", "elementor-sync resume lets them go on"));
    else
        log_info("deliveries resumed", LOG_S("group", p->use.config->kafka_group),
                 LOG_S("by", word->by), LOG_S("at", at));
}

static void log_unread(struct pause *p, const struct control_view *view)
{
    const struct log_field fields[] = {
        LOG_S("topic", p->use.config->control_topic),
        LOG_S("error", view->trouble[0] != '\0' ? view->trouble : "its end has not come yet"),
        LOG_S("reason", "nothing is sent before it is known whether deliveries are paused"),
        LOG_S("hint", "let the program's user read control.topic"),
        {0}};
    if (view->trouble[0] != '\0' || p->use.now->mono_ms - p->state.since_ms >= UNREAD_MS)
        log_limited(&p->unread, p->use.now->mono_ms, LOG_EVERY_MS, "control topic unread", fields);
}

/* ---- turns ---- */

static void change(struct pause *p, bool paused)
{
    if (p->state.paused)
        p->sum_ms += this_pause_ms(p);
    p->state.paused = paused;
    p->state.since_ms = p->use.now->mono_ms;
    p->open_ms = breaker_ms(p);
    p->state.changes++;
}

void pause_turn(struct pause *p)
{
    const struct control_view *view = control_watch_view(p->watch);
    control_watch_turn(p->watch);
    if (p->state.since_ms == 0) /* joining may have taken long */
        p->state.since_ms = p->use.now->mono_ms;
    if (!view->known) {
        log_unread(p, view);
        return;
    }
    if (!p->state.known) {
        const struct log_field fields[] = {LOG_S("topic", p->use.config->control_topic), {0}};
        p->state.known = true;
        p->state.changes++;
        log_recovered(&p->unread, "control topic read", fields);
    }
    if (view->word.paused != p->state.paused) {
        change(p, view->word.paused);
        log_word(p, &view->word);
    }
}
