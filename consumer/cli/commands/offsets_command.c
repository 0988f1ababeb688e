/* offsets_command: the group's position in each partition. */
#include "base/buf.h"
#include "base/printable.h"
#include "cli/command.h"
#include "kafka/group/group_admin.h"
#include "offsets/replay_plan.h"
#include "order/payload.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OUTPUT_MAX = 16 * 1024 * 1024 };

struct offsets_arguments {
    bool json;
};

static const struct argument arguments[] = {
    {"--json", ARGUMENT_FLAG, offsetof(struct offsets_arguments, json), "",
     "one JSON object, for machines"},
};

/* The records left to read; unknown for a partition without a commit. */
static int64_t lag_of(const struct group_partition *p)
{
    if (p->committed < 0)
        return -1;
    return p->committed < p->high ? p->high - p->committed : 0;
}

static void add_number(struct buf *b, const char *name, int64_t number)
{
    if (number < 0)
        buf_addf(b, ",\"%s\":null", name);
    else
        buf_addf(b, ",\"%s\":%" PRId64, name, number);
}

static void add_json(struct buf *b, const struct group_topic *t, bool *first)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct group_partition *p = &t->partitions[i];
        int64_t until, settled = replay_settled_above(p->committed, p->metadata, &until);
        buf_add_text(b, *first ? "\n  {\"topic\":" : ",\n  {\"topic\":");
        printable_add_json(b, t->name, strlen(t->name));
        buf_addf(b, ",\"partition\":%zu", i);
        add_number(b, "committed", p->committed);
        add_number(b, "beginning", p->low);
        add_number(b, "end", p->high);
        add_number(b, "lag", lag_of(p));
        add_number(b, "settled_above", settled);
        add_number(b, "replay_until", until);
        buf_add_text(b, "}");
        *first = false;
    }
}

static void add_cell(struct buf *b, int width, int64_t number)
{
    if (number < 0)
        buf_addf(b, "  %*s", width, "-");
    else
        buf_addf(b, "  %*" PRId64, width, number);
}

/* A partition's special state, for the operator. */
static void add_remark(struct buf *b, const struct group_partition *p, int64_t until)
{
    if (p->committed >= 0 && (p->committed < p->low || p->committed > p->high))
        buf_add_text(b, "  the commit is not in the topic (kafka.lost_offsets)");
    else if (until > p->committed)
        buf_addf(b, "  a replay up to %" PRId64, until);
}

static void add_table(struct buf *b, const struct group_topic *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct group_partition *p = &t->partitions[i];
        int64_t until, settled = replay_settled_above(p->committed, p->metadata, &until);
        buf_addf(b, "%-28s  %9zu", t->name, i);
        add_cell(b, 12, p->committed);
        add_cell(b, 12, p->high);
        add_cell(b, 10, lag_of(p));
        add_cell(b, 13, settled);
        add_remark(b, p, until);
        buf_add_text(b, "\n");
    }
}

static void write_all(struct buf *b, const struct config *config, bool json,
                      const struct group_topic *orders, const struct group_topic *retry)
{
    bool first = true;
    if (json) {
        buf_add_text(b, "{\"group\":");
        printable_add_json(b, config->kafka_group, strlen(config->kafka_group));
        buf_add_text(b, ",\"partitions\":[");
        add_json(b, orders, &first);
        add_json(b, retry, &first);
        buf_add_text(b, "]}\n");
        return;
    }
    buf_addf(b, "group %s\n\n%-28s  %9s  %12s  %12s  %10s  %13s\n", config->kafka_group, "topic",
             "partition", "committed", "end", "lag", "settled above");
    add_table(b, orders);
    add_table(b, retry);
}

static bool print(const struct config *config, bool json, const struct group_topic *orders,
                  const struct group_topic *retry, struct error *err)
{
    struct buf b;
    buf_init(&b, OUTPUT_MAX);
    write_all(&b, config, json, orders, retry);
    bool ok = buf_ok(&b) && fwrite(b.data, 1, b.len, stdout) == b.len && fflush(stdout) == 0;
    buf_done(&b);
    return ok || error_set(err, ERROR_FAILED, "cannot write to standard output");
}

static bool run(struct config *config, const void *given, struct error *err)
{
    const struct offsets_arguments *own = given;
    struct group_topic orders = {0}, retry = {0};
    struct group *group = group_new(config, err);
    bool ok = group != NULL && group_look(group, config->kafka_topic, &orders, err) &&
              (orders.count > 0 || error_set(err, ERROR_FAILED,
                                             "topic \"%s\" does not exist on this cluster: correct "
                                             "kafka.topic",
                                             config->kafka_topic)) &&
              group_look(group, config->retry_topic, &retry, err) &&
              print(config, own->json, &orders, &retry, err);
    group_topic_done(&orders);
    group_topic_done(&retry);
    group_free(group);
    return ok;
}

static const char *const examples[] = {"offsets", "offsets --json", NULL};

const struct command command_offsets = {
    .name = "offsets",
    .summary = "where the group stands: committed, end, lag, settled above the commit",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct offsets_arguments),
    .needs = CONFIG_NEED_KAFKA,
    .examples = examples,
    .run = run};
