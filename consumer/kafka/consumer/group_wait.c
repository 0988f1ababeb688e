#include "kafka/consumer/group_wait.h"

#include "base/time_text.h"
#include "config/member_options.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdio.h>

enum {
    ASK_AFTER_MS = 1000, /* a rebalance among healthy members is over by then, most often */
    SAY_AFTER_MS = 1800,
    AGAIN_MS = 60000,
    ASK_MS = 2000,
    UNTIL_MAX = 128
};

/* Since when it waits for partitions; 0: it does not. */
static int64_t waiting_since(struct group_wait *w, const struct group_wait_member *member)
{
    if (!member->takes_part)
        return 0;
    if (member->joining_ms > 0 || !config_group_is_brokers(w->config))
        return member->joining_ms;
    if (!member->has_none || member->is_changing) /* nothing joins there */
        w->none_since_ms = 0;
    else if (w->none_since_ms == 0)
        w->none_since_ms = clock_mono_ms();
    return w->none_since_ms;
}

static void add_until(const struct group_wait *w, int64_t since_ms, struct buf *text)
{
    int64_t until_ms = since_ms + config_session_ms(w->config);
    if (config_group_is_brokers(w->config))
        buf_add_text(text, "not known: the broker's group.consumer.session.timeout.ms decides");
    else
        (void)timestamp_add(text, clock_wall_ms() + until_ms - clock_mono_ms(), 3);
}

static void log_wait(struct group_wait *w, bool has_none, int64_t since_ms, const char *whom)
{
    struct buf until;
    buf_init(&until, UNTIL_MAX);
    add_until(w, since_ms, &until);
    const struct log_field hint =
        LOG_S("hint", "with kafka.instance a member that restarts goes on at once");
    log_event(has_none ? LOG_WARN : LOG_INFO, "group wait",
              (const struct log_field[]){
                  LOG_S("group", w->config->kafka_group),
                  LOG_S("for", whom),
                  LOG_S("until", buf_text(&until)),
                  LOG_S("reason", "the group goes on once each of them has joined again, or its "
                                  "session has ended"),
                  config_instance(w->config) == NULL ? hint : (struct log_field){0},
                  {0}});
    buf_done(&until);
    w->said = true;
    w->again_ms = clock_mono_ms() + AGAIN_MS;
}

/* In a thread of its own. */
static void ask(void *context)
{
    struct group_wait *w = context;
    char *own = rd_kafka_memberid(w->rk);
    w->err = (struct error){0};
    /* Of a group that the broker assigns, the older question shows no member. */
    w->known =
        config_group_is_brokers(w->config)
            ? group_members_describe(w->rk, w->config->kafka_group, own, ASK_MS, &w->members,
                                     &w->err)
            : group_members_list(w->rk, w->config->kafka_group, own, ASK_MS, &w->members, &w->err);
    if (own != NULL)
        rd_kafka_mem_free(w->rk, own);
}

static void take_answer(struct group_wait *w, bool has_none, int64_t since_ms)
{
    if (!background_take(&w->background) || since_ms == 0 || w->said)
        return;
    log_wait(w, has_none, since_ms,
             !w->known               ? w->err.text
             : w->members.count == 0 ? "no other member is there yet (the broker's "
                                       "group.initial.rebalance.delay.ms)"
                                     : w->members.names);
}

static void end_wait(struct group_wait *w, bool joined)
{
    if (w->said && joined)
        log_info("group wait over", LOG_S("group", w->config->kafka_group));
    w->said = w->asked = false;
}

void group_wait_turn(struct group_wait *w, const struct group_wait_member *member)
{
    int64_t now_ms = clock_mono_ms(), since_ms = waiting_since(w, member);
    take_answer(w, member->has_none, since_ms);
    if (since_ms == 0) {
        end_wait(w, member->joined);
        return;
    }
    if (w->said && now_ms >= w->again_ms)
        w->said = w->asked = false;
    if (!w->asked && now_ms >= since_ms + ASK_AFTER_MS) {
        w->asked = true;
        w->asked_ms = now_ms;
        (void)background_start(&w->background, ask, w, w->wake_fd);
    }
    if (!w->said && w->asked && now_ms >= w->asked_ms + SAY_AFTER_MS - ASK_AFTER_MS)
        log_wait(w, member->has_none, since_ms, "not known: the coordinator did not say");
}

int64_t group_wait_wake_ms(struct group_wait *w, const struct group_wait_member *member)
{
    int64_t since_ms = waiting_since(w, member), now_ms = clock_mono_ms();
    if (since_ms == 0 || w->said)
        return -1;
    int64_t at_ms = w->asked ? w->asked_ms + SAY_AFTER_MS - ASK_AFTER_MS : since_ms + ASK_AFTER_MS;
    return at_ms > now_ms ? at_ms - now_ms : 0;
}

void group_wait_done(struct group_wait *w)
{
    background_join(&w->background);
}
