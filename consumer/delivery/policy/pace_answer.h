/* pace_answer: the facts of a request that the pace learns from. */
#ifndef DELIVERY_POLICY_PACE_ANSWER_H
#define DELIVERY_POLICY_PACE_ANSWER_H

#include <stddef.h>
#include <stdint.h>

/* An answer's meaning for the pace. */
enum pace_sense {
    PACE_PASSED,    /* the endpoint dealt with the request */
    PACE_TOO_MUCH,  /* 503: more at a time than it takes */
    PACE_TOO_FAST,  /* 429: more a second than it takes */
    PACE_TIMED_OUT, /* the first of the two; but an order that hangs by itself must not hold up all
                     * others: two at a time remain */
    PACE_SILENT     /* nothing: another failure */
};

/* A request, as it began. */
struct pace_request {
    uint64_t number;  /* of all, from 0 on */
    size_t in_flight; /* under way then, this one included */
};

struct pace_answer {
    enum pace_sense sense;
    struct pace_request request; /* as pace_sent returned it */
    int64_t took_ms;
    int64_t now_ms;
};

/* The time that a limit is held before a higher one is tried, in round trips or seconds. */
struct pace_patience {
    int length, left;
};
enum { PACE_PATIENCE_MIN = 8, PACE_PATIENCE_MAX = 64 };

/* A failed try: twice as long. */
static inline void pace_wait_longer(struct pace_patience *patience)
{
    if (patience->length < PACE_PATIENCE_MAX)
        patience->length *= 2;
    patience->left = patience->length;
}

enum { PACE_SIGN = 8 /* good answers that outweigh one sign */ };

#endif
