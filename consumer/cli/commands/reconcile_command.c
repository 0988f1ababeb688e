/* reconcile_command: compares the shop's table with what became of its orders.
 *
 *   psql -c "COPY (SELECT id, order_number, status, confirmed_at FROM orders
 *                  WHERE confirmed_at >= '2026-11-01') TO STDOUT CSV HEADER" |
 *       elementor-sync reconcile
 */
#include "base/buf.h"
#include "base/printable.h"
#include "base/time_text.h"
#include "cli/audit.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "kafka/start_position.h"
#include "operator/resender.h"
#include "reconcile/known.h"
#include "reconcile/missing.h"
#include "reconcile/order_rows.h"
#include "reconcile/row_sender.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/signals.h"
#include "terminal/progress.h"
#include "topics/reconciled_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAMED_MAX = 20, LINE_MAX_BYTES = 16384, SHOWN_MAX = 256 };

struct reconcile_arguments {
    const char *since;
    bool json, send, yes;
};

static const struct argument arguments[] = {
    {"--since", ARGUMENT_TEXT, offsetof(struct reconcile_arguments, since), "TIME",
     "only confirmations since (2026-11-22T09:00:00Z, -1h)"},
    {"--json", ARGUMENT_FLAG, offsetof(struct reconcile_arguments, json), "",
     "one JSON object a line: order_id, order_number, state"},
    {"--send", ARGUMENT_FLAG, offsetof(struct reconcile_arguments, send), "",
     "send the missing ones, from their record in Kafka, else from their row"},
    {"--yes", ARGUMENT_FLAG, offsetof(struct reconcile_arguments, yes), "", "do not ask"},
};

struct reconciliation {
    const struct config *config;
    const struct reconcile_arguments *own;
    int stop_fd;
    int64_t since_ms;
    struct known_position position;
    struct comparison *comparison;
    size_t named;
};

static bool read_since(struct reconciliation *r, struct error *err)
{
    r->since_ms = NO_TIME;
    return r->own->since == NULL ||
           (position_parse_time("--since", r->own->since, &r->since_ms, err) &&
            (r->since_ms <= clock_wall_ms() ||
             error_set(err, ERROR_CONFIG,
                       "--since: \"%s\" lies in the future: no confirmation would be compared",
                       r->own->since)));
}

/* A row without a time is compared whatever --since says. */
static bool take_row(void *context, const struct order_row *row, struct error *err)
{
    const struct reconciliation *r = context;
    if (row->confirmed_ms != NO_TIME && row->confirmed_ms < r->since_ms)
        return true;
    progress_one_more();
    return comparison_add(r->comparison, row, err);
}

/* The table first: an order that is settled while the rest is read has its outcome by then. */
static bool compare(struct reconciliation *r, struct error *err)
{
    if (isatty(STDIN_FILENO))
        return error_set(err, ERROR_CONFIG,
                         "the shop's table is read from standard input: psql -c \"COPY (SELECT id, "
                         "order_number, status, confirmed_at FROM orders) TO STDOUT CSV HEADER\" | "
                         "elementor-sync reconcile");
    progress_step("reading the table", -1);
    bool ok =
        read_since(r, err) && (r->comparison = comparison_new(err)) != NULL &&
        order_rows_read(STDIN_FILENO, r->stop_fd, r->config, r->own->send, take_row, r, err) &&
        known_position(r->config, r->stop_fd, &r->position, err) &&
        known_outcomes(r->config, r->comparison, r->stop_fd, err) &&
        comparison_finish(r->comparison, r->position.until_ms, err);
    progress_end();
    return ok;
}

/* ---- the report ---- */

static const char *time_of(int64_t ms, char text[TIMESTAMP_TEXT])
{
    return ms != NO_TIME ? timestamp_text(ms, text) : "-";
}

static bool print_json(void *context, const struct order_row *row, enum row_state state,
                       struct error *err)
{
    struct buf b;
    (void)context;
    buf_init(&b, LINE_MAX_BYTES);
    buf_add_text(&b, "{\"order_id\":");
    printable_add_json(&b, row->id.data, row->id.len);
    buf_add_text(&b, ",\"order_number\":");
    if (row->number.len > 0)
        printable_add_json(&b, row->number.data, row->number.len);
    else
        buf_add_text(&b, "null");
    buf_addf(&b, ",\"state\":\"%s\"}\n", row_state_names[state]);
    bool ok = buf_ok(&b) && fwrite(b.data, 1, b.len, stdout) == b.len;
    buf_done(&b);
    return ok || error_set(err, ERROR_FAILED, "cannot write to standard output");
}

static const char *shown(struct slice text, char ret[SHOWN_MAX])
{
    char copy[SHOWN_MAX];
    snprintf(copy, sizeof copy, "%.*s", (int)(text.len < SHOWN_MAX ? text.len : SHOWN_MAX - 1),
             text.len > 0 ? text.data : "");
    return printable(copy, ret, SHOWN_MAX);
}

static bool print_missing(void *context, const struct order_row *row, enum row_state state,
                          struct error *err)
{
    struct reconciliation *r = context;
    char id[SHOWN_MAX], number[SHOWN_MAX], at[TIMESTAMP_TEXT];
    (void)state;
    (void)err;
    if (r->named++ < NAMED_MAX)
        printf("  %-38s  %-14s  %s\n", shown(row->id, id), shown(row->number, number),
               time_of(row->confirmed_ms, at));
    return true;
}

static void print_counts(const struct reconciliation *r)
{
    static const struct {
        enum row_state state;
        const char *what;
    } lines[] = {
        {ROW_DELIVERED, "delivered"},
        {ROW_UNDER_WAY, "under way: being sent, or still to be read"},
        {ROW_PARKED, "parked: see elementor-sync redrive"},
        {ROW_CONFIRMED_AGAIN, "confirmed again since: a later confirmation has an outcome"},
        {ROW_NO_LONGER_CONFIRMED, "delivered, and no longer confirmed in the table"},
        {ROW_NEVER_SEEN, "never seen"}};
    char at[TIMESTAMP_TEXT];
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        printf("%10" PRId64 "  %s\n", comparison_count(r->comparison, lines[i].state),
               lines[i].what);
    if (comparison_repeated(r->comparison) > 0)
        printf("rows that came more than once, and count once: %" PRId64 "\n",
               comparison_repeated(r->comparison));
    if (r->position.until_ms == NO_TIME)
        puts("no change was read yet: all that has no outcome counts as under way");
    else if (r->position.partition >= 0)
        printf("changes were read up to %s: partition %d waits at offset %" PRId64 "\n",
               time_of(r->position.until_ms, at), (int)r->position.partition, r->position.offset);
    else
        printf("changes were read up to %s, the newest in the topic\n",
               time_of(r->position.until_ms, at));
}

static bool report(struct reconciliation *r, struct error *err)
{
    bool ok;
    if (r->own->json) {
        ok = comparison_each(r->comparison, -1, print_json, r, err);
    } else {
        print_counts(r);
        ok = comparison_each(r->comparison, ROW_NEVER_SEEN, print_missing, r, err);
        if (r->named > NAMED_MAX)
            printf("  … and %zu more; --json lists all\n", r->named - NAMED_MAX);
    }
    return ok &&
           (fflush(stdout) == 0 || error_set(err, ERROR_FAILED, "cannot write to standard output"));
}

/* ---- for the dashboards ---- */

static struct reconciled_record summary(const struct reconciliation *r)
{
    struct reconciled_record s = {.at_ms = clock_wall_ms(), .since_ms = -1, .until_ms = -1};
    const struct comparison *c = r->comparison;
    int64_t oldest_ms = comparison_oldest_missing_ms(c);
    for (int state = 0; state < ROW_STATE_COUNT; state++)
        if (state != ROW_NOT_COUNTED)
            s.compared += comparison_count(c, (enum row_state)state);
    s.missing = comparison_count(c, ROW_NEVER_SEEN);
    if (r->since_ms != NO_TIME)
        s.since_ms = r->since_ms;
    if (s.missing == 0 && r->position.until_ms != NO_TIME)
        s.until_ms = r->position.until_ms;
    else if (s.missing > 0 && oldest_ms != NO_TIME)
        s.until_ms = oldest_ms;
    return s;
}

static bool publish(const struct reconciliation *r, const struct reconciled_record *record,
                    struct error *err)
{
    struct buf key, value;
    buf_init(&key, SHOWN_MAX);
    buf_init(&value, LINE_MAX_BYTES);
    reconciled_record_key(r->config, &key);
    reconciled_record_write(r->config, record, &value);
    struct resender *resender = resender_new(r->config, err);
    bool ok =
        resender != NULL && buf_ok(&key) && buf_ok(&value) &&
        resender_publish(resender, r->config->members_topic, (struct slice){key.data, key.len},
                         (struct slice){value.data, value.len}, err);
    resender_free(resender);
    buf_done(&key);
    buf_done(&value);
    return ok;
}

/* The comparison itself stands without it. */
static void tell_dashboards(const struct reconciliation *r)
{
    struct error err = {0};
    const struct reconciled_record record = summary(r);
    if (record.compared > 0 && !publish(r, &record, &err))
        log_warn("comparison not recorded", LOG_S("topic", r->config->members_topic),
                 LOG_S("error", err.text),
                 LOG_S("hint", "dashboards go on showing the comparison before it"));
}

/* ---- sending ---- */

static void write_audit(void *context, const rd_kafka_message_t *m, const char *request)
{
    progress_one_more();
    const struct reconciliation *r = context;
    command_audit("reconcile", (const struct log_field[]){LOG_S("topic", r->config->kafka_topic),
                                                          LOG_I("partition", m->partition),
                                                          LOG_I("offset", m->offset),
                                                          LOG_S("request", request),
                                                          {0}});
}

/* With --json standard output holds JSON alone. */
static FILE *told(const struct reconciliation *r)
{
    return r->own->json ? stderr : stdout;
}

static void write_row_audit(void *context, const struct order_row *row, const char *request)
{
    progress_one_more();
    const struct reconciliation *r = context;
    char id[SHOWN_MAX];
    command_audit("reconcile", (const struct log_field[]){LOG_S("topic", r->config->kafka_topic),
                                                          LOG_S("row", shown(row->id, id)),
                                                          LOG_S("request", request),
                                                          {0}});
}

struct supply {
    struct row_sender *rows; /* NULL: no row is needed, or none can be sent */
    int64_t missing, recorded, from_rows;
    struct error why; /* why a row cannot be sent */
};

static bool find_supply(struct reconciliation *r, struct supply *s, struct error *err)
{
    progress_step("looking for the records of missing orders", -1);
    if (!missing_find(r->config, r->comparison, r->stop_fd, &s->recorded, err))
        return false;
    progress_end();
    fprintf(told(r), "%" PRId64 " of %" PRId64 " missing orders have their record in topic %s\n",
            s->recorded, s->missing, r->config->kafka_topic);
    if (s->recorded == s->missing)
        return true;
    s->rows = row_sender_new(r->config, r->stop_fd, &s->why);
    if (s->rows == NULL && !signals_go_on(r->stop_fd, err))
        return false;
    if (s->rows != NULL && !row_sender_count(s->rows, r->comparison, &s->from_rows, &s->why, err))
        return false;
    fprintf(told(r), "%" PRId64 " of the others can be sent from their row%s%s\n", s->from_rows,
            s->why.text[0] != '\0' ? "; " : "", s->why.text);
    return true;
}

static bool send_supply(struct reconciliation *r, struct supply *s, int64_t *ret_sent,
                        struct error *err)
{
    int64_t records = 0, rows = 0;
    progress_step("asking for them", s->recorded + s->from_rows);
    bool ok = s->recorded == 0 ||
              missing_send(r->config, r->comparison, r->stop_fd, write_audit, r, &records, err);
    ok = ok && (s->from_rows == 0 ||
                row_sender_send(s->rows, r->comparison, write_row_audit, r, &rows, err));
    progress_end();
    *ret_sent = records + rows;
    return ok;
}

static bool ask_and_send(struct reconciliation *r, struct supply *s, struct error *err)
{
    int64_t sent = 0;
    if (!find_supply(r, s, err))
        return false;
    fflush(told(r));
    bool any = s->recorded + s->from_rows > 0;
    if (any && !command_confirm_apart("Send them?", r->own->yes, r->stop_fd, err))
        return false;
    bool ok = !any || send_supply(r, s, &sent, err);
    fprintf(told(r), "%" PRId64 " asked for\n", sent);
    if (!ok)
        return false;
    return sent == s->missing ||
           error_set(err, ERROR_FAILED,
                     "%" PRId64 " of %" PRId64 " orders are still missing: Kafka has no record of "
                     "them any more, and their rows cannot be sent: %s",
                     s->missing - sent, s->missing, s->why.text);
}

static bool send_missing(struct reconciliation *r, int64_t missing, struct error *err)
{
    struct supply supply = {.missing = missing};
    bool ok = ask_and_send(r, &supply, err);
    row_sender_free(supply.rows);
    return ok;
}

static bool reconcile(struct reconciliation *r, struct error *err)
{
    if (!compare(r, err) || !report(r, err))
        return false;
    tell_dashboards(r);
    int64_t missing = comparison_count(r->comparison, ROW_NEVER_SEEN);
    if (missing == 0)
        return true;
    if (r->own->send)
        return send_missing(r, missing, err);
    return error_set(err, ERROR_FAILED, "%" PRId64 " confirmed order%s missing; --send sends %s",
                     missing, missing == 1 ? " is" : "s are", missing == 1 ? "it" : "them");
}

static bool run(struct config *config, const void *given, struct error *err)
{
    struct reconciliation r = {.config = config, .own = given, .stop_fd = signals_of_command()};
    bool ok = reconcile(&r, err);
    signals_close(r.stop_fd);
    comparison_free(r.comparison);
    return ok;
}

static const char *const examples[] = {"reconcile < orders.csv",
                                       "reconcile --since 2026-11-22T00:00:00Z --json < orders.csv",
                                       "reconcile --send < orders.csv", NULL};

const struct command command_reconcile = {
    .name = "reconcile",
    .summary = "compare the shop's table (CSV) with what was delivered; name what is missing",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct reconcile_arguments),
    .needs = CONFIG_NEED_KAFKA | CONFIG_NEED_REGISTRY,
    .examples = examples,
    .failure = "an order is missing, or it could not be done",
    .run = run};
