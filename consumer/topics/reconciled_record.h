/* reconciled_record: the last comparison with the shop's own table, for every dashboard.
 *
 * A record of the members topic, under a key that no member has; it names no member, so that
 * readers of members pass it by. */
#ifndef TOPICS_RECONCILED_RECORD_H
#define TOPICS_RECONCILED_RECORD_H

#include "base/buf.h"
#include "config/config.h"

#include <jansson.h>

/* Times in ms since the epoch; -1: none, or not known. */
struct reconciled_record {
    int64_t at_ms;    /* when the table was compared */
    int64_t since_ms; /* confirmations before it were left out */
    int64_t until_ms; /* those up to it have an outcome, or are being sent; with missing ones: those
                       * before the oldest of them */
    int64_t compared, missing;
};

/* The record's key, for this group. */
void reconciled_record_key(const struct config *config, struct buf *b);

/* Appends the record as JSON. */
void reconciled_record_write(const struct config *config, const struct reconciled_record *record,
                             struct buf *b);

/* Reads it from a record of the members topic; false: the record is a member's, or another group's.
 */
bool reconciled_record_read(const struct config *config, const json_t *record,
                            struct reconciled_record *ret) must_check;

#endif
