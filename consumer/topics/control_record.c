#include "topics/control_record.h"

#include "base/slice.h"
#include "base/utf8.h"
#include "topics/json_field.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool control_reason_is_valid(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    return len > 0 && len <= CONTROL_REASON_MAX && utf8_is_valid(text, len);
}

/* A text that does not fit is cut between characters. */
static void copy(const json_t *record, const char *name, char *ret, size_t size)
{
    const char *text = json_text(record, name);
    size_t len = strlen(text);
    if (len >= size)
        for (len = size - 1; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
            len--;
    memcpy(ret, text, len);
    ret[len] = '\0';
}

bool control_record_read(const struct config *config, const rd_kafka_message_t *m,
                         struct control_word *ret)
{
    if (!slice_is((struct slice){m->key, m->key_len}, config->kafka_group))
        return false;
    *ret = (struct control_word){.paused = false};
    if (m->payload == NULL)
        return true;
    json_t *record = json_loadb(m->payload, m->len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *paused = json_object_get(record, "paused");
    int64_t at_ms = json_count(record, "at_ms");
    ret->at_ms = at_ms > 0 ? at_ms : 0;
    copy(record, "by", ret->by, sizeof ret->by);
    copy(record, "reason", ret->reason, sizeof ret->reason);
    ret->paused = !json_is_false(paused);
    if (!json_is_boolean(paused))
        snprintf(ret->reason, sizeof ret->reason,
                 "the control topic's last record cannot be read; resume replaces it");
    json_decref(record);
    return true;
}

bool control_record_write(struct publisher *publisher, const struct config *config,
                          const struct control_word *word, int64_t deadline_ms,
                          publisher_done *done, void *context, struct error *err)
{
    json_t *record =
        json_pack("{s:i, s:s, s:s, s:b, s:I, s:s, s:s}", "version", 1, "group", config->kafka_group,
                  "topic", config->kafka_topic, "paused", word->paused, "at_ms",
                  (json_int_t)word->at_ms, "by", word->by, "reason", word->reason);
    char *text = record != NULL ? json_dumps(record, JSON_COMPACT) : NULL;
    json_decref(record);
    if (text == NULL)
        return error_no_memory(err);
    const struct publication publication = {.topic = config->control_topic,
                                            .partition = CONTROL_PARTITION,
                                            .key = config->kafka_group,
                                            .key_len = strlen(config->kafka_group),
                                            .value = text,
                                            .value_len = strlen(text),
                                            .deadline_ms = deadline_ms};
    bool ok = publisher_put(publisher, &publication, done, context, err);
    free(text);
    return ok;
}
