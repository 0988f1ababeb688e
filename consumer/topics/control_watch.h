/* control_watch: follows the control topic, so that a member has the operators' latest word.
 *
 *   control_watch_begin ─▶ reads from the beginning ─▶ known ─▶ each further record at once
 *
 * A client of its own, which joins no group: the word does not wait for a rebalance. Only
 * control_watch_begin waits for a broker. Not thread-safe. */
#ifndef TOPICS_CONTROL_WATCH_H
#define TOPICS_CONTROL_WATCH_H

#include "topics/control_record.h"

struct control_watch;

/* wake_fd: as in consumer.h. Nothing is asked for before control_watch_begin. */
struct control_watch *control_watch_new(const struct config *config, int wake_fd,
                                        struct error *err);
void control_watch_free(struct control_watch *w); /* accepts NULL; bounded by some seconds */

/* The topic exists by now: begins to read it, and asks for its end, for timeout_ms at most. May be
 * called in another thread, before any turn. */
bool control_watch_begin(struct control_watch *w, int timeout_ms, struct error *err) must_check;

/* Reads the records that have come. */
void control_watch_turn(struct control_watch *w);

struct control_view {
    bool known; /* the topic was read to its end once; word is the last one since */
    struct control_word word;
    char trouble[200]; /* the last error of reading; "": none since a record or the end came */
};
const struct control_view *control_watch_view(const struct control_watch *w);

#endif
