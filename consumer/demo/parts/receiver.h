/* receiver: a webhook endpoint with moods, as real ones have: well, slow, failing now and then,
 * asking for patience (429), down. It refuses (422) orders that are too large for its form, but
 * accepts them when they are sent again by hand: the form is mended by then.
 *
 * `answered` is called for every request: the accounts are checked against these calls. */
#ifndef DEMO_PARTS_RECEIVER_H
#define DEMO_PARTS_RECEIVER_H

#include "sys/loop.h"

#include <stdint.h>

#define RECEIVER_MOODS(X)              \
    X(WELL, "well")                    \
    X(SLOW, "slow")                    \
    X(FLAKY, "failing now and then")   \
    X(BUSY, "asks for patience (429)") \
    X(DOWN, "down")

enum receiver_mood {
#define X(id, name) RECEIVER_##id,
    RECEIVER_MOODS(X)
#undef X
        RECEIVER_MOOD_COUNT
};
extern const char *const receiver_mood_names[RECEIVER_MOOD_COUNT];

struct receiver_answer { /* borrowed for the call */
    const char *body;    /* of the request */
    int attempt;         /* the request's webhook-attempt; 0: it has none */
    bool by_hand;        /* sent again by hand */
    int status;          /* 0: closed without an answer */
    int64_t took_ms;
};

struct receiver_events {
    void *context;
    void (*answered)(void *context, const struct receiver_answer *answer);
};

struct receiver;

struct receiver *receiver_new(struct loop *loop, uint64_t seed, int64_t now_ms,
                              const struct receiver_events *events, struct error *err);
void receiver_free(struct receiver *r); /* open requests are closed without an answer */
int receiver_port(const struct receiver *r);
enum receiver_mood receiver_mood(const struct receiver *r);

/* Sends the answers that are due; ms until the next call is due, -1: no need. */
int64_t receiver_turn(struct receiver *r, int64_t now_ms);

#endif
