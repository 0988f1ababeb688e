/* check_internal: the state that the parts of a check share. Each part skips services that an
 * earlier one could not reach. */
#ifndef CHECK_CHECK_INTERNAL_H
#define CHECK_CHECK_INTERNAL_H

#include "base/slice.h"
#include "check/check.h"
#include "check/tally.h"
#include "http/http_client.h"
#include "order/column_type.h"
#include "registry/registry.h"

#include <librdkafka/rdkafka.h>

enum { CHECK_WORDS_MAX = 512, CHECK_WHY_MAX = 256 };

enum { SAMPLE_PLACES = 5 };

/* Counts over the newest records of each partition. */
struct sample {
    int64_t records, tombstones;
    int64_t foreign; /* that name no schema as cdc/wire_format reads it */
    char foreign_why[CHECK_WHY_MAX];
    int64_t read;       /* as rows, be it with other columns than those that are configured */
    int64_t unreadable; /* records whose schema run would refuse */
    int64_t updates, updates_without_before;
    int64_t triggering, delivered, rejected;
    int64_t snapshots; /* rows with the rule's value that a snapshot read, and that are not sent */
    struct {
        int32_t partition;
        int64_t offset;
    } snapshot_places[SAMPLE_PLACES];
    struct tally reject_reasons, near_values, values;
    char value_column[COLUMN_NAME_MAX]; /* the column of those values; "": none could be read */
    struct schema_ref schema;           /* of the newest record that has one; NONE: none has */
    int64_t newest_ms;
};

struct check {
    struct config *config;
    struct report *report;
    struct loop *loop;
    struct http *http;
    struct registry *registry;
    struct slice registry_base; /* the first of its addresses that answers; NULL: none does */
    rd_kafka_t *rk;
    char words[CHECK_WORDS_MAX]; /* librdkafka's last message on a broken connection; "" */
    bool brokers_gone;           /* it reported that all are down, or refuse the login */
    int32_t partitions;          /* of kafka.topic; 0: it was not reached */
    int64_t *low, *high;         /* offsets, by partition */
    int unread_partitions;       /* not read to their end in time */
    struct sample sample;
    struct sampler *sampler; /* while records are read */
};

/* Kafka: brokers, topic, group, the program's own topics, what kafka.start would do. */
void check_kafka(struct check *c);
void check_kafka_done(struct check *c);

/* The retention of the orders' topic; and topics that hold the rest of its table. */
void check_topic_keeps(struct check *c);
void check_topic_family(struct check *c);

/* For a topic that does not exist: whether topics of its table's partitions do, with a hint. */
bool check_topic_partitioned(const struct rd_kafka_metadata *metadata, const char *topic,
                             char *ret_hint, size_t size);

/* The members of the group. */
void check_members(struct check *c);

/* The program's own topics, and whether others write to them. */
void check_own_topics(struct check *c);
void check_shared(struct check *c);

/* Parked orders that will soon be deleted. */
void check_parked(struct check *c);

/* The partitions of one topic; 0 with the reason in *ret_code. */
int32_t check_partitions(struct check *c, const char *name, rd_kafka_resp_err_t *ret_code);
bool check_is_missing(rd_kafka_resp_err_t code);

/* A hint which topic may be meant by `wanted`; NULL: which topics there are. */
void check_suggest_topic(struct check *c, const char *wanted, char *text, size_t size);

/* Reads the newest records into c->sample, and reports them. */
void check_records(struct check *c);

/* Reads a record into c->sample; check_sample_report reports all of them. */
bool check_sample_open(struct check *c); /* false without memory */
void check_sample_take(struct check *c, const rd_kafka_message_t *m);
void check_sample_report(struct check *c);
void check_sample_done(struct check *c);

/* The registry, and the mapping of each field by the newest record's schema. */
void check_registry(struct check *c);
void check_schema(struct check *c);

/* One request, awaited. False when it could not be started (err); an answer's status 0 is none.
 * *ret_body is malloced, NUL-terminated, and set only with an answer. */
enum { CHECK_HEADER_MAX = 64 };

struct check_answer {
    int status;       /* of a whole answer; 0: none */
    int begun_status; /* of one that broke off behind its status; 0: none */
    char failure[CHECK_WHY_MAX];
    char redirect[CHECK_WHY_MAX]; /* where a 3xx leads; "": unknown, or not printable */
    char content_type[CHECK_HEADER_MAX], server[CHECK_HEADER_MAX]; /* "": not in it */
    bool has_captcha;
    char *body;
    size_t len;
    int64_t took_ms;
};
bool check_get(struct check *c, const struct http_endpoint *endpoint, const char *url,
               const char *const *headers, struct check_answer *ret_answer, struct error *err);
void check_answer_take(void *answer, const struct http_result *result); /* an http_done */
void check_await(struct check *c, const struct check_answer *answer);

#endif
