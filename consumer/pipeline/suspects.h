/* suspects: who is at fault when a record cannot be read: the record, or what it is read
 * with.
 *
 *   cannot be read ─▶ suspect ──(another like it was read to its end)──▶ parked
 *                        │
 *                        └──(none among the next 20; many in a row)──▶ the partition stops
 *
 * A record is alike another that has its schema id, or, where the id cannot be told, its partition.
 * A suspect is held: its offset stays open, its message is kept, it counts as in flight. A
 * partition that stopped looks again every 30 s and goes on by itself once its records can be read.
 */
#ifndef PIPELINE_SUSPECTS_H
#define PIPELINE_SUSPECTS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DOUBT_FOLLOWERS = 20, /* records within which another like a suspect must be read */
    DOUBT_SUSPECTS_MAX = DOUBT_FOLLOWERS + 1,
    DOUBT_REASON_MAX = 400
};

/* What a record's readability is judged by. */
enum doubt_kind {
    DOUBT_NO_ID,     /* not in the wire format, or its schema's id is elsewhere: its partition */
    DOUBT_MISFIT,    /* its bytes do not fit its schema: its schema id */
    DOUBT_NO_SCHEMA, /* the registry knows no such schema: what its partition holds behind it */
    DOUBT_SCHEMA     /* no record of this schema can be read: nothing, the partition stops */
};

struct reading_fault {
    enum doubt_kind kind;
    int32_t schema_id; /* 0: none */
    char reason[DOUBT_REASON_MAX];
};

struct suspect {
    rd_kafka_message_t *message; /* owned */
    uint64_t sequence;           /* its open offset in the partition's window */
    struct reading_fault fault;
    unsigned followers; /* records read behind it */
    bool followed;      /* one of these was read to its end */
};

/* Of one assignment of a partition; all zero at its beginning. */
struct doubt {
    struct suspect suspects[DOUBT_SUSPECTS_MAX]; /* oldest first */
    size_t count;
    unsigned run;       /* records in a row that could not be read */
    bool readable;      /* a record was read to its end */
    bool again;         /* the suspects are to be read again */
    int64_t quiet_ms;   /* monotonic time from which on there was nothing to read; 0: there is */
    int64_t blocked_ms; /* the same from which on it waits for the registry; 0: it does not */
    bool stopped;       /* and said so */
    int64_t look_ms;    /* stopped: when to look again */
    struct reading_fault fault; /* stopped: why */
};

/* What an operator said to park (pipeline_park). */
enum { STRETCHES_MAX = 8, STRETCH_REASON_MAX = 240 };

struct stretch {
    int64_t from, until; /* offsets of the source partition: from ≤ offset < until */
    uint64_t sequence;   /* of the order, in the retry partition's window */
    char reason[STRETCH_REASON_MAX];
};

#endif
