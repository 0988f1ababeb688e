/* offsets_command: the group's position in each partition. */
#include "base/buf.h"
#include "base/printable.h"
#include "base/time_text.h"
#include "cli/command.h"
#include "offsets/replay_plan.h"
#include "operator/standing.h"
#include "sys/clock.h"
#include "sys/signals.h"
#include "terminal/progress.h"
#include "terminal/style.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT_MAX = 16 * 1024 * 1024, REMARK_MAX = 320, CELL_MAX = 32 };

struct offsets_arguments {
    bool json;
};

static const struct argument arguments[] = {
    {"--json", ARGUMENT_FLAG, offsetof(struct offsets_arguments, json), "",
     "one JSON object, for machines"},
};

struct offsets {
    struct standing orders, retry;
    int64_t now_ms;
};

/* Of a partition, or of a topic's partitions together: -1 where it is not known. */
struct figures {
    int64_t committed, end, lag, behind_ms, settled;
};

static struct figures figures_of(const struct offsets *o, const struct standing *s, size_t i,
                                 int64_t *ret_until)
{
    const struct group_partition *p = &s->topic.partitions[i];
    int64_t since_ms = s->partitions[i].waits_since_ms;
    struct figures f = {.committed = p->committed, .end = p->high, .lag = standing_lag(p)};
    f.settled = replay_settled_above(p->committed, p->metadata, ret_until);
    f.behind_ms = f.lag == 0             ? 0
                  : since_ms < 0         ? -1
                  : since_ms < o->now_ms ? o->now_ms - since_ms
                                         : 0;
    return f;
}

/* A sum of which a part is not known is not known; the time behind is the longest. */
static void add_up(struct figures *all, const struct figures *one)
{
    all->lag = all->lag < 0 || one->lag < 0 ? -1 : all->lag + one->lag;
    all->settled += one->settled > 0 ? one->settled : 0;
    if (all->behind_ms < 0 || one->behind_ms < 0)
        all->behind_ms = -1;
    else if (one->behind_ms > all->behind_ms)
        all->behind_ms = one->behind_ms;
}

/* ---- for machines ---- */

static void add_number(struct buf *b, const char *name, int64_t number)
{
    if (number < 0)
        buf_addf(b, ",\"%s\":null", name);
    else
        buf_addf(b, ",\"%s\":%" PRId64, name, number);
}

static void add_json(struct buf *b, const struct offsets *o, const struct standing *s, bool *first)
{
    for (size_t i = 0; i < s->topic.count; i++) {
        const char *owner = s->partitions[i].owner;
        int64_t until;
        const struct figures f = figures_of(o, s, i, &until);
        buf_add_text(b, *first ? "\n  {\"topic\":" : ",\n  {\"topic\":");
        printable_add_json(b, s->topic.name, strlen(s->topic.name));
        buf_addf(b, ",\"partition\":%zu", i);
        add_number(b, "committed", f.committed);
        add_number(b, "beginning", s->topic.partitions[i].low);
        add_number(b, "end", f.end);
        add_number(b, "lag", f.lag);
        add_number(b, "behind_ms", f.behind_ms);
        add_number(b, "settled_above", f.settled);
        add_number(b, "replay_until", until);
        buf_add_text(b, ",\"owner\":");
        if (*owner != '\0')
            printable_add_json(b, owner, strlen(owner));
        else
            buf_add_text(b, "null");
        buf_add_text(b, "}");
        *first = false;
    }
}

/* ---- for people ---- */

static const char *number_text(int64_t number, char ret[CELL_MAX])
{
    snprintf(ret, CELL_MAX, number < 0 ? "-" : "%" PRId64, number);
    return ret;
}

static void add_figures(struct buf *b, const char *name, const struct figures *f,
                        const struct terminal_style *style)
{
    char committed[CELL_MAX], end[CELL_MAX], lag[CELL_MAX], behind[DURATION_TEXT],
        settled[CELL_MAX];
    buf_addf(b, "  %9s  %10s  %10s  %s%8s%s  %11s  %13s", name,
             number_text(f->committed, committed), number_text(f->end, end),
             f->lag > 0 ? style->warn : "", number_text(f->lag, lag), f->lag > 0 ? style->off : "",
             f->behind_ms < 0 ? "?" : duration_text(f->behind_ms, false, behind),
             number_text(f->settled, settled));
}

/* The columns of a row that add_figures writes, two blanks behind it. */
enum { FIGURES_WIDTH = 75 };

/* The partition's owner, and anything special about the partition. */
static void remark_on(const struct standing *s, size_t i, int64_t until, char ret[REMARK_MAX])
{
    const struct group_partition *p = &s->topic.partitions[i];
    const char *owner = s->partitions[i].owner;
    int len = snprintf(ret, REMARK_MAX, "%s", *owner != '\0' ? owner : s->owners_known ? "-" : "?");
    if (p->committed >= 0 && (p->committed < p->low || p->committed > p->high))
        snprintf(ret + len, REMARK_MAX - (size_t)len,
                 "; the commit is not in the topic (kafka.lost_offsets)");
    else if (until > p->committed)
        snprintf(ret + len, REMARK_MAX - (size_t)len, "; a replay up to %" PRId64, until);
}

/* Behind the figures, or below them where the terminal is too narrow for both. */
static void add_remark(struct buf *b, const char *remark, size_t width)
{
    if (FIGURES_WIDTH + strlen(remark) <= width)
        buf_addf(b, "  %s\n", remark);
    else
        buf_addf(b, "\n             %s\n", remark);
}

static void add_table(struct buf *b, const struct offsets *o, const struct standing *s,
                      size_t width)
{
    const struct terminal_style *style = terminal_style(STDOUT_FILENO);
    struct figures all = {.committed = -1, .end = -1};
    char remark[REMARK_MAX];
    if (s->topic.count == 0)
        return;
    buf_addf(b, "\n%s%s%s\n%s  %9s  %10s  %10s  %8s  %11s  %13s%s%s\n", style->strong,
             s->topic.name, style->off, style->faint, "partition", "committed", "end", "lag",
             "behind", "settled above",
             width >= FIGURES_WIDTH + sizeof "owner" - 1 ? "  owner" : "", style->off);
    for (size_t i = 0; i < s->topic.count; i++) {
        char name[CELL_MAX];
        int64_t until;
        const struct figures f = figures_of(o, s, i, &until);
        add_figures(b, number_text((int64_t)i, name), &f, style);
        remark_on(s, i, until, remark);
        add_remark(b, remark, width);
        add_up(&all, &f);
    }
    if (s->topic.count > 1) {
        add_figures(b, "together", &all, style);
        buf_add_char(b, '\n');
    }
}

static void write_all(struct buf *b, const struct config *config, bool json,
                      const struct offsets *o)
{
    bool first = true;
    /* A line for each partition where it goes to a program. */
    size_t width = isatty(STDOUT_FILENO) ? terminal_width(STDOUT_FILENO) : SIZE_MAX;
    if (json) {
        buf_add_text(b, "{\"group\":");
        printable_add_json(b, config->kafka_group, strlen(config->kafka_group));
        buf_add_text(b, ",\"partitions\":[");
        add_json(b, o, &o->orders, &first);
        add_json(b, o, &o->retry, &first);
        buf_add_text(b, "]}\n");
        return;
    }
    buf_addf(b, "group %s\n", config->kafka_group);
    add_table(b, o, &o->orders, width);
    add_table(b, o, &o->retry, width);
    if (!o->orders.owners_known)
        buf_add_text(b, "\nThe cluster does not tell whose the partitions are.\n");
}

static bool print(const struct config *config, bool json, const struct offsets *o,
                  struct error *err)
{
    struct buf b;
    buf_init(&b, OUTPUT_MAX);
    write_all(&b, config, json, o);
    progress_end();
    bool ok = buf_ok(&b) && fwrite(b.data, 1, b.len, stdout) == b.len && fflush(stdout) == 0;
    buf_done(&b);
    return ok || error_set(err, ERROR_FAILED, "cannot write to standard output");
}

static bool look(const struct config *config, struct group *group, int stop_fd, struct offsets *o,
                 struct error *err)
{
    progress_step("asking the cluster where the group stands", -1);
    bool ok = standing_of(config, group, config->kafka_topic, stop_fd, &o->orders, err) &&
              (o->orders.topic.count > 0 ||
               error_set(err, ERROR_FAILED,
                         "topic \"%s\" does not exist on this cluster: correct kafka.topic",
                         config->kafka_topic)) &&
              standing_of(config, group, config->retry_topic, stop_fd, &o->retry, err);
    o->now_ms = clock_wall_ms();
    return ok;
}

static bool run(struct config *config, const void *given, struct error *err)
{
    const struct offsets_arguments *own = given;
    struct offsets o = {.now_ms = 0};
    int stop_fd = signals_of_command();
    struct group *group = group_new(config, err);
    bool ok =
        group != NULL && look(config, group, stop_fd, &o, err) && print(config, own->json, &o, err);
    standing_done(&o.orders);
    standing_done(&o.retry);
    group_free(group);
    signals_close(stop_fd);
    return ok;
}

static const char *const examples[] = {"offsets", "offsets --json", NULL};

const struct command command_offsets = {
    .name = "offsets",
    .summary = "where the group stands: committed, end, lag, how long behind, whose it is",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct offsets_arguments),
    .needs = CONFIG_NEED_KAFKA,
    .examples = examples,
    .run = run};
