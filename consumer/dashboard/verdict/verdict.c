#include "dashboard/verdict/verdict.h"

#include "base/printable.h"

/* A report tells of five seconds ago at most, and the next is under way: a delivery that waits for
 * less than WORKING_MS flows. */
enum {
    WORKING_MS = 10 * 1000,
    HELD_MS = 30 * 1000,      /* longer than a schema takes, or memory to be free again */
    TAKE_OVER_MS = 60 * 1000, /* a session's end and a rebalance */
    BEAT_LATE_MS = 5 * 1000,  /* two heartbeats are missing, and this much more */
    QUIET_MS = 10 * 60 * 1000,
    TROUBLE_MS = 15 * 60 * 1000 /* the alert OrderWaits says the same */
};

const char *const verdict_state_names[VERDICT_STATE_COUNT] = {
#define X(id, name) name,
    VERDICT_STATES(X)
#undef X
};

const char *const verdict_code_names[VERDICT_CODE_COUNT] = {
#define X(id, name, todo) name,
    VERDICT_CAUSES(X)
#undef X
};

/* ---- texts and lists ---- */

void verdict_set_text(char ret[VERDICT_TEXT_MAX], const char *text)
{
    printable(text, ret, VERDICT_TEXT_MAX);
}

void verdict_add_partition(struct verdict_partitions *p, int32_t number, bool is_retry,
                           int64_t since_ms, const char *reason)
{
    if (p->count++ == 0 || (since_ms >= 0 && (p->since_ms < 0 || since_ms < p->since_ms)))
        p->since_ms = since_ms;
    if (p->named < VERDICT_NAMED_MAX) {
        p->list[p->named].number = number;
        p->list[p->named++].is_retry = is_retry;
    }
    if (p->reason[0] == '\0')
        verdict_set_text(p->reason, reason);
}

void verdict_add_member(struct verdict_members *m, const char *name, int64_t heard_ms)
{
    if (m->count++ == 0 || heard_ms > m->heard_ms)
        m->heard_ms = heard_ms;
    if (m->named < VERDICT_MEMBERS_MAX)
        printable(name, m->list[m->named++], sizeof m->list[0]);
}

/* ---- causes ---- */

static struct verdict_cause *add(struct verdict *v, enum verdict_code code,
                                 enum verdict_state level)
{
    struct verdict_cause *cause = &v->causes[v->count++];
    *cause = (struct verdict_cause){.code = code,
                                    .level = level,
                                    .since_ms = VERDICT_NONE,
                                    .until_ms = VERDICT_NONE,
                                    .count = VERDICT_NONE,
                                    .expiring = VERDICT_NONE};
    if (level > v->state)
        v->state = level;
    return cause;
}

static int64_t age(const struct verdict_facts *f, int64_t since_ms)
{
    return since_ms >= 0 ? f->now_ms - since_ms : 0;
}

static const char *said(const char *reason)
{
    return reason[0] != '\0' ? reason : NULL;
}

static void judge_sight(const struct verdict_facts *f, struct verdict *v)
{
    if (!f->kafka_answers)
        add(v, VERDICT_KAFKA_AWAY, VERDICT_BLIND)->since_ms = f->answered_ms;
    else if (!f->caught_up)
        add(v, VERDICT_VIEW_BEHIND, VERDICT_BLIND)->count = f->behind;
}

static void judge_members(const struct verdict_facts *f, struct verdict *v)
{
    if (f->alive == 0) {
        struct verdict_cause *cause = add(v, VERDICT_NOBODY_DELIVERS, VERDICT_NOBODY);
        cause->since_ms = f->heard_ms;
        cause->members = f->silent.count > 0 ? &f->silent : NULL;
    } else if (f->silent.count > 0) {
        bool taken_over_soon = age(f, f->silent.heard_ms) < TAKE_OVER_MS;
        struct verdict_cause *cause =
            add(v, VERDICT_MEMBERS_SILENT, taken_over_soon ? VERDICT_WORKING : VERDICT_TROUBLE);
        cause->since_ms = f->silent.heard_ms;
        cause->count = (int64_t)f->silent.count;
        cause->members = &f->silent;
        cause->partitions = &f->unowned;
    }
}

static void judge_webhook(const struct verdict_facts *f, struct verdict *v)
{
    if (f->breaker.open) {
        struct verdict_cause *cause =
            add(v, f->breaker.refused ? VERDICT_BREAKER_REFUSED : VERDICT_BREAKER_OPEN,
                VERDICT_TROUBLE);
        cause->since_ms = f->breaker.since_ms;
        cause->until_ms = f->breaker.next_probe_ms;
        cause->reason = said(f->breaker.reason);
    }
    if (f->hold_until_ms > f->now_ms)
        add(v, VERDICT_WEBHOOK_HOLDS, VERDICT_WORKING)->until_ms = f->hold_until_ms;
}

/* An operator's decision began it, and another ends it: orders wait for nothing else meanwhile. */
static void judge_pause(const struct verdict_facts *f, struct verdict *v)
{
    if (f->paused.since_ms < 0)
        return;
    struct verdict_cause *cause = add(v, VERDICT_PAUSED, VERDICT_NEEDS_YOU);
    cause->since_ms = f->paused.since_ms;
    cause->reason = said(f->paused.reason);
}

static void judge_reading(const struct verdict_facts *f, struct verdict *v)
{
    if (f->stopped.count > 0) {
        struct verdict_cause *cause = add(v, VERDICT_PARTITIONS_STOPPED, VERDICT_TROUBLE);
        cause->since_ms = f->stopped.since_ms;
        cause->count = (int64_t)f->stopped.count;
        cause->partitions = &f->stopped;
        cause->reason = said(f->stopped.reason);
    }
    if (f->registry.since_ms >= 0) {
        struct verdict_cause *cause = add(v, VERDICT_REGISTRY_AWAY, VERDICT_TROUBLE);
        cause->since_ms = f->registry.since_ms;
        cause->count = (int64_t)f->held.count;
        cause->partitions = f->held.count > 0 ? &f->held : NULL;
        cause->reason = said(f->registry.reason);
    } else if (f->held.count > 0) {
        bool is_long = age(f, f->held.since_ms) >= HELD_MS;
        struct verdict_cause *cause =
            add(v, VERDICT_PARTITIONS_HELD, is_long ? VERDICT_TROUBLE : VERDICT_WORKING);
        cause->since_ms = f->held.since_ms;
        cause->count = (int64_t)f->held.count;
        cause->partitions = &f->held;
    }
}

static int64_t older(int64_t one_ms, int64_t two_ms)
{
    if (one_ms < 0 || two_ms < 0)
        return one_ms > two_ms ? one_ms : two_ms;
    return one_ms < two_ms ? one_ms : two_ms;
}

/* Waiting orders wait for a cause that is named already. */
static bool is_explained(const struct verdict *v)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->causes[i].code != VERDICT_PARKED)
            return true;
    return false;
}

static void judge_waiting(const struct verdict_facts *f, struct verdict *v)
{
    int64_t oldest_ms = older(f->oldest_unsettled_ms, f->oldest_unread_ms);
    if (oldest_ms < 0 || f->paused.since_ms >= 0 || age(f, oldest_ms) < WORKING_MS + f->commit_ms)
        return;
    bool is_long = age(f, oldest_ms) >= TROUBLE_MS + f->commit_ms;
    if (!is_long && is_explained(v))
        return;
    struct verdict_cause *cause = add(v, is_long ? VERDICT_WAITS_LONG : VERDICT_CATCHING_UP,
                                      is_long ? VERDICT_TROUBLE : VERDICT_WORKING);
    cause->since_ms = oldest_ms;
    cause->count = f->unread > 0 ? f->unread : VERDICT_NONE;
}

static void judge_orders(const struct verdict_facts *f, struct verdict *v)
{
    if (f->parked > 0) {
        struct verdict_cause *cause = add(v, VERDICT_PARKED, VERDICT_NEEDS_YOU);
        cause->count = f->parked;
        cause->expiring = f->expiring;
    }
    if (f->retrying > 0)
        add(v, VERDICT_RETRYING, VERDICT_WORKING)->count = f->retrying;
}

/* ---- the verdict ---- */

/* Gravest first, then in the order of the codes. */
static void sort(struct verdict *v)
{
    for (size_t i = 1; i < v->count; i++)
        for (size_t k = i; k > 0; k--) {
            struct verdict_cause *a = &v->causes[k - 1], *b = &v->causes[k], swap = *a;
            if (a->level > b->level || (a->level == b->level && a->code < b->code))
                break;
            *a = *b;
            *b = swap;
        }
}

/* An operator's decisions, and single orders that are tried again, hold up no others. */
static bool all_flows(const struct verdict *v)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->causes[i].code != VERDICT_PARKED && v->causes[i].code != VERDICT_RETRYING)
            return false;
    return true;
}

/* A change is a sign of life as good as a heartbeat. */
static void judge_source(const struct verdict_facts *f, struct verdict *v)
{
    int64_t heard_ms =
        f->newest_change_ms > f->heartbeat_ms ? f->newest_change_ms : f->heartbeat_ms;
    if (f->heartbeat_ms >= 0 && age(f, heard_ms) >= 2 * f->heartbeat_every_ms + BEAT_LATE_MS)
        add(v, VERDICT_NO_CHANGES_ARRIVE, VERDICT_NO_CHANGES)->since_ms = heard_ms;
}

/* Nothing is wrong that could be seen; nothing was to be seen of late either. */
static void judge_silence(const struct verdict_facts *f, struct verdict *v)
{
    bool source_lives = f->heartbeat_ms >= 0; /* or it would be a cause */
    if (v->count > 0 || source_lives)
        return;
    if (f->newest_change_ms >= 0 && age(f, f->newest_change_ms) >= QUIET_MS) {
        v->state = VERDICT_QUIET;
        v->since_ms = f->newest_change_ms;
    }
}

void verdict_judge(const struct verdict_facts *f, struct verdict *v)
{
    *v = (struct verdict){.state = VERDICT_ALL_WELL, .since_ms = VERDICT_NONE};
    judge_sight(f, v);
    if (f->kafka_answers && f->caught_up) {
        judge_members(f, v);
        judge_webhook(f, v);
        judge_pause(f, v);
        judge_reading(f, v);
    }
    judge_orders(f, v);
    if (f->kafka_answers) {
        judge_source(f, v);
        judge_waiting(f, v);
    }
    judge_silence(f, v);
    sort(v);
    v->flows = all_flows(v);
    if (v->count > 0)
        v->since_ms = v->causes[0].since_ms;
}
