/* suspects: records that cannot be read, held until it is known whether they or their schema are at
 * fault.
 *
 *   cannot be read ─▶ suspect ──(another like it was read to its end)──▶ parked
 *                        │
 *                        └──(none among the next 20; many in a row)──▶ the partition stops
 *
 * A record is alike another that has its schema id, or, where the id is unknown, its partition.
 * A suspect is held: its offset stays open, its message is kept, it counts as in flight. A
 * partition that stopped looks again every 30 s and goes on by itself once its records can be read.
 */
#ifndef PIPELINE_INTAKE_SUSPECTS_H
#define PIPELINE_INTAKE_SUSPECTS_H

#include "config/config.h"
#include "pipeline/tracking/partitions.h"
#include "registry/decoders.h"
#include "sys/clock.h"

enum suspect_fate {
    SUSPECT_SETTLED, /* skipped, or on its way to be sent or parked */
    SUSPECT_KEPT,    /* it still cannot be read, or there was no memory */
    SUSPECT_PENDING  /* its schema is awaited */
};

struct suspects {
    const struct config *config;
    const struct now *now;
    struct decoders *decoders;
    struct partitions *partitions;
    /* Reads a suspect again; park: it is parked if it still cannot be read. */
    enum suspect_fate (*read)(void *context, struct partition *partition, struct suspect *suspect,
                              bool park);
    void *context;
};

/* None of this schema's records can be read: the partition stops at once. */
void doubt_stop(struct suspects *s, struct partition *partition, const struct reading_fault *fault,
                int64_t offset);
/* Takes the message, whose offset is open from then on. False: there is no room. */
bool doubt_keep(struct suspects *s, struct partition *partition, const struct reading_fault *fault,
                rd_kafka_message_t *m);
size_t doubt_drop(struct partition *partition); /* the suspects; returns how many they were */

/* Before a record is noted, and after it was taken. readable: it was read to its end. */
void doubt_note_follower(struct partition *partition);
void doubt_note(struct suspects *s, struct partition *partition, bool readable);
bool doubt_wants_whole(const struct partition *partition);

void doubt_blocked(struct suspects *s, struct partition *partition); /* by the registry */
/* Before and after the partition is read in a turn. With suspects and no record for a second it
 * stops. */
void doubt_turn(struct suspects *s, struct partition *partition);
void doubt_turn_end(struct suspects *s, struct partition *partition);
void doubt_look(struct suspects *s, struct partition *partition); /* at once, if it is stopped */
void doubt_overruled(struct suspects *s, struct partition *partition); /* an operator parked one */

size_t suspect_count(const struct partitions *partitions);
/* Why orders are not read, a line for /readyz; NULL: they are. */
const char *reading_trouble(const struct partitions *partitions, int64_t now_ms);

#endif
