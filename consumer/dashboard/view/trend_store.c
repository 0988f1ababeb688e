/* trend_store: the trend's minutes in the database, in the same transactions as the outcomes that
 * they count: so that a restart neither counts one twice nor leaves one out. */
#include "dashboard/view/database.h"

#include <string.h>

/* Of a minute's latencies those steps that have any. */
struct step {
    uint32_t at, count;
};

static bool load_minute(struct trend *trend, sqlite3_stmt *s)
{
    int64_t minute = sqlite3_column_int64(s, 0);
    struct trend_minute *m = minute > 0 ? trend_minute(trend, minute) : NULL;
    const char *steps = sqlite3_column_blob(s, 3);
    size_t count = (size_t)sqlite3_column_bytes(s, 3) / sizeof(struct step);
    if (m == NULL)
        return false;
    m->delivered = (uint32_t)sqlite3_column_int64(s, 1);
    m->parked = (uint32_t)sqlite3_column_int64(s, 2);
    for (size_t i = 0; i < count; i++) {
        struct step step;
        memcpy(&step, steps + i * sizeof step, sizeof step);
        if (step.at < TREND_LATENCIES)
            m->latencies[step.at] = step.count;
    }
    return true;
}

bool view_load_trend(struct view *view, struct error *err)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_TREND);
    trend_clear(&view->trend);
    while (sqlite3_step(s) == SQLITE_ROW)
        (void)load_minute(&view->trend, s); /* of one that is no minute nothing is known */
    return sqlite3_reset(s) == SQLITE_OK || view_fail(view, err);
}

struct storing {
    struct view *view;
    struct error *err;
};

static bool store_minute(void *context, const struct trend_minute *minute)
{
    const struct storing *storing = context;
    struct step steps[TREND_LATENCIES];
    int count = 0;
    for (uint32_t i = 0; i < TREND_LATENCIES; i++)
        if (minute->latencies[i] > 0)
            steps[count++] = (struct step){i, minute->latencies[i]};
    sqlite3_stmt *s = view_statement(storing->view, STATEMENT_PUT_TREND);
    sqlite3_bind_int64(s, 1, minute->minute);
    sqlite3_bind_int64(s, 2, minute->delivered);
    sqlite3_bind_int64(s, 3, minute->parked);
    sqlite3_bind_blob(s, 4, steps, count * (int)sizeof *steps, SQLITE_STATIC);
    bool ok = view_run(storing->view, s, storing->err);
    sqlite3_clear_bindings(s);
    return ok;
}

bool view_store_trend(struct view *view, struct error *err)
{
    struct storing storing = {view, err};
    if (view->trend.changed == 0)
        return true;
    if (!trend_each_changed(&view->trend, store_minute, &storing))
        return false;
    sqlite3_stmt *s = view_statement(view, STATEMENT_DROP_TREND);
    sqlite3_bind_int64(s, 1, view->trend.newest - TREND_MINUTES);
    return view_run(view, s, err);
}

const struct trend *view_trend(const struct view *view)
{
    return &view->trend;
}
