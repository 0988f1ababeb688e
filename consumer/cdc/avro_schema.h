/* avro_schema: the properties that avro-c's schema objects lose: Connect's annotations, found in
 * the schema's JSON (scale, connect.name, logicalType), and which types take no bytes at all. */
#ifndef CDC_AVRO_SCHEMA_H
#define CDC_AVRO_SCHEMA_H

#include "base/error.h"

#include <avro.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEMA_RECORDS_MAX 1024 /* record types in one schema */
#define SCHEMA_DEPTH_MAX 256    /* of the JSON */
#define SCHEMA_INDEX 4096       /* slots of the index of records: a power of two, mostly free */

struct schema {
    avro_schema_t avro;  /* owned */
    json_t *json;        /* owned; all names in it are full */
    json_t *definitions; /* owned: full name -> its definition in json */
    struct schema_record {
        avro_schema_t type; /* borrowed from avro */
        bool takes_bytes;   /* false: every value of it is zero bytes long */
        uint32_t routine;   /* for the compiler: its first instruction, 0 = not wanted */
        uint32_t call;      /* for the compiler: its place in the list of wanted routines */
    } * records;
    size_t record_count;
    uint16_t *index; /* owned: by hash of the type, place in records plus 1; 0: free */
};

/* Parses the text with avro-c and jansson; UNDECODABLE when it is not an Avro schema. */
bool schema_parse(struct schema *s, const char *text, size_t len, struct error *err) must_check;
void schema_done(struct schema *s);

/* Follows links of named types to what they name. */
avro_schema_t schema_target(avro_schema_t type);

/* The record's entry; never NULL for a record of this schema. */
struct schema_record *schema_record_of(const struct schema *s, avro_schema_t type);
bool schema_takes_bytes(const struct schema *s, avro_schema_t type);

/* The JSON of a type by its place: a name is resolved to its definition. */
const json_t *schema_json_resolve(const struct schema *s, const json_t *type);
/* The JSON of the type of a record's field by its place; NULL if unknown. */
const json_t *schema_json_field(const json_t *record, size_t index);
/* The JSON of a union's branch; of another type, the type itself. */
const json_t *schema_json_branch(const json_t *type, size_t branch);

/* Annotations of a type's JSON (which may be NULL or a plain string: nothing annotated). */
bool schema_is_decimal(const json_t *type);
int32_t schema_decimal_scale(const json_t *type);
/* 3 ms, 6 µs, 9 ns; 0: not annotated; COLUMN_TICKS_NO_TIME: annotated as something other than a
 * point in time. */
uint8_t schema_time_ticks(const json_t *type);
/* True when it is a `date`: a count of days. */
bool schema_is_day(const json_t *type);
/* True when it is a time of a column without a zone (PostgreSQL's `timestamp`): Debezium's
 * Timestamp, MicroTimestamp, NanoTimestamp and IsoTimestamp, Connect's Timestamp, Avro's
 * local-timestamp-*. Avro's timestamp-* alone is an instant; Debezium writes a column with a zone
 * as text. */
bool schema_time_is_local(const json_t *type);

#endif
