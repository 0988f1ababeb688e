#include "dashboard/notify/notices.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { WELL_SHARE = 4, WELL_MAX_MS = 30000 };

void notices_init(struct notices *n, int64_t after_ms, int64_t window_ms)
{
    *n = (struct notices){.after_ms = after_ms,
                          .window_ms = window_ms,
                          .cause = VERDICT_CODE_COUNT,
                          .parked_until_ms = -1};
}

static int64_t well_ms(const struct notices *n)
{
    int64_t share_ms = n->after_ms / WELL_SHARE;
    return share_ms < WELL_MAX_MS ? share_ms : WELL_MAX_MS;
}

static void enter(struct notices *n, enum notices_phase phase)
{
    n->phase = phase;
    n->changes++;
}

/* A clock that is set back begins anew. */
static void note_since(int64_t *since_ms, bool is_so, int64_t now_ms)
{
    if (!is_so)
        *since_ms = 0;
    else if (*since_ms == 0 || *since_ms > now_ms)
        *since_ms = now_ms;
}

static bool is_well_again(const struct notices *n, const struct notices_facts *f)
{
    return n->well_since_ms > 0 && f->now_ms - n->well_since_ms >= well_ms(n);
}

void notices_watch(struct notices *n, const struct notices_facts *f)
{
    note_since(&n->well_since_ms, !f->bad, f->now_ms);
    note_since(&n->parked_since_ms, f->parked_new > 0, f->now_ms);
    if (f->bad || is_well_again(n, f))
        note_since(&n->bad_since_ms, f->bad, f->now_ms);
}

/* "No changes arrive" is the gravest cause: only the source can tell whether it kept every change.
 */
static void note_cause(struct notices *n, enum verdict_code cause)
{
    if (n->cause == cause || n->ended_ms > 0 || cause != VERDICT_NO_CHANGES_ARRIVE)
        return;
    n->cause = cause;
    n->changes++;
}

static void begin_episode(struct notices *n, const struct notices_facts *f)
{
    n->began_ms = n->bad_since_ms;
    n->ended_ms = n->waited = 0;
    n->cause = f->cause;
    enter(n, NOTICES_OWED);
}

static void see_trouble(struct notices *n, const struct notices_facts *f)
{
    bool lasted = f->bad && f->now_ms - n->bad_since_ms >= n->after_ms;
    if (n->phase == NOTICES_CALM && lasted)
        begin_episode(n, f);
    if (n->phase == NOTICES_CALM || n->phase == NOTICES_OVER)
        return;
    note_cause(n, f->cause);
    if (n->ended_ms == 0 && f->waiting > n->waited)
        n->waited = f->waiting;
    if (n->ended_ms == 0 && is_well_again(n, f)) {
        n->ended_ms = n->well_since_ms;
        n->changes++;
    }
    if (n->phase == NOTICES_TOLD && n->ended_ms > 0)
        enter(n, NOTICES_OVER);
}

void notices_see(struct notices *n, const struct notices_facts *f)
{
    notices_watch(n, f);
    see_trouble(n, f);
}

/* A digest waits for `after`, so that those which are parked at once are in one. */
static bool is_digest_due(const struct notices *n, const struct notices_facts *f)
{
    return n->parked_since_ms > 0 && f->now_ms - n->parked_since_ms >= n->after_ms &&
           (f->now_ms < n->digest_ms || f->now_ms - n->digest_ms >= n->window_ms);
}

enum notice notices_owed(const struct notices *n, const struct notices_facts *f)
{
    if (n->phase == NOTICES_OWED)
        return NOTICE_TROUBLE;
    if (n->phase == NOTICES_OVER)
        return NOTICE_OVER;
    return is_digest_due(n, f) ? NOTICE_PARKED : NOTICE_NONE;
}

void notices_told(struct notices *n, enum notice notice, const struct notices_facts *f)
{
    switch (notice) {
    case NOTICE_TROUBLE: enter(n, n->ended_ms > 0 ? NOTICES_OVER : NOTICES_TOLD); break;
    case NOTICE_OVER: enter(n, NOTICES_CALM); break;
    case NOTICE_PARKED:
        n->parked_until_ms = f->parked_newest_ms;
        n->digest_ms = f->now_ms;
        n->parked_since_ms = 0;
        n->changes++;
        break;
    default: break;
    }
}

/* ---- another dashboard tells ---- */

void notices_follow(struct notices *n, const struct notices_facts *f)
{
    notices_see(n, f);
    if (n->phase == NOTICES_OWED)
        notices_told(n, NOTICE_TROUBLE, f);
}

void notices_forget(struct notices *n)
{
    n->phase = NOTICES_CALM;
    n->kept = n->changes;
}

/* ---- the kept state ---- */

bool notices_are_kept(const struct notices *n)
{
    return n->changes == n->kept;
}

void notices_write(const struct notices *n, char ret[NOTICES_TEXT_MAX])
{
    snprintf(ret, NOTICES_TEXT_MAX,
             "{\"v\":1,\"phase\":%d,\"began\":%" PRId64 ",\"ended\":%" PRId64
             ",\"cause\":\"%s\",\"waited\":%" PRId64 ",\"parked\":%" PRId64 ",\"digest\":%" PRId64
             "}",
             (int)n->phase, n->began_ms, n->ended_ms,
             n->cause < VERDICT_CODE_COUNT ? verdict_code_names[n->cause] : "", n->waited,
             n->parked_until_ms, n->digest_ms);
}

static enum verdict_code code_named(const char *name)
{
    for (unsigned i = 0; i < VERDICT_CODE_COUNT; i++)
        if (strcmp(verdict_code_names[i], name) == 0)
            return (enum verdict_code)i;
    return VERDICT_CODE_COUNT;
}

static bool parse(const char *text, size_t len, struct notices *ret)
{
    json_int_t version, phase, began, ended, waited, parked, digest;
    const char *cause;
    json_t *kept = json_loadb(text, len, 0, NULL);
    bool ok = json_unpack(kept, "{s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I}", "v", &version, "phase",
                          &phase, "began", &began, "ended", &ended, "cause", &cause, "waited",
                          &waited, "parked", &parked, "digest", &digest) == 0 &&
              version == 1 && phase >= NOTICES_CALM && phase <= NOTICES_OVER;
    if (ok)
        *ret = (struct notices){.phase = (enum notices_phase)phase,
                                .began_ms = began,
                                .ended_ms = ended,
                                .cause = code_named(cause),
                                .waited = waited,
                                .parked_until_ms = parked,
                                .digest_ms = digest};
    json_decref(kept);
    return ok;
}

/* True: the notice was sent while Kafka was away, and no other dashboard has sent it since. */
static bool is_beyond(const struct notices *n, const struct notices *kept)
{
    return !notices_are_kept(n) && n->phase != NOTICES_CALM && kept->phase == NOTICES_CALM &&
           kept->ended_ms <= n->began_ms;
}

bool notices_read(struct notices *n, const char *text, size_t len)
{
    struct notices kept;
    if (!parse(text, len, &kept))
        return false;
    n->parked_until_ms = kept.parked_until_ms;
    n->digest_ms = kept.digest_ms;
    n->parked_since_ms = 0; /* how many there are since then is still to be counted */
    if (is_beyond(n, &kept))
        return true;
    n->phase = kept.phase;
    n->began_ms = kept.began_ms;
    n->ended_ms = kept.ended_ms;
    n->cause = kept.cause;
    n->waited = kept.waited;
    n->kept = n->changes;
    return true;
}
