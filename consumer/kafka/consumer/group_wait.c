/* group_wait: says that the group makes this member wait, for whom and until when.
 *
 * A JoinGroup is answered once every member that the group knows has asked to join again, or its
 * session has ended: after a member's death the others wait for it. Who that is only the
 * coordinator knows; it is asked on another connection than the one that waits. */
#include "base/time_text.h"
#include "config/member_options.h"
#include "kafka/consumer/consumer_internal.h"
#include "kafka/group/group_members.h"
#include "sys/clock.h"

#include <stdio.h>

enum {
    ASK_AFTER_MS = 1000, /* a rebalance among healthy members is over by then, most often */
    SAY_AFTER_MS = 1800,
    AGAIN_MS = 60000,
    ASK_MS = 2000,
    UNTIL_MAX = 128
};

/* Since when it waits for partitions; 0: it does not. */
static int64_t waiting_since(struct consumer *s)
{
    if (s->closing || s->fatal || !s->subscribed)
        return 0;
    int64_t joining_ms = join_watch_since_ms(&s->join);
    if (joining_ms > 0 || !config_group_is_brokers(s->config))
        return joining_ms;
    bool has_none = consumer_none_owned(s) && s->pending == CHANGE_NONE; /* nothing joins there */
    if (!has_none)
        s->wait.none_since_ms = 0;
    else if (s->wait.none_since_ms == 0)
        s->wait.none_since_ms = clock_mono_ms();
    return s->wait.none_since_ms;
}

static void add_until(const struct consumer *s, int64_t since_ms, struct buf *text)
{
    int64_t until_ms = since_ms + config_session_ms(s->config);
    if (config_group_is_brokers(s->config))
        buf_add_text(text, "not known: the broker's group.consumer.session.timeout.ms decides");
    else
        (void)timestamp_add(text, clock_wall_ms() + until_ms - clock_mono_ms(), 3);
}

static void say(struct consumer *s, int64_t since_ms, const char *whom)
{
    struct buf until;
    buf_init(&until, UNTIL_MAX);
    add_until(s, since_ms, &until);
    const struct log_field hint =
        LOG_S("hint", "with kafka.instance a member that restarts goes on at once");
    log_event(consumer_none_owned(s) ? LOG_WARN : LOG_INFO, "waiting for the group",
              (const struct log_field[]){
                  LOG_S("group", s->config->kafka_group),
                  LOG_S("for", whom),
                  LOG_S("until", buf_text(&until)),
                  LOG_S("reason", "the group goes on once each of them has joined again, or its "
                                  "session has ended"),
                  config_instance(s->config) == NULL ? hint : (struct log_field){0},
                  {0}});
    buf_done(&until);
    s->wait.said = true;
    s->wait.again_ms = clock_mono_ms() + AGAIN_MS;
}

/* In a thread of its own. */
static void ask(void *context)
{
    struct consumer *s = context;
    struct consumer_wait *w = &s->wait;
    char *own = rd_kafka_memberid(s->rk);
    w->err = (struct error){0};
    /* Of a group that the broker assigns, the older question shows no member. */
    w->known =
        config_group_is_brokers(s->config)
            ? group_members_describe(s->rk, s->config->kafka_group, own, ASK_MS, &w->members,
                                     &w->err)
            : group_members_list(s->rk, s->config->kafka_group, own, ASK_MS, &w->members, &w->err);
    if (own != NULL)
        rd_kafka_mem_free(s->rk, own);
}

static void take_answer(struct consumer *s, int64_t since_ms)
{
    const struct consumer_wait *w = &s->wait;
    if (!background_take(&s->wait.background) || since_ms == 0 || w->said)
        return;
    say(s, since_ms,
        !w->known               ? w->err.text
        : w->members.count == 0 ? "no other member is there yet (the broker's "
                                  "group.initial.rebalance.delay.ms)"
                                : w->members.names);
}

static void end_wait(struct consumer *s)
{
    if (s->wait.said && s->joined)
        log_info("the group goes on", LOG_S("group", s->config->kafka_group));
    s->wait.said = s->wait.asked = false;
}

void consumer_say_wait(struct consumer *s)
{
    int64_t now_ms = clock_mono_ms(), since_ms = waiting_since(s);
    take_answer(s, since_ms);
    if (since_ms == 0) {
        end_wait(s);
        return;
    }
    if (s->wait.said && now_ms >= s->wait.again_ms)
        s->wait.said = s->wait.asked = false;
    if (!s->wait.asked && now_ms >= since_ms + ASK_AFTER_MS) {
        s->wait.asked = true;
        s->wait.asked_ms = now_ms;
        (void)background_start(&s->wait.background, ask, s, s->wake_fd);
    }
    if (!s->wait.said && s->wait.asked && now_ms >= s->wait.asked_ms + SAY_AFTER_MS - ASK_AFTER_MS)
        say(s, since_ms, "not known: the coordinator did not say");
}

int64_t consumer_wake_ms(struct consumer *s)
{
    int64_t since_ms = waiting_since(s), now_ms = clock_mono_ms();
    if (since_ms == 0 || s->wait.said)
        return -1;
    int64_t at_ms =
        s->wait.asked ? s->wait.asked_ms + SAY_AFTER_MS - ASK_AFTER_MS : since_ms + ASK_AFTER_MS;
    return at_ms > now_ms ? at_ms - now_ms : 0;
}
