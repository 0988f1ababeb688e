/* owner: the mark of the customer whose order it is (auth.owner_column), as outcome records carry
 * it: a token with the same subject may see and sync the order.
 *
 * HMAC-SHA-256 (RFC 2104), the first 128 bits in hex: the subject itself, which may be an address,
 * is never written. The key is auth.owner_secret; without it the group's name, which keeps marks of
 * random ids (uuid) from saying anything, but not those of subjects that can be guessed. */
#ifndef TOPICS_OWNER_H
#define TOPICS_OWNER_H

#include "base/slice.h"
#include "config/config.h"

#include <stdbool.h>

enum { OWNER_MARK_MAX = 33 };

/* "" when no owner is asked for or the subject is empty. */
void owner_mark(const struct config *config, struct slice subject, char ret[OWNER_MARK_MAX]);

/* The mark is the subject's. Takes the same time wherever they differ. */
bool owner_is(const struct config *config, struct slice subject, const char *mark);

#endif
