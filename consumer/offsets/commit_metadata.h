/* commit_metadata: the offsets settled above a commit, and the attempts at the others, as the text
 * of the commit's metadata.
 *
 *   1.4711.AQIBBQ        version, the committed offset it belongs to, base64url of varints:
 *                        open run, settled run, open run, settled run, … from that offset on
 *   1.4711.AQIBBQ.r5000  the same, and deliveries of offsets below 5000 are a replay
 *   1.4711.AQIBBQ.r0878144063451500083182‥9.r5000
 *                        the same, and orders that were tried (offsets/tried_text). Of two such
 *                        notes earlier releases take the last, so the end of the replay follows
 *                        always, as r0 without one
 *   1.4711..n6           nothing settled above; kafka/consumer/start_offsets notes that
 *                        the topic had six partitions when the group began at its end
 *
 * Printable, because librdkafka and brokers mangle binary metadata; short, because brokers take
 * 4096 characters. A text that is cut short loses nothing: offsets that it does not mention count
 * as open, and are sent again after a crash; the attempts of orders that it does not mention are
 * counted anew. */
#ifndef OFFSETS_COMMIT_METADATA_H
#define OFFSETS_COMMIT_METADATA_H

#include "offsets/offset_window.h"
#include "offsets/tried.h"

enum { COMMIT_METADATA_MAX = 4096 }; /* characters */

/* Describes the window as of its watermark, then as many of the tried orders, oldest first, as
 * there is room for (forgets those below the watermark; NULL: none); "" when there is nothing to
 * say. False when what is settled was cut: then nothing more should be opened until it fits again.
 * replay_until: -1 for none. */
bool commit_metadata_write(const struct offset_window *w, int64_t replay_until,
                           struct tried_list *tried, char text[COMMIT_METADATA_MAX + 1]);

/* The number of opened offsets that are settled and not in that text: 0 unless it was cut. Takes
 * time in proportion to the window. */
size_t commit_metadata_untold(const struct offset_window *w);

/* Reads the text into a fresh window (offset_window_init with the committed offset). False when
 * another program wrote it, when it belongs to another offset (the group was reset), or without
 * memory: the window is then unchanged, and no order counts as tried. *ret_replay_until is set in
 * every case. tried: an empty list, or NULL. */
bool commit_metadata_read(struct offset_window *w, const char *text, struct tried_list *tried,
                          int64_t *ret_replay_until);

#endif
