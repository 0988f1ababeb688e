/* tally: counts each of a few texts. Pure; nothing is allocated. */
#ifndef CHECK_TALLY_H
#define CHECK_TALLY_H

#include <stddef.h>
#include <stdint.h>

enum { TALLY_ENTRIES = 12, TALLY_TEXT = 48 };

struct tally {
    struct {
        char text[TALLY_TEXT]; /* cut between characters, then ends in "…" */
        int64_t count;
    } entries[TALLY_ENTRIES];
    size_t used;
    int64_t total;
    int64_t others; /* seen when there was no entry left */
};

/* Zero-initialise a tally. Control characters and bytes that are not UTF-8 become "?". */
void tally_add(struct tally *tally, const char *text, size_t len);

/* `pending (12), shipped (3) and others (2)`, the most frequent first; quote: put around each text.
 * "none" when nothing was added. Returns text. */
const char *tally_list(const struct tally *tally, const char *quote, char *text, size_t size);

#endif
