/* member_status: this member's report in the members topic, and its progress in the log.
 */
#ifndef PIPELINE_MEMBER_STATUS_H
#define PIPELINE_MEMBER_STATUS_H

#include "kafka/producer/publisher.h"
#include "pipeline/overview.h"

struct member_status;

enum { MEMBER_NAME_MAX = 64 };

/* "host-4711-1a2b3c4d": unique among the members there ever were, near enough. */
void member_status_name(char name[MEMBER_NAME_MAX]);

/* Everything is borrowed. NULL without memory. */
struct member_status *member_status_new(const struct overview *overview,
                                        struct publisher *publisher, const char *member);
void member_status_free(struct member_status *s); /* accepts NULL */

int64_t member_status_started_ms(const struct member_status *s); /* wall clock */

/* Publishes the report and logs progress when they are due. */
void member_status_turn(struct member_status *s);

/* Each waits until the record is written, for a few seconds at most. */
void member_status_publish_joining(struct member_status *s);
void member_status_publish_leaving(struct member_status *s); /* this member is gone */

void member_status_log_totals(const struct member_status *s, const char *event);

#endif
