/* record_json: a record as the lines of tests/cases/NAME/records.ndjson hold it: partition,
 * timestamp, key and value in base64 (or null), headers as text. */
#ifndef TOOLS_RECORD_JSON_H
#define TOOLS_RECORD_JSON_H

#include <jansson.h>
#include <librdkafka/rdkafka.h>

/* Queues it for the topic; `tag` comes back in the delivery report. A failure ends the
 * program. */
void record_json_produce(rd_kafka_t *rk, const char *topic, const json_t *record, void *tag);

#endif
