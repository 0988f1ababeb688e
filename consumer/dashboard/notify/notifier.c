#include "dashboard/notify/notifier.h"

#include "dashboard/notify/notice_post.h"
#include "dashboard/notify/notice_text.h"
#include "dashboard/notify/notices.h"
#include "dashboard/notify/sender_group.h"
#include "dashboard/notify/speaker.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    POLL_MS = 100,
    AGAIN_MS = 1000,
    AGAIN_MAX_MS = 60000,
    REST_MAX_MS = 600000,
    BEAT_EVERY_MS = 60000,
    STALE_MS = 30000 /* facts of a dashboard that stands still */
};

struct notifier {
    const struct config *config;
    pthread_t thread;
    bool running, has_lock;
    atomic_bool stopping;

    pthread_mutex_t lock; /* of what the two threads share */
    struct notifier_facts facts;
    bool seen;
    int64_t parked_until_ms;

    /* The thread's own. */
    struct sender_group *group;
    struct notice_post *post, *heartbeat; /* NULL: none is wanted */
    struct notices notices;
    struct speaker speaker;
    uint64_t rounds; /* of the group */
    bool is_read;    /* what was kept, in this round */
    int64_t keep_ms; /* when to try again */
    int64_t again_ms, wait_ms, beat_ms;
};

/* ---- the kept state ---- */

static void read_kept(struct notifier *n, int64_t now_ms)
{
    char *text;
    if (n->is_read || now_ms < n->keep_ms)
        return;
    text = sender_group_kept(n->group);
    if (text != NULL)
        (void)notices_read(&n->notices, text, strlen(text));
    n->is_read = text != NULL;
    if (text == NULL)
        n->keep_ms = clock_mono_ms() + AGAIN_MS;
    free(text);
}

static void keep(struct notifier *n, int64_t now_ms)
{
    char text[NOTICES_TEXT_MAX];
    if (!n->is_read || notices_are_kept(&n->notices) || now_ms < n->keep_ms)
        return;
    notices_write(&n->notices, text);
    if (sender_group_keep(n->group, text))
        n->notices.kept = n->notices.changes;
    else
        n->keep_ms = clock_mono_ms() + AGAIN_MS;
}

/* ---- messages ---- */

static bool tell(struct notifier *n, enum notice notice, const struct notices_facts *facts,
                 const struct notifier_facts *seen)
{
    const struct notice_subject subject = {.topic = n->config->kafka_topic,
                                           .group = n->config->kafka_group,
                                           .page = n->config->dashboard_url,
                                           .state = seen->state,
                                           .code = seen->code,
                                           .parked = seen->parked};
    json_t *json = notice_json(notice, &n->notices, facts, &subject,
                               notice_is_for_teams(n->config->notify_url));
    char *body = json_dumps(json, JSON_COMPACT);
    bool taken = body != NULL && notice_post_ask(n->post, body);
    free(body);
    json_decref(json);
    return taken;
}

/* Tries later, and later: at most a minute, or as long as it was asked to. */
static void put_off(struct notifier *n)
{
    int64_t rest_ms = notice_post_rest_ms(n->post);
    n->wait_ms = n->wait_ms == 0 ? AGAIN_MS : n->wait_ms * 2;
    if (n->wait_ms > AGAIN_MAX_MS)
        n->wait_ms = AGAIN_MAX_MS;
    if (rest_ms > REST_MAX_MS)
        rest_ms = REST_MAX_MS;
    n->again_ms = clock_mono_ms() + (rest_ms > n->wait_ms ? rest_ms : n->wait_ms);
}

static void send_owed(struct notifier *n, const struct notices_facts *facts,
                      const struct notifier_facts *seen)
{
    enum notice notice = notices_owed(&n->notices, facts);
    if (n->post == NULL || notice == NOTICE_NONE || clock_mono_ms() < n->again_ms)
        return;
    if (tell(n, notice, facts, seen)) {
        notices_told(&n->notices, notice, facts);
        n->wait_ms = 0;
        log_info("notice sent", LOG_S("state", verdict_state_names[seen->state]));
    } else {
        put_off(n);
    }
}

/* A dashboard that stands still knows nothing: its silence tells. */
static void beat(struct notifier *n, const struct notifier_facts *seen, bool bad)
{
    int64_t now_ms = clock_mono_ms();
    if (n->heartbeat == NULL || bad || now_ms < n->beat_ms || now_ms - seen->seen_ms > STALE_MS)
        return;
    n->beat_ms = now_ms + BEAT_EVERY_MS;
    (void)notice_post_ask(n->heartbeat, NULL);
}

/* ---- the thread ---- */

static bool look(struct notifier *n, struct notifier_facts *facts)
{
    pthread_mutex_lock(&n->lock);
    bool seen = n->seen;
    *facts = n->facts;
    n->parked_until_ms = n->notices.parked_until_ms;
    pthread_mutex_unlock(&n->lock);
    return seen;
}

static struct notices_facts facts_of(const struct notifier *n, const struct notifier_facts *seen)
{
    bool fresh = seen->parked_newest_ms > n->notices.parked_until_ms;
    return (struct notices_facts){.now_ms = seen->now_ms,
                                  .bad = seen->state >= VERDICT_NO_CHANGES,
                                  .cause = seen->code,
                                  .waiting = seen->waiting,
                                  .parked_new = fresh ? seen->parked_new : 0,
                                  .parked_newest_ms = seen->parked_newest_ms};
}

/* The kept text is read again after the group was shared out; an episode that another dashboard
 * tells is dropped. */
static void take_round(struct notifier *n, enum sender_role role)
{
    if (n->rounds == sender_group_rounds(n->group))
        return;
    n->rounds = sender_group_rounds(n->group);
    n->is_read = false;
    if (role == SENDER_ANOTHER)
        notices_forget(&n->notices);
}

static void stand_by(struct notifier *n, const struct speaker_facts *now,
                     const struct notices_facts *facts)
{
    if (now->away)
        notices_follow(&n->notices, facts);
    else
        notices_watch(&n->notices, facts);
    if (speaker_is_settled_elsewhere(&n->speaker, now))
        notices_forget(&n->notices);
}

static void turn(struct notifier *n)
{
    struct notifier_facts seen;
    if (!look(n, &seen))
        return;
    struct speaker_facts now = {.now_ms = clock_mono_ms(),
                                .role = sender_group_role(n->group),
                                .away = seen.code == VERDICT_KAFKA_AWAY};
    bool mine = now.role == SENDER_MINE && !now.away;
    take_round(n, now.role);
    if (mine)
        read_kept(n, now.now_ms);
    struct notices_facts facts = facts_of(n, &seen);
    if (now.role != SENDER_ANOTHER)
        notices_see(&n->notices, &facts);
    if (mine)
        keep(n, now.now_ms); /* before it is told: who follows owes it too */
    now.is_kept = n->is_read && notices_are_kept(&n->notices);
    if (!speaker_may_tell(&n->speaker, &now)) {
        if (now.role == SENDER_ANOTHER)
            stand_by(n, &now, &facts);
        return;
    }
    send_owed(n, &facts, &seen);
    if (mine)
        keep(n, clock_mono_ms());
    beat(n, &seen, facts.bad);
}

static void *run(void *context)
{
    struct notifier *n = context;
    while (!atomic_load(&n->stopping)) {
        sender_group_poll(n->group, POLL_MS);
        turn(n);
    }
    return NULL;
}

/* ---- life ---- */

static bool open_post(struct notifier *n, const char *option, const char *url,
                      struct notice_post **ret, struct error *err)
{
    if (url != NULL)
        *ret = notice_post_new(option, url, &n->stopping, err);
    return url == NULL || *ret != NULL;
}

static bool start(struct notifier *n, struct error *err)
{
    const struct config *c = n->config;
    n->has_lock = pthread_mutex_init(&n->lock, NULL) == 0;
    if (!n->has_lock || !open_post(n, "notify.url", c->notify_url, &n->post, err) ||
        !open_post(n, "notify.heartbeat_url", c->notify_heartbeat_url, &n->heartbeat, err))
        return false;
    n->group = sender_group_new(c, err);
    if (n->group == NULL)
        return false;
    n->running = pthread_create(&n->thread, NULL, run, n) == 0;
    return n->running || error_no_memory(err);
}

struct notifier *notifier_new(const struct config *config, struct error *err)
{
    if (config->notify_url == NULL && config->notify_heartbeat_url == NULL)
        return NULL;
    struct notifier *n = calloc(1, sizeof *n);
    if (n == NULL) {
        error_no_memory(err);
        return NULL;
    }
    n->config = config;
    n->parked_until_ms = -1;
    notices_init(&n->notices, config->notify_after, config->notify_digest);
    if (start(n, err))
        return n;
    notifier_free(n);
    return NULL;
}

void notifier_free(struct notifier *n)
{
    if (n == NULL)
        return;
    atomic_store(&n->stopping, true);
    if (n->running)
        pthread_join(n->thread, NULL);
    sender_group_free(n->group);
    notice_post_free(n->post);
    notice_post_free(n->heartbeat);
    if (n->has_lock)
        pthread_mutex_destroy(&n->lock);
    free(n);
}

/* ---- in the dashboard's thread ---- */

void notifier_see(struct notifier *n, const struct notifier_facts *facts)
{
    if (n == NULL)
        return;
    pthread_mutex_lock(&n->lock);
    n->facts = *facts;
    n->seen = true;
    pthread_mutex_unlock(&n->lock);
}

int64_t notifier_parked_until(struct notifier *n)
{
    pthread_mutex_lock(&n->lock);
    int64_t until_ms = n->parked_until_ms;
    pthread_mutex_unlock(&n->lock);
    return until_ms;
}
