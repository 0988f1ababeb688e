#include "operator/replay_scan.h"

#include "operator/evaluator.h"
#include "terminal/progress.h"

#include <stdio.h>

enum { WHAT_MAX = 300 };

static bool count_record(void *context, const rd_kafka_message_t *m,
                         const struct evaluator_verdict *verdict, struct error *err)
{
    struct replay_tally *tally = context;
    (void)m;
    (void)err;
    tally->records++;
    tally->deliveries += verdict->verdict == TRANSFORM_DELIVER;
    tally->rejects += verdict->why != NULL && verdict->verdict == TRANSFORM_REJECT;
    progress_at(tally->records);
    return true;
}

bool replay_scan(const struct config *config, const int64_t *starts, const int64_t *ends,
                 size_t count, int stop_fd, struct replay_tally *ret, struct error *err)
{
    char what[WHAT_MAX];
    int64_t total = 0;
    struct evaluator *evaluator = evaluator_new(config, stop_fd, err);
    struct reader *reader =
        evaluator != NULL ? reader_between(config, starts, ends, count, err) : NULL;
    *ret = (struct replay_tally){0};
    for (size_t i = 0; i < count; i++)
        total += ends[i] > starts[i] ? ends[i] - starts[i] : 0;
    snprintf(what, sizeof what, "reading topic %s", config->kafka_topic);
    progress_step(what, total);
    bool ok = reader != NULL && evaluator_read(evaluator, reader, true, count_record, ret, err);
    progress_end();
    reader_free(reader);
    evaluator_free(evaluator);
    return ok;
}

int64_t replay_estimate_ms(int64_t deliveries, int64_t concurrency, int64_t answer_ms)
{
    return (deliveries + concurrency - 1) / concurrency * answer_ms;
}
