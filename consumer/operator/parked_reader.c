#include "operator/parked_reader.h"

#include "kafka/reader.h"
#include "terminal/progress.h"
#include "topics/json_field.h"
#include "topics/outcome_reader.h"
#include "topics/outcome_record.h"
#include "topics/parked_record.h"

#include <stdio.h>
#include <string.h>

enum { POLL_MS = 200 };

static void copy_reason(struct slice reason, char *ret, size_t size)
{
    if (reason.len > 0) /* "%.*s" takes no NULL, of whatever length */
        snprintf(ret, size, "%.*s", (int)reason.len, reason.data);
}

static bool add(const struct config *config, struct parked_list *list, const rd_kafka_message_t *m,
                size_t *others)
{
    struct parked_record record;
    const char *why;
    if (!parked_record_read(m, &record, &why))
        return true;
    if (!parked_record_is_ours(config, &record)) {
        (*others)++;
        return true;
    }
    struct parked_entry entry = {.source = {record.partition, record.offset},
                                 .parked_partition = m->partition,
                                 .parked_offset = m->offset,
                                 .parked_ms = rd_kafka_message_timestamp(m, NULL),
                                 .order = record.order_id};
    copy_reason(record.reason, entry.reason, sizeof entry.reason);
    return parked_list_add(list, &entry);
}

bool parked_reader_read(const struct config *config, struct parked_list *list,
                        parked_may_go_on *may_go_on, void *context, size_t *ret_others,
                        struct error *err)
{
    bool has_room = true, may = true;
    *ret_others = 0;
    progress_reading(config->parked_topic);
    struct reader *reader = reader_of_topic(config, config->parked_topic, "beginning", true, err);
    if (reader == NULL)
        return false;
    while (has_room && !reader_at_end(reader) && (may = may_go_on(context))) {
        rd_kafka_message_t *m = reader_next(reader, POLL_MS);
        if (m == NULL)
            continue;
        has_room = add(config, list, m, ret_others);
        progress_one_more();
        rd_kafka_message_destroy(m);
    }
    reader_free(reader);
    if (!may)
        return false;
    return (has_room && parked_list_sort(list)) || error_no_memory(err);
}

void parked_reader_outcome(const struct config *config, struct parked_list *list,
                           const json_t *outcome)
{
    const struct parked_outcome o = {.order = outcome_slice(outcome, "order_id"),
                                     .source = {(int32_t)json_whole(outcome, "partition", -1),
                                                json_whole(outcome, "offset", -1)},
                                     .parked = strcmp(json_text(outcome, "state"), "parked") == 0,
                                     .dismissed = outcome_is_dismissed(outcome),
                                     .request = outcome_slice(outcome, "request")};
    if (strcmp(json_text(outcome, "topic"), config->kafka_topic) == 0)
        parked_list_outcome(list, &o);
}
