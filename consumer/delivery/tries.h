/* tries: the attempts at one order, as its page shows them: the first one and the newest. Pure. */
#ifndef DELIVERY_TRIES_H
#define DELIVERY_TRIES_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum { TRIES_MAX = 16, TRY_REASON_MAX = 48 };

struct attempt_note {
    int64_t at_ms;               /* wall clock at its start */
    int64_t took_ms;             /* to its answer, or its failure */
    int status;                  /* HTTP's; 0: no answer */
    char reason[TRY_REASON_MAX]; /* of the closed list; "": delivered */
};

/* As large as it has to be: in an outage very many orders have one. */
struct tries {
    size_t count, room;
    struct attempt_note list[]; /* in their order */
};

/* Makes *tries for the first one; the caller's to free. Of more than TRIES_MAX the second oldest
 * gives way, and without memory for one more too; without memory for the first none is noted. */
void tries_note(struct tries **tries, const struct attempt_note *note);

/* Appends them as a JSON array; nothing when there are none. tries may be NULL. */
void tries_write(const struct tries *tries, struct buf *b);

#endif
