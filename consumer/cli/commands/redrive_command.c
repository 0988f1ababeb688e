/* redrive_command: sends the parked orders again, at a bounded rate. */
#include "base/printable.h"
#include "cli/audit.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "kafka/reader.h"
#include "kafka/start_position.h"
#include "operator/parked_reader.h"
#include "operator/requests.h"
#include "operator/resender.h"
#include "sys/clock.h"
#include "sys/signals.h"
#include "terminal/progress.h"
#include "topics/outcome_reader.h"
#include "topics/outcome_record.h"
#include "topics/parked_record.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { POLL_MS = 200, REASONS_SHOWN = 20, SECOND_MS = 1000 };

struct redrive_arguments {
    const char *reason, *since, *until, *order;
    int64_t rate;
    bool dry_run, yes;
};

static const struct argument arguments[] = {
    {"--reason", ARGUMENT_TEXT, offsetof(struct redrive_arguments, reason), "R",
     "only these: http:422, or missing: for all that begin so"},
    {"--since", ARGUMENT_TEXT, offsetof(struct redrive_arguments, since), "TIME",
     "only those parked since (2026-11-22T09:00:00Z, -1h)"},
    {"--until", ARGUMENT_TEXT, offsetof(struct redrive_arguments, until), "TIME",
     "only those parked before"},
    {"--order", ARGUMENT_TEXT, offsetof(struct redrive_arguments, order), "ID",
     "only this one: its id or number"},
    {"--dry-run", ARGUMENT_FLAG, offsetof(struct redrive_arguments, dry_run), "",
     "show how many and why, and send nothing"},
    {"--rate", ARGUMENT_COUNT, offsetof(struct redrive_arguments, rate), "N",
     "a second (default 5)"},
    {"--yes", ARGUMENT_FLAG, offsetof(struct redrive_arguments, yes), "", "do not ask"},
};

struct redrive_run {
    const struct config *config;
    const struct redrive_arguments *own;
    struct parked_choice choice;
    json_t *wanted;         /* an outcome of --order; NULL: none was found */
    bool is_by_id, several; /* found by its id; else: more than one order has the number */
    int stop_fd;
    struct parked_list list;
    struct outcomes *outcomes;
    struct requests *requests;
    struct resender *resender;
    size_t others; /* parked records of another topic or group */
    size_t sent, failed, meanwhile;
    int64_t due_ms;
};

struct reading {
    const struct redrive_run *run;
    struct error *err;
};

/* Also while it reads: that may take for ever when the brokers are gone. */
static bool reading_may_go_on(void *context)
{
    const struct reading *reading = context;
    return signals_go_on(reading->run->stop_fd, reading->err);
}

static bool read_parked(struct redrive_run *r, struct error *err)
{
    struct reading reading = {r, err};
    return parked_reader_read(r->config, &r->list, reading_may_go_on, &reading, &r->others, err);
}

/* ---- outcomes and requests, at first and while orders are sent ---- */

/* Ids and numbers may look alike: an order's id means that order. */
static void note_wanted(struct redrive_run *r, json_t *outcome)
{
    struct slice wanted = slice_of(r->own->order), id = outcome_slice(outcome, "order_id");
    bool by_id = slice_equal(id, wanted);
    if (id.len == 0 ||
        (!by_id && (r->is_by_id || !slice_equal(outcome_slice(outcome, "order_number"), wanted))))
        return;
    r->several |=
        !by_id && r->wanted != NULL && !slice_equal(outcome_slice(r->wanted, "order_id"), id);
    r->is_by_id = by_id;
    json_decref(r->wanted);
    r->wanted = json_incref(outcome);
}

/* False when there was nothing new within the time. */
static bool note_next_outcome(struct redrive_run *r, int timeout_ms)
{
    json_t *outcome = outcomes_next_within(r->outcomes, timeout_ms);
    if (outcome != NULL)
        parked_reader_outcome(r->config, &r->list, outcome);
    if (outcome != NULL && r->own->order != NULL)
        note_wanted(r, outcome);
    json_decref(outcome);
    return outcome != NULL;
}

static bool note_next_request(struct redrive_run *r, int timeout_ms)
{
    struct request request;
    if (!requests_next(r->requests, timeout_ms, &request))
        return false;
    const struct parked_source source = {request.partition, request.offset};
    parked_list_request(&r->list, &source, slice_of(request.id));
    return true;
}

/* Requests first: an outcome that answers one is written after it. */
static bool read_known(struct redrive_run *r, struct error *err)
{
    progress_reading(r->config->deliveries_topic);
    bool ok = (r->outcomes = outcomes_new(r->config, err)) != NULL &&
              (r->requests = requests_new(r->config, err)) != NULL;
    while (ok && !requests_caught_up(r->requests) && (ok = signals_go_on(r->stop_fd, err)))
        (void)note_next_request(r, POLL_MS);
    progress_reading(r->config->deliveries_topic);
    while (ok && !outcomes_caught_up(r->outcomes) && (ok = signals_go_on(r->stop_fd, err)))
        if (note_next_outcome(r, POLL_MS))
            progress_one_more();
    progress_end();
    return ok;
}

/* Outcomes and requests that were written since the selection. */
static void look_again(struct redrive_run *r)
{
    while (note_next_request(r, 0))
        ;
    while (note_next_outcome(r, 0))
        ;
}

/* The number of orders for each reason; the list is short in practice. */
static void show(const struct redrive_run *r)
{
    char reasons[REASONS_SHOWN][PARKED_REASON_MAX], shown[PARKED_REASON_MAX];
    size_t counts[REASONS_SHOWN] = {0}, known = 0, others = 0;
    for (size_t i = 0; i < r->list.count; i++) {
        size_t at = 0;
        if (!r->list.entries[i].selected)
            continue;
        while (at < known && strcmp(reasons[at], r->list.entries[i].reason) != 0)
            at++;
        if (at == known && known < REASONS_SHOWN)
            memcpy(reasons[known++], r->list.entries[i].reason, PARKED_REASON_MAX);
        if (at < known)
            counts[at]++;
        else
            others++;
    }
    for (size_t i = 0; i < known; i++)
        printf("%8zu  %s\n", counts[i], printable(reasons[i], shown, sizeof shown));
    if (others > 0)
        printf("%8zu  other reasons\n", others);
    printf("%8zu  parked orders to send again, in about %" PRId64 " s\n", r->list.selected,
           ((int64_t)r->list.selected + r->own->rate - 1) / r->own->rate);
    fflush(stdout);
}

/* Until the next one is due; true when the operator stops it. */
static bool rest(struct redrive_run *r)
{
    struct pollfd fd = {.fd = r->stop_fd, .events = POLLIN};
    int64_t now = clock_mono_ms();
    if (r->due_ms < now)
        r->due_ms = now;
    bool stopped = poll(&fd, 1, (int)(r->due_ms - now)) > 0;
    r->due_ms += SECOND_MS / r->own->rate;
    return stopped;
}

/* Each record, since a redrive may be stopped at any time; by coordinates, as its id may be
 * unknown. */
static void write_audit(const rd_kafka_message_t *m, const char *request)
{
    struct parked_record record;
    const char *why;
    if (!parked_record_read(m, &record, &why))
        return;
    char id[256];
    snprintf(id, sizeof id, "%.*s",
             record.order_id.len < sizeof id ? (int)record.order_id.len : 255,
             record.order_id.len > 0 ? record.order_id.data : "");
    command_audit("redrive", (const struct log_field[]){LOG_S("order", id),
                                                        LOG_S("topic", record.topic),
                                                        LOG_I("partition", record.partition),
                                                        LOG_I("offset", record.offset),
                                                        LOG_S("request", request),
                                                        {0}});
}

/* Sends the order whose turn it is, if it still waits. */
static bool send_one(struct redrive_run *r, const rd_kafka_message_t *m, struct error *err)
{
    char request[RETRY_REQUEST_MAX];
    const struct resend_ask ask = {.source = "redrive", .request = request};
    struct error why = {0};
    if (rest(r))
        return error_set(err, ERROR_FAILED, "stopped after %zu; the rest stays parked", r->sent);
    look_again(r);
    if (!parked_list_waits(&r->list, m->partition, m->offset)) {
        r->meanwhile++;
        return true;
    }
    if (!retry_request_new(request, err))
        return false;
    if (resender_parked(r->resender, m, &ask, &why)) {
        write_audit(m, request);
        r->sent++;
        return true;
    }
    r->failed++;
    fprintf(stderr, "parked record %d/%lld: %s\n", (int)m->partition, (long long)m->offset,
            why.text);
    return why.code != ERROR_UNREACHABLE ||
           error_set(err, why.code, "after %zu: %.300s", r->sent, why.text);
}

static size_t done(const struct redrive_run *r)
{
    return r->sent + r->failed + r->meanwhile;
}

static bool send_all(struct redrive_run *r, struct error *err)
{
    rd_kafka_message_t *m;
    progress_step("asking for them again", (int64_t)r->list.selected);
    bool ok = (r->resender = resender_new(r->config, err)) != NULL;
    struct reader *reader =
        ok ? reader_of_topic(r->config, r->config->parked_topic, "beginning", true, err) : NULL;
    while (ok && reader != NULL && done(r) < r->list.selected && !reader_at_end(reader))
        if ((m = reader_next(reader, POLL_MS)) != NULL) {
            ok = !parked_list_selected(&r->list, m->partition, m->offset) || send_one(r, m, err);
            rd_kafka_message_destroy(m);
            progress_at((int64_t)done(r));
        }
    progress_end();
    reader_free(reader);
    if (reader == NULL || !ok)
        return false;
    printf("%zu asked for again\n", r->sent);
    if (r->meanwhile > 0)
        printf("%zu were settled or asked for meanwhile; left alone\n", r->meanwhile);
    size_t lost = r->list.selected - r->sent - r->meanwhile;
    return lost == 0 ||
           error_set(err, ERROR_FAILED, "%zu of %zu could not be asked for; they stay parked", lost,
                     r->list.selected);
}

/* The parked orders that are not sent now. */
static void show_left_out(const struct redrive_run *r)
{
    if (r->list.requested > 0)
        printf("%8zu  asked for already, and not yet answered: left out\n", r->list.requested);
    if (r->list.dismissed > 0)
        printf("%8zu  dismissed: left out; --order sends one\n", r->list.dismissed);
    if (r->others > 0)
        printf("%8zu  records of another topic or group: left out\n", r->others);
}

static bool read_choice(struct redrive_run *r, struct error *err)
{
    const struct redrive_arguments *own = r->own;
    struct parked_choice *choice = &r->choice;
    choice->reason = own->reason;
    if (own->order != NULL && *own->order == '\0')
        return error_set(err, ERROR_CONFIG, "--order is empty: an order's id or number");
    return (own->since == NULL ||
            position_parse_time("--since", own->since, &choice->since_ms, err)) &&
           (own->until == NULL ||
            position_parse_time("--until", own->until, &choice->until_ms, err));
}

/* Of an order without an outcome its id alone is known: from the parked record. */
static bool choose_order(struct redrive_run *r, struct error *err)
{
    if (r->own->order == NULL)
        return true;
    if (r->several && !r->is_by_id)
        return error_set(err, ERROR_FAILED, "several orders have the number %.100s: give the id",
                         r->own->order);
    r->choice.order =
        r->wanted != NULL ? outcome_slice(r->wanted, "order_id") : slice_of(r->own->order);
    return true;
}

static bool redrive(struct redrive_run *r, struct error *err)
{
    if (!read_choice(r, err) || !read_parked(r, err) || !read_known(r, err) ||
        !choose_order(r, err))
        return false;
    parked_list_select(&r->list, &r->choice);
    show_left_out(r);
    if (r->list.selected == 0) {
        puts("no parked order matches");
        return true;
    }
    show(r);
    if (r->own->dry_run) {
        puts("nothing was sent");
        return true;
    }
    return command_confirm("Send them again?", r->own->yes, r->stop_fd, err) && send_all(r, err);
}

static bool run(struct config *config, const void *given, struct error *err)
{
    struct redrive_arguments own = *(const struct redrive_arguments *)given;
    if (own.rate < 0)
        own.rate = config->dashboard_redrive_rate;
    if (own.rate > SECOND_MS)
        return error_set(err, ERROR_CONFIG, "--rate: at most %d", SECOND_MS);
    struct redrive_run r = {.config = config, .own = &own, .stop_fd = signals_of_command()};
    bool ok = redrive(&r, err);
    signals_close(r.stop_fd);
    json_decref(r.wanted);
    parked_list_done(&r.list);
    outcomes_free(r.outcomes);
    requests_free(r.requests);
    resender_free(r.resender);
    return ok;
}

static const char *const examples[] = {"redrive --reason http:422 --since 2026-11-22T09:00:00Z",
                                       "redrive --since -2h --dry-run", NULL};

const struct command command_redrive = {
    .name = "redrive",
    .summary = "send parked orders again, after showing how many and why",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct redrive_arguments),
    .needs = CONFIG_NEED_KAFKA,
    .examples = examples,
    .run = run};
