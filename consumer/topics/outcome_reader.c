#include "topics/outcome_reader.h"

#include "kafka/reader.h"

#include <stdlib.h>

enum { POLL_MS = 200 };

struct outcomes {
    struct reader *reader;
};

struct outcomes *outcomes_new(const struct config *config, struct error *err)
{
    struct outcomes *o = calloc(1, sizeof *o);
    if (o == NULL) {
        error_no_memory(err);
        return NULL;
    }
    o->reader = reader_of_topic(config, config->deliveries_topic, "beginning", false, err);
    if (o->reader != NULL)
        return o;
    free(o);
    return NULL;
}

void outcomes_free(struct outcomes *o)
{
    if (o != NULL)
        reader_free(o->reader);
    free(o);
}

json_t *outcomes_next_within(struct outcomes *o, int timeout_ms)
{
    json_t *outcome = NULL;
    rd_kafka_message_t *m;
    while (outcome == NULL && (m = reader_next(o->reader, timeout_ms)) != NULL) {
        if (m->payload != NULL)
            outcome = json_loadb(m->payload, m->len, JSON_REJECT_DUPLICATES, NULL);
        rd_kafka_message_destroy(m);
    }
    return outcome;
}

json_t *outcomes_next(struct outcomes *o)
{
    return outcomes_next_within(o, POLL_MS);
}

bool outcomes_caught_up(const struct outcomes *o)
{
    return reader_at_end(o->reader);
}
