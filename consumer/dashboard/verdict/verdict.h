/* verdict: is everything all right? From facts to one state, with each cause, why and what to do.
 *
 *   facts (members' reports, the view, the cluster) ─▶ causes, gravest first ─▶ state
 *
 * Pure: reads no clock and asks for nothing. Judges by age, not by counts; what is not known is no
 * ground for "all well". The page, the API, the metrics and the notices use this one
 * verdict; codes are stable, words are the page's. */
#ifndef DASHBOARD_VERDICT_VERDICT_H
#define DASHBOARD_VERDICT_VERDICT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Times are ms since 1970 by this host's clock, or one of these. */
enum { VERDICT_NONE = -1, VERDICT_UNKNOWN = -2 };

/* From the best to the worst: the verdict is the worst of its causes. */
#define VERDICT_STATES(X)                                                                     \
    X(ALL_WELL, "all_well")                                                                   \
    X(QUIET, "quiet")                  /* nothing waits, and nothing comes: no fault known */ \
    X(WORKING, "working")              /* something waits, and goes on by itself */           \
    X(NEEDS_YOU, "needs_you")          /* orders wait for a decision */                       \
    X(NO_CHANGES, "no_changes_arrive") /* Debezium's heartbeats have stopped */               \
    X(TROUBLE, "trouble")              /* orders wait, and an operator has to look */         \
    X(NOBODY, "nobody_delivers")                                                              \
    X(BLIND, "blind") /* the dashboard cannot tell */

enum verdict_state {
#define X(id, name) VERDICT_##id,
    VERDICT_STATES(X)
#undef X
        VERDICT_STATE_COUNT
};
extern const char *const verdict_state_names[VERDICT_STATE_COUNT];

/* Code and what to do (NULL: nothing, it goes on by itself). Within a state in this order. */
#define VERDICT_CAUSES(X)                                         \
    X(KAFKA_AWAY, "kafka_away", "check_kafka")                    \
    X(VIEW_BEHIND, "view_behind", NULL)                           \
    X(NOBODY_DELIVERS, "nobody_delivers", "start_member")         \
    X(BREAKER_OPEN, "breaker_open", "check_webhook")              \
    X(BREAKER_REFUSED, "breaker_refused", "check_form")           \
    X(PARTITIONS_STOPPED, "partitions_stopped", "show_developer") \
    X(REGISTRY_AWAY, "registry_away", "check_registry")           \
    X(PARTITIONS_HELD, "partitions_held", "check_registry")       \
    X(MEMBERS_SILENT, "members_silent", "check_member")           \
    X(WAITS_LONG, "waits_long", "show_developer")                 \
    X(NO_CHANGES_ARRIVE, "no_changes_arrive", "check_source")     \
    X(PAUSED, "paused", "resume")                                 \
    X(PARKED, "parked", "decide")                                 \
    X(WEBHOOK_HOLDS, "webhook_holds", NULL)                       \
    X(RETRYING, "retrying", NULL)                                 \
    X(CATCHING_UP, "catching_up", NULL)

enum verdict_code {
#define X(id, name, todo) VERDICT_##id,
    VERDICT_CAUSES(X)
#undef X
        VERDICT_CODE_COUNT
};
extern const char *const verdict_code_names[VERDICT_CODE_COUNT];

enum { VERDICT_NAMED_MAX = 16, VERDICT_MEMBERS_MAX = 4, VERDICT_TEXT_MAX = 256 };

/* Some partitions; of many, the first are named. */
struct verdict_partitions {
    size_t count, named;
    int64_t since_ms; /* the longest of them; NONE: there are none */
    struct {
        int32_t number;
        bool is_retry;
    } list[VERDICT_NAMED_MAX];
    char reason[VERDICT_TEXT_MAX]; /* of one of them; "": not said */
};

struct verdict_members {
    size_t count, named;
    int64_t heard_ms; /* the latest report of any; NONE: there are none */
    char list[VERDICT_MEMBERS_MAX][64];
};

struct verdict_facts {
    int64_t now_ms;

    /* The dashboard's own sight. */
    bool kafka_answers, caught_up;
    int64_t answered_ms; /* when Kafka last answered; NONE: not yet */
    int64_t behind;      /* records of the own topics that are still to be read */

    /* The members. */
    size_t alive;
    int64_t heard_ms;              /* the latest report of any member; NONE */
    struct verdict_members silent; /* whose partitions no other has taken over */
    struct verdict_partitions unowned, stopped, held;
    struct {
        int64_t since_ms; /* NONE: it answers, as far as they had to ask */
        char reason[VERDICT_TEXT_MAX];
    } registry;

    /* The webhook. */
    struct {
        bool open, refused; /* refused: it says that most orders are wrong */
        int64_t since_ms, next_probe_ms;
        char reason[VERDICT_TEXT_MAX];
    } breaker;
    int64_t hold_until_ms; /* NONE */
    struct {
        int64_t since_ms; /* NONE: deliveries are not paused */
        char reason[VERDICT_TEXT_MAX];
    } paused; /* by an operator */

    /* The orders. */
    int64_t parked, expiring, retrying;
    int64_t oldest_unsettled_ms; /* NONE, or UNKNOWN */
    int64_t oldest_unread_ms;    /* of the changes above the group's commits; the same */
    int64_t unread;              /* how many these are; UNKNOWN */
    int64_t newest_change_ms;    /* NONE, or UNKNOWN */
    int64_t commit_ms;           /* a change that is settled may be uncommitted for as long */

    /* The source. */
    int64_t heartbeat_ms;       /* the last; NONE or UNKNOWN: it has no heartbeats that are known */
    int64_t heartbeat_every_ms; /* its usual interval */
};

struct verdict_cause { /* texts and lists are the facts' */
    enum verdict_code code;
    enum verdict_state level;
    int64_t since_ms, until_ms;                  /* NONE */
    int64_t count, expiring;                     /* NONE */
    const struct verdict_partitions *partitions; /* NULL */
    const struct verdict_members *members;       /* NULL */
    const char *reason;                          /* NULL */
};

struct verdict {
    enum verdict_state state;
    int64_t since_ms; /* what the state is about: the first cause's, or the newest change; NONE */
    bool flows;       /* what is not named here is delivered as it comes */
    size_t count;
    struct verdict_cause causes[VERDICT_CODE_COUNT]; /* gravest first; each code at most once */
};

/* *ret borrows from the facts. */
void verdict_judge(const struct verdict_facts *facts, struct verdict *ret);

/* A Verdict of schemas/openapi.yaml. NULL without memory. */
json_t *verdict_json(const struct verdict *verdict);

/* Text as it may be shown, cut to its room. */
void verdict_set_text(char ret[VERDICT_TEXT_MAX], const char *text);

/* One more partition, or member, for a list. */
void verdict_add_partition(struct verdict_partitions *partitions, int32_t number, bool is_retry,
                           int64_t since_ms, const char *reason);
void verdict_add_member(struct verdict_members *members, const char *name, int64_t heard_ms);

#endif
