/* control: what the operators said to the group, and a new word to it. Blocking; for the commands.
 */
#ifndef OPERATOR_CONTROL_H
#define OPERATOR_CONTROL_H

#include "topics/control_record.h"

/* The word that stands; zeroed when nobody has said anything. FAILED: no control topic, so no
 * member of this release has started yet. stop_fd: as of signals_go_on. */
bool control_read(const struct config *config, int stop_fd, struct control_word *ret,
                  struct error *err) must_check;

/* Returns once the brokers have acknowledged it; UNREACHABLE: they did not within some seconds, and
 * nothing is known. */
bool control_write(const struct config *config, const struct control_word *word,
                   struct error *err) must_check;

#endif
