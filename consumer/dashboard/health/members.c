#include "dashboard/health/members.h"

#include "dashboard/api/api.h"
#include "topics/json_field.h"

#include <string.h>

/* Reports come every five seconds: two may be late. HELD_MS: longer than a schema takes that is
 * asked for the first time. */
enum { ALIVE_MS = 15000, LISTED_MS = 3600000, HELD_MS = 3000, PARTITIONS_MAX = 4096 };

static const double RATE_MAX = 1e15;

/* Partitions that a member alive has, of both topics. */
struct owned {
    bool is[2][PARTITIONS_MAX];
};

static const char *topic_key(bool is_retry)
{
    return is_retry ? "retry_partitions" : "partitions";
}

/* ---- sums ---- */

/* A member's record may hold any number: negative ones are ignored, and sums do not overflow. */
static void add_count(int64_t *sum, const json_t *object, const char *name)
{
    int64_t more = json_whole(object, name, 0);
    if (more > 0 && __builtin_add_overflow(*sum, more, sum))
        *sum = INT64_MAX;
}

static void add_lag(struct members_now *m, const json_t *member, bool is_retry)
{
    const json_t *partition;
    size_t i;
    json_array_foreach (json_object_get(member, topic_key(is_retry)), i, partition) {
        add_count(&m->lag, partition, "lag");
    }
}

static int rank(const json_t *breaker)
{
    const char *state = json_text(breaker, "state");
    if (strcmp(state, "open") == 0)
        return 3;
    return strcmp(state, "closed") == 0 ? 1 : 2;
}

static void sum(struct members_now *m, const json_t *member)
{
    const json_t *breaker = json_object_get(member, "breaker");
    int64_t oldest_ms = json_whole(member, "oldest_unsettled_ms", -1);
    add_lag(m, member, false);
    add_lag(m, member, true);
    add_count(&m->in_flight, member, "in_flight");
    add_count(&m->waiting, member, "waiting");
    add_count(&m->waiting, member, "retrying");
    m->delivered_per_s +=
        json_number_value(json_object_get(json_object_get(member, "rates"), "delivered_per_s"));
    if (m->delivered_per_s > RATE_MAX) /* JSON has no infinity */
        m->delivered_per_s = RATE_MAX;
    if (oldest_ms >= 0 && (m->oldest_ms < 0 || oldest_ms < m->oldest_ms))
        m->oldest_ms = oldest_ms;
    if (json_is_object(breaker) && rank(breaker) > m->worst) {
        m->worst = rank(breaker);
        m->breaker = breaker;
    }
    int64_t hold_ms = json_whole(json_object_get(member, "pace"), "hold_until_ms", 0);
    m->hold_until_ms = hold_ms > m->hold_until_ms ? hold_ms : m->hold_until_ms;
    if (json_is_string(json_object_get(member, "endpoint")))
        m->endpoint = json_text(member, "endpoint");
}

/* ---- facts ---- */

static bool in_range(const json_t *partition, int64_t *ret_number)
{
    *ret_number = json_whole(partition, "partition", -1);
    return *ret_number >= 0 && *ret_number < PARTITIONS_MAX;
}

static void own(struct owned *owned, const json_t *member, bool is_retry)
{
    const json_t *partition;
    int64_t number;
    size_t i;
    json_array_foreach (json_object_get(member, topic_key(is_retry)), i, partition)
        if (in_range(partition, &number))
            owned->is[is_retry][number] = true;
}

static void note_standstill(struct verdict_facts *f, const json_t *member, bool is_retry)
{
    const json_t *partition;
    int64_t number, at_ms = json_whole(member, "at_ms", 0);
    size_t i;
    json_array_foreach (json_object_get(member, topic_key(is_retry)), i, partition) {
        int64_t held_ms = json_whole(partition, "held_since_ms", VERDICT_NONE);
        if (!in_range(partition, &number))
            continue;
        if (strcmp(json_text(partition, "state"), "stopped") == 0)
            verdict_add_partition(&f->stopped, (int32_t)number, is_retry, VERDICT_NONE,
                                  json_text(partition, "reason"));
        else if (held_ms >= 0 && at_ms - held_ms >= HELD_MS)
            verdict_add_partition(&f->held, (int32_t)number, is_retry, held_ms, "");
    }
}

static void note_registry(struct verdict_facts *f, const json_t *member)
{
    const json_t *registry = json_object_get(member, "registry");
    int64_t since_ms = json_whole(registry, "since_ms", VERDICT_NONE);
    if (since_ms < 0 || (f->registry.since_ms >= 0 && f->registry.since_ms <= since_ms))
        return;
    f->registry.since_ms = since_ms;
    verdict_set_text(f->registry.reason, json_text(registry, "reason"));
}

static void note_breaker(struct verdict_facts *f, const json_t *breaker)
{
    if (breaker == NULL || rank(breaker) == 1)
        return;
    f->breaker.open = true;
    f->breaker.refused = strstr(json_text(breaker, "reason"), "refuses") != NULL;
    f->breaker.since_ms = json_whole(breaker, "since_ms", VERDICT_NONE);
    f->breaker.next_probe_ms = json_whole(breaker, "next_probe_ms", VERDICT_NONE);
    verdict_set_text(f->breaker.reason, json_text(breaker, "reason"));
}

/* A silent member is named for what no other has: its partitions. */
static void note_silent(struct verdict_facts *f, const struct owned *owned, const json_t *member)
{
    size_t before = f->unowned.count;
    for (int is_retry = 0; is_retry < 2; is_retry++) {
        const json_t *partition;
        int64_t number;
        size_t i;
        json_array_foreach (json_object_get(member, topic_key(is_retry)), i, partition)
            if (in_range(partition, &number) && !owned->is[is_retry][number])
                verdict_add_partition(&f->unowned, (int32_t)number, is_retry,
                                      json_whole(member, "at_ms", VERDICT_NONE), "");
    }
    if (f->unowned.count > before)
        verdict_add_member(&f->silent, json_text(member, "member"),
                           json_whole(member, "at_ms", VERDICT_NONE));
}

static void gather(const struct members_now *m, struct verdict_facts *f)
{
    struct owned owned = {0};
    const json_t *member;
    size_t i;
    json_array_foreach (m->list, i, member) {
        int64_t at_ms = json_whole(member, "at_ms", VERDICT_NONE);
        f->heard_ms = at_ms > f->heard_ms ? at_ms : f->heard_ms;
        if (!json_is_true(json_object_get(member, "alive")))
            continue;
        for (int is_retry = 0; is_retry < 2; is_retry++) {
            own(&owned, member, is_retry);
            note_standstill(f, member, is_retry);
        }
        note_registry(f, member);
    }
    json_array_foreach (m->list, i, member)
        if (!json_is_true(json_object_get(member, "alive")))
            note_silent(f, &owned, member);
    f->alive = m->alive;
    f->oldest_unsettled_ms = m->oldest_ms >= 0 ? m->oldest_ms : VERDICT_NONE;
    f->hold_until_ms = m->hold_until_ms > 0 ? m->hold_until_ms : VERDICT_NONE;
    note_breaker(f, m->breaker);
}

/* ---- both ---- */

/* False: another group's, no member's record at all, or one of long ago. */
static bool is_listed(struct api *api, const json_t *member)
{
    return strcmp(json_text(member, "group"), api->config->kafka_group) == 0 &&
           json_is_string(json_object_get(member, "member")) &&
           json_whole(member, "at_ms", 0) > api->wall_ms - LISTED_MS;
}

void members_look(struct api *api, struct members_now *m, struct verdict_facts *facts)
{
    json_t *all = view_members(api->view), *member;
    size_t i;
    *m = (struct members_now){.list = json_array(), .oldest_ms = -1};
    json_array_foreach (all, i, member) {
        if (!is_listed(api, member))
            continue;
        bool alive = json_whole(member, "at_ms", 0) > api->wall_ms - ALIVE_MS;
        json_object_set_new(member, "alive", json_boolean(alive));
        if (!json_is_array(json_object_get(member, "partitions")))
            json_object_set_new(member, "partitions", json_array());
        json_array_append(m->list, member);
        m->alive += alive;
        if (alive)
            sum(m, member);
    }
    json_decref(all);
    if (facts != NULL)
        gather(m, facts);
}

void members_done(struct members_now *m)
{
    json_decref(m->list);
    m->list = NULL;
}
