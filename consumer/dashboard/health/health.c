#include "dashboard/health/health.h"

#include "dashboard/api/api.h"
#include "topics/control_record.h"
#include "topics/settings/topic_retention.h"

enum { EVERY_MS = 1000, COMMITS_PASSED_BY = 5 /* as pipeline/committer waits */ };

/* The feed looks rarely at what it has found once. */
static bool kafka_answers(const struct api *api)
{
    const struct orders_seen *seen = orders_watch_seen(api->watch);
    return feed_kafka_answers(api->feed) && (!seen->asked || seen->answered);
}

/* The constants of the two agree: see the assertion. */
static void gather_seen(struct api *api, struct verdict_facts *f)
{
    const struct orders_seen *seen = orders_watch_seen(api->watch);
    f->unread = seen->unread;
    f->oldest_unread_ms = seen->oldest_unread_ms;
    f->newest_change_ms = seen->newest_change_ms;
    f->heartbeat_ms = seen->heartbeat_ms;
    f->heartbeat_every_ms = seen->heartbeat_every_ms;
    f->commit_ms = COMMITS_PASSED_BY * api->config->commit_interval;
}
_Static_assert((int)WATCH_NONE == (int)VERDICT_NONE && (int)WATCH_UNKNOWN == (int)VERDICT_UNKNOWN,
               "times that are not known");

int64_t health_expiring(const struct api *api)
{
    int64_t oldest_ms, newest_ms;
    const struct order_filter filter = {.state = ORDER_PARKED,
                                        .since_ms = -1,
                                        .until_ms = api->wall_ms - api->config->parked_retention +
                                                    TOPIC_EXPIRES_SOON_MS};
    return filter.until_ms > 0 ? view_parked_count(api->view, &filter, &oldest_ms, &newest_ms) : 0;
}

static void gather_pause(const struct api *api, struct verdict_facts *f)
{
    struct control_word word;
    view_word(api->view, &word);
    f->paused.since_ms = word.paused ? word.at_ms : VERDICT_NONE;
    verdict_set_text(f->paused.reason, word.reason);
}

static void gather(struct api *api, struct members_now *members)
{
    struct health *h = api->health;
    bool answers = kafka_answers(api);
    if (answers)
        h->answered_ms = api->wall_ms;
    h->facts = (struct verdict_facts){
        .now_ms = api->wall_ms,
        .kafka_answers = answers,
        .caught_up = feed_caught_up(api->feed) && orders_watch_seen(api->watch)->asked,
        .answered_ms = h->answered_ms > 0 ? h->answered_ms : VERDICT_NONE,
        .behind = feed_behind(api->feed),
        .heard_ms = VERDICT_NONE,
        .registry = {.since_ms = VERDICT_NONE},
        .parked = view_count(api->view, ORDER_PARKED),
        .expiring = health_expiring(api),
        .retrying = view_count(api->view, ORDER_RETRYING)};
    gather_seen(api, &h->facts);
    gather_pause(api, &h->facts);
    members_look(api, members, &h->facts);
}

void health_look(struct api *api, struct members_now *members)
{
    struct health *h = api->health;
    enum verdict_state before = h->verdict.state;
    bool first = h->since_ms == 0;
    gather(api, members);
    verdict_judge(&h->facts, &h->verdict);
    if (!first && h->verdict.state == before)
        return;
    h->since_ms = api->wall_ms;
    h->changes += !first;
}

int64_t health_turn(struct api *api)
{
    if (api->now_ms >= api->health->due_ms) {
        struct members_now members;
        api->health->due_ms = api->now_ms + EVERY_MS;
        health_look(api, &members);
        members_done(&members);
    }
    return api->health->due_ms - api->now_ms;
}
