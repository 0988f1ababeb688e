/* lost_offset: why the next offset is not in its partition.
 *
 * The id of a topic would show that it was deleted and made again, but librdkafka before 2.3 does
 * not report it. But brokers delete a group's commits together with the topic (KafkaApis,
 * DeleteTopics), and keep those of a topic that its members are subscribed to (KIP-211). So a
 * partition that begins at 0, ended below its last offset that was read, and has no commit, is
 * another one of that name. */
#ifndef OFFSETS_LOST_OFFSET_H
#define OFFSETS_LOST_OFFSET_H

#include <stdint.h>

enum { LOST_OFFSET_NONE = -1 }; /* not lost here: a partition beside this one was made again */

enum lost_offset_cause {
    LOST_OFFSET_IN_PLACE,   /* nothing is lost */
    LOST_OFFSET_PASSED,     /* retention has passed it */
    LOST_OFFSET_BEHIND,     /* was behind the end, and is committed: made again, or cut short */
    LOST_OFFSET_MADE_AGAIN, /* all that the partition holds is unread */
};

/* lost: the offset, or LOST_OFFSET_NONE. low: the partition's first. committed: the group's,
 * negative if there is none. */
enum lost_offset_cause lost_offset_cause(int64_t lost, int64_t low, int64_t committed);

#endif
