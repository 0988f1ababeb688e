/* control_record: an operator's word to all members of a group: a record of the control topic, in
 * its partition 0, keyed by the group. The last one counts.
 *
 *   {"version":1,"group":"…","topic":"…","paused":true,"at_ms":…,"by":"amina@host","reason":"…"}
 *
 * schemas/control.schema.json describes it. */
#ifndef TOPICS_CONTROL_RECORD_H
#define TOPICS_CONTROL_RECORD_H

#include "kafka/producer/publisher.h"

enum { CONTROL_PARTITION = 0, CONTROL_BY_MAX = 260, CONTROL_REASON_MAX = 200 };

/* Zeroed: no word was given, so deliveries go on. */
struct control_word {
    bool paused;
    int64_t at_ms; /* Unix time; 0: not known */
    char by[CONTROL_BY_MAX + 1];
    char reason[CONTROL_REASON_MAX + 1]; /* "": none was given */
};

/* Text fits a reason: 1 to CONTROL_REASON_MAX bytes of UTF-8. */
bool control_reason_is_valid(const char *text);

/* False: the record is another group's. A tombstone takes the word back. A record of this group
 * that cannot be read, of a later release perhaps, counts as a pause: it is an operator's word, and
 * `resume` replaces it. */
bool control_record_read(const struct config *config, const rd_kafka_message_t *m,
                         struct control_word *ret) must_check;

/* Writes it; done and deadline_ms as in publisher.h. False only without memory. */
bool control_record_write(struct publisher *publisher, const struct config *config,
                          const struct control_word *word, int64_t deadline_ms,
                          publisher_done *done, void *context, struct error *err) must_check;

#endif
