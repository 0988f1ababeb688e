/* offsets: partitions' beginnings and ends, and a commit that is awaited: each within the time
 * that it is given. librdkafka's own calls for these (rd_kafka_query_watermark_offsets before 2.12,
 * rd_kafka_commit in every version) wait without end for an answer. */
#ifndef KAFKA_OFFSETS_H
#define KAFKA_OFFSETS_H

#include "base/error.h"

#include <librdkafka/rdkafka.h>

/* Each element's offset, RD_KAFKA_OFFSET_BEGINNING or RD_KAFKA_OFFSET_END, becomes the one that it
 * means: the first that exists, or the next that will be read. All of them are asked for at
 * once. Every element's err is its own; the first error of them is returned. */
rd_kafka_resp_err_t kafka_offsets(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                  int timeout_ms);

/* Partitions of the topic; 0 with the reason: a failed question, or (*ret_answered, which may be
 * NULL) the cluster's word on the topic, which is no error while it does not know yet. */
size_t kafka_partition_count(rd_kafka_t *rk, const char *topic, int timeout_ms,
                             rd_kafka_resp_err_t *ret_code, bool *ret_answered);

/* The group's commits, as rd_kafka_committed; the first error of an element is the call's. */
rd_kafka_resp_err_t kafka_committed(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                    int timeout_ms);

/* A cluster answers so while a partition changes its leader, a group its coordinator, or the
 * cluster its controller: soon over. */
bool kafka_is_passing(rd_kafka_resp_err_t code);

/* No broker has judged the request, whether for now or within its time: it may be made again. */
bool kafka_is_unheard(rd_kafka_resp_err_t code);

/* Waits for 0.2 s, then asks the cluster who leads the topic's partitions. Not for the loop. */
void kafka_await_leaders(rd_kafka_t *rk, const char *topic);

/* UNREACHABLE, naming the partition where `code` is that of one. Returns false. */
bool kafka_offsets_refused(const rd_kafka_topic_partition_list_t *list, rd_kafka_resp_err_t code,
                           struct error *err);

/* Beginning and end of `count` partitions from `first` on; an array that is NULL is not asked for.
 * UNREACHABLE as above. */
bool kafka_watermarks(rd_kafka_t *rk, const char *topic, int32_t first, size_t count,
                      int64_t *ret_low, int64_t *ret_high, int timeout_ms,
                      struct error *err) must_check;

/* The same for partitions 0 to count - 1, asked again until timeout_ms while they change their
 * leaders. Not for the loop. */
bool kafka_watermarks_awaited(rd_kafka_t *rk, const char *topic, size_t count, int64_t *ret_low,
                              int64_t *ret_high, int timeout_ms, struct error *err) must_check;

/* Commits the list and awaits the answer; elements' err as above. After _TIMED_OUT the commit may
 * still come to pass. */
rd_kafka_resp_err_t kafka_commit(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                 int timeout_ms);

#endif
