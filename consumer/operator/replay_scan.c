#include "operator/replay_scan.h"

#include "kafka/reader.h"
#include "operator/evaluator.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { POLL_MS = 200, DRAW_EVERY_MS = 100, BAR = 30 };

struct progress {
    int64_t total, drawn_ms;
    bool shown;
};

static void draw(struct progress *p, const struct replay_tally *tally, bool last)
{
    static const char bar[] = "##############################";
    int64_t now = clock_mono_ms();
    if (!p->shown || (!last && now - p->drawn_ms < DRAW_EVERY_MS))
        return;
    int filled = p->total > 0 ? (int)(tally->records * BAR / p->total) : BAR;
    filled = last || filled > BAR ? BAR : filled;
    fprintf(stderr, "\r[%.*s%*s] %" PRId64 " records, %" PRId64 " deliveries%s", filled, bar,
            BAR - filled, "", tally->records, tally->deliveries, last ? "\n" : "");
    p->drawn_ms = now;
}

static bool count_record(struct evaluator *evaluator, const rd_kafka_message_t *m,
                         struct replay_tally *tally, struct error *err)
{
    struct evaluator_verdict j;
    if (!evaluator_record(evaluator, m, true, &j, err))
        return false;
    tally->records++;
    tally->deliveries += j.verdict == TRANSFORM_DELIVER;
    tally->rejects += j.why != NULL && j.verdict == TRANSFORM_REJECT;
    return true;
}

static bool count_all(struct evaluator *evaluator, struct reader *reader, struct progress *progress,
                      struct replay_tally *tally, struct error *err)
{
    while (!reader_at_end(reader)) {
        rd_kafka_message_t *m = reader_next(reader, POLL_MS);
        bool ok = m == NULL || count_record(evaluator, m, tally, err);
        if (m != NULL)
            rd_kafka_message_destroy(m);
        if (!ok)
            return false;
        if (evaluator_stopped(evaluator))
            return error_set(err, ERROR_FAILED, "stopped; nothing was done");
        draw(progress, tally, false);
    }
    draw(progress, tally, true);
    return true;
}

bool replay_scan(const struct config *config, const int64_t *starts, const int64_t *ends,
                 size_t count, int stop_fd, struct replay_tally *ret, struct error *err)
{
    struct progress progress = {.shown = isatty(STDERR_FILENO)};
    struct evaluator *evaluator = evaluator_new(config, stop_fd, err);
    struct reader *reader =
        evaluator != NULL ? reader_between(config, starts, ends, count, err) : NULL;
    *ret = (struct replay_tally){0};
    for (size_t i = 0; i < count; i++)
        progress.total += ends[i] > starts[i] ? ends[i] - starts[i] : 0;
    bool ok = reader != NULL && count_all(evaluator, reader, &progress, ret, err);
    reader_free(reader);
    evaluator_free(evaluator);
    return ok;
}

int64_t replay_estimate_ms(int64_t deliveries, int64_t concurrency, int64_t answer_ms)
{
    return (deliveries + concurrency - 1) / concurrency * answer_ms;
}
