/* tool_producer: a producer with these settings, or the program's end. */
#ifndef TOOLS_TOOL_PRODUCER_H
#define TOOLS_TOOL_PRODUCER_H

#include "tools/tool.h"

#include <librdkafka/rdkafka.h>
#include <stddef.h>

/* `settings` ends with {NULL}; `delivered` is told of each record. */
static inline rd_kafka_t *
tool_producer(const char *const settings[][2],
              void (*delivered)(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque))
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; settings[i][0] != NULL; i++)
        need(rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text) ==
                 RD_KAFKA_CONF_OK,
             "configuration", text);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    need(rk != NULL, "producer", text);
    return rk;
}

#endif
