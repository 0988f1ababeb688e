/* notices: the messages owed to an operator who is away, and those that have been sent: pure, by a
 * clock that is handed in.
 *
 *   calm ──trouble for `after`──▶ owed ──told──▶ told ──well again──▶ over ──told──▶ calm
 *
 * An episode is two messages: that it is so, and that it is over. Both are owed until they are
 * told, however long the receiver takes; parked orders are told of apart, as one digest a window.
 * The phase and its times are kept as one line of JSON, from which another dashboard goes on. A
 * moment of being well is none, before trouble is told and after: an endpoint that is probed has
 * them. */
#ifndef DASHBOARD_NOTIFY_NOTICES_H
#define DASHBOARD_NOTIFY_NOTICES_H

#include "dashboard/verdict/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum notice { NOTICE_NONE, NOTICE_TROUBLE, NOTICE_OVER, NOTICE_PARKED };

enum notices_phase { NOTICES_CALM, NOTICES_OWED, NOTICES_TOLD, NOTICES_OVER };

/* Times in ms since 1970. */
struct notices {
    int64_t after_ms;  /* how long trouble must last */
    int64_t window_ms; /* between two digests */

    /* Kept: notices_write. */
    enum notices_phase phase;
    int64_t began_ms, ended_ms; /* of the episode */
    enum verdict_code cause;    /* why it began; that no changes arrived goes before any other */
    int64_t waited;             /* the most changes that waited in it */
    int64_t parked_until_ms;    /* orders parked until then have been told; -1: none */
    int64_t digest_ms;          /* the last digest */

    /* Of this process alone. */
    uint64_t changes, kept; /* of the above: how many there were, and were when it was kept */
    int64_t bad_since_ms, well_since_ms, parked_since_ms; /* 0: it is not so */
};

struct notices_facts {
    int64_t now_ms;
    bool bad;                 /* the verdict calls for an operator */
    enum verdict_code cause;  /* the gravest; VERDICT_CODE_COUNT: none */
    int64_t waiting;          /* changes that are not settled; below 0: not known */
    int64_t parked_new;       /* orders parked after parked_until_ms */
    int64_t parked_newest_ms; /* of these */
};

void notices_init(struct notices *notices, int64_t after_ms, int64_t window_ms);

/* Notes the facts and their times, and owes nothing for them: another dashboard tells. */
void notices_watch(struct notices *notices, const struct notices_facts *facts);

/* Notes the facts, their times, and the messages that are owed for them. */
void notices_see(struct notices *notices, const struct notices_facts *facts);

/* The notice that is owed at this moment, the oldest first. */
enum notice notices_owed(const struct notices *notices, const struct notices_facts *facts);

/* It was told, as the facts were. */
void notices_told(struct notices *notices, enum notice notice, const struct notices_facts *facts);

/* Kafka is away, and the one that held the group last tells: what it tells and cannot keep is taken
 * for told, so that the next holder owes the end of it. */
void notices_follow(struct notices *notices, const struct notices_facts *facts);

/* Another one tells, and keeps it. */
void notices_forget(struct notices *notices);

/* The kept fields as text and back: the text takes the place of what is here, but for an episode of
 * ours that is newer, and was not kept. False where the text is none of ours: nothing changes then.
 */
enum { NOTICES_TEXT_MAX = 320 };
void notices_write(const struct notices *notices, char ret[NOTICES_TEXT_MAX]);
bool notices_read(struct notices *notices, const char *text, size_t len);

bool notices_are_kept(const struct notices *notices);

#endif
