/* commit_metadata: what is settled above a commit, as the text of the commit's metadata.
 *
 *   1.4711.AQIBBQ        version, the committed offset it belongs to, base64url of varints:
 *                        open run, settled run, open run, settled run, … from that offset on
 *   1.4711.AQIBBQ.r5000  the same, and deliveries of offsets below 5000 are a replay
 *   1.4711..n6           nothing settled above; kafka/consumer/start_offsets notes that
 *                        the topic had six partitions when the group began at its end
 *
 * Printable, because librdkafka and brokers mangle binary metadata; short, because brokers take
 * 4096 characters. A text that is cut short loses nothing: offsets that it does not mention count
 * as open, and are sent again after a crash. */
#ifndef OFFSETS_COMMIT_METADATA_H
#define OFFSETS_COMMIT_METADATA_H

#include "offsets/offset_window.h"

enum { COMMIT_METADATA_MAX = 4096 }; /* characters */

/* Describes the window as of its watermark; "" when nothing is settled above it. False when the
 * text was cut: then nothing more should be opened until it fits again. replay_until: -1 for none.
 */
bool commit_metadata_write(const struct offset_window *w, int64_t replay_until,
                           char text[COMMIT_METADATA_MAX + 1]);

/* The number of opened offsets that are settled and not in that text: 0 unless it was cut. Takes
 * time in proportion to the window. */
size_t commit_metadata_untold(const struct offset_window *w);

/* Reads the text into a fresh window (offset_window_init with the committed offset). False when
 * another program wrote it, when it belongs to another offset (the group was reset), or without
 * memory: the window is then unchanged. *ret_replay_until is set in every case. */
bool commit_metadata_read(struct offset_window *w, const char *text, int64_t *ret_replay_until);

#endif
