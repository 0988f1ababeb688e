/* parking: the dead-letter topic; acks=all, idempotent.
 *
 * A record is parked before it settles. If the topic does not acknowledge, it is tried again for
 * ever (said once, then calmly); nothing is dropped. Not thread-safe. */
#ifndef EDGE_PARKING_H
#define EDGE_PARKING_H

#include "core/config.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct parking;

/* acknowledged: by the brokers; false: parking_free ended it, nothing is known. */
typedef void parking_done(void *context, bool acknowledged);

/* wake_fd: as in source.h. */
struct parking *parking_new(const struct config *config, int wake_fd, struct error *err);

/* What is parked: original key, value and headers, copied at the call. */
struct parked_record {
    const char *topic; /* source coordinates */
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* -1: none */
    const void *key, *value;
    size_t key_len, value_len;
    const rd_kafka_headers_t *headers; /* NULL: none */
    const char *reason;                /* of the closed list, "missing:client_phone" */
    const char *detail;                /* one line for people, "" if none; no personal data */
};

/* Takes responsibility for the record: `done` is called once: from parking_turn, when it is
 * acknowledged, or from parking_free. False only without memory. Headers added:
 * elementor-sync.reason, .detail, .topic, .partition, .offset, .timestamp. */
bool parking_put(struct parking *parking, const struct parked_record *record, parking_done *done,
                 void *context, struct error *err) must_check;

/* Serves acknowledgements, retries what is due; ms until it wants to be called again, or -1. */
int64_t parking_turn(struct parking *parking, int64_t now_ms);

/* Ends what is under way: `done` is told that it was not acknowledged. Accepts NULL. */
void parking_free(struct parking *parking);

#endif
