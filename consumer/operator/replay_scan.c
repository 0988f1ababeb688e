#include "operator/replay_scan.h"

#include "operator/evaluator.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { DRAW_EVERY_MS = 100, BAR = 30 };

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

struct counting {
    struct progress progress;
    struct replay_tally *tally;
};

static bool count_record(void *context, const rd_kafka_message_t *m,
                         const struct evaluator_verdict *verdict, struct error *err)
{
    struct counting *c = context;
    (void)m;
    (void)err;
    c->tally->records++;
    c->tally->deliveries += verdict->verdict == TRANSFORM_DELIVER;
    c->tally->rejects += verdict->why != NULL && verdict->verdict == TRANSFORM_REJECT;
    draw(&c->progress, c->tally, false);
    return true;
}

bool replay_scan(const struct config *config, const int64_t *starts, const int64_t *ends,
                 size_t count, int stop_fd, struct replay_tally *ret, struct error *err)
{
    struct counting counting = {.progress = {.shown = isatty(STDERR_FILENO)}, .tally = ret};
    struct evaluator *evaluator = evaluator_new(config, stop_fd, err);
    struct reader *reader =
        evaluator != NULL ? reader_between(config, starts, ends, count, err) : NULL;
    *ret = (struct replay_tally){0};
    for (size_t i = 0; i < count; i++)
        counting.progress.total += ends[i] > starts[i] ? ends[i] - starts[i] : 0;
    if (reader != NULL)
        draw(&counting.progress, ret, false);
    bool ok =
        reader != NULL && evaluator_read(evaluator, reader, true, count_record, &counting, err);
    if (ok)
        draw(&counting.progress, ret, true);
    reader_free(reader);
    evaluator_free(evaluator);
    return ok;
}

int64_t replay_estimate_ms(int64_t deliveries, int64_t concurrency, int64_t answer_ms)
{
    return (deliveries + concurrency - 1) / concurrency * answer_ms;
}
