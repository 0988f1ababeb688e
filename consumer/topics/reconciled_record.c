#include "topics/reconciled_record.h"

#include "base/printable.h"
#include "topics/json_field.h"

#include <string.h>

void reconciled_record_key(const struct config *config, struct buf *b)
{
    buf_addf(b, "%s/reconcile", config->kafka_group);
}

static void add_number(struct buf *b, const char *name, int64_t number)
{
    buf_addf(b, ",\"%s\":", name);
    if (number >= 0)
        buf_add_int(b, number);
    else
        buf_add_text(b, "null");
}

void reconciled_record_write(const struct config *config, const struct reconciled_record *record,
                             struct buf *b)
{
    buf_add_text(b, "{\"group\":");
    printable_add_json(b, config->kafka_group, strlen(config->kafka_group));
    buf_add_text(b, ",\"topic\":");
    printable_add_json(b, config->kafka_topic, strlen(config->kafka_topic));
    buf_addf(b, ",\"reconciled\":{\"at_ms\":%lld", (long long)record->at_ms);
    add_number(b, "since_ms", record->since_ms);
    add_number(b, "until_ms", record->until_ms);
    add_number(b, "compared", record->compared);
    add_number(b, "missing", record->missing);
    buf_add_text(b, "}}");
}

bool reconciled_record_read(const struct config *config, const json_t *record,
                            struct reconciled_record *ret)
{
    const json_t *fields = json_object_get(record, "reconciled");
    const struct reconciled_record found = {
        .at_ms = json_count(fields, "at_ms"),
        .since_ms = json_count(fields, "since_ms"),
        .until_ms = json_count(fields, "until_ms"),
        .compared = json_count(fields, "compared"),
        .missing = json_count(fields, "missing"),
    };
    if (strcmp(json_text(record, "group"), config->kafka_group) != 0 ||
        strcmp(json_text(record, "topic"), config->kafka_topic) != 0 || found.at_ms < 0 ||
        found.compared < 0 || found.missing < 0)
        return false;
    *ret = found;
    return true;
}
