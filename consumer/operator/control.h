/* control: reads the latest control record of the group and writes a new one. Blocking; for the
 * commands. */
#ifndef OPERATOR_CONTROL_H
#define OPERATOR_CONTROL_H

#include "topics/control_record.h"

/* Reads the latest control record; *ret is zeroed when there is none. FAILED: no control topic, so
 * no member of this release has started yet. stop_fd: as of signals_go_on. */
bool control_read(const struct config *config, int stop_fd, struct control_word *ret,
                  struct error *err) must_check;

/* Returns once the brokers have acknowledged the record; UNREACHABLE: they did not within some
 * seconds, and it may be written or not. */
bool control_write(const struct config *config, const struct control_word *word,
                   struct error *err) must_check;

#endif
