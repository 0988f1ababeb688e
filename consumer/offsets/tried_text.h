/* tried_text: tried orders as decimal digits, in a commit's metadata (offsets/commit_metadata).
 *
 *   0 8 7 8 1440634515000 8 31 8 2 9     (without the spaces)
 *
 * An order ends with a 9, its numbers stand in octal with an 8 between them: distance from the
 * order before (of the first: from the committed offset) · twice the attempts, and one if others
 * were delivered since · time of the first attempt, in ms since that of the order before, as 2n or
 * for earlier ones -2n-1 · age in seconds · counted · endpoint_faults · unknown · timeouts. Noughts
 * at the end are left out, and numbers behind these are a later release's.
 *
 * Digits only, because earlier releases read nothing else there, and take them for a number. */
#ifndef OFFSETS_TRIED_TEXT_H
#define OFFSETS_TRIED_TEXT_H

#include "offsets/tried.h"

/* Writes the oldest orders whose digits fit in so many characters, NUL aside. The offsets are none
 * below `from`. Returns the number of characters. */
size_t tried_write(const struct tried_list *l, int64_t from, char *text, size_t room);

/* Adds the orders to an empty list. The first that is not in this form ends it, with `unread` set:
 * what follows is damaged, or another program's. */
void tried_read(struct tried_list *l, int64_t from, const char *text);

#endif
