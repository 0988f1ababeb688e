/* forget_command: removes one order from the program's own topics, as far as Kafka deletes records.
 *
 *   deliveries   a record {"state":"forgotten"} under the order's key: compaction drops the others
 *   parked,      hold it until their retention has passed; redrive and the dashboard leave it alone
 *   retry, source */
#include "cli/audit.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "kafka/reader.h"
#include "operator/last_outcome.h"
#include "operator/resender.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/signals.h"
#include "terminal/progress.h"
#include "topics/json_field.h"
#include "topics/outcome_reader.h"
#include "topics/outcome_record.h"
#include "topics/parked_record.h"
#include "topics/settings/topic_retention.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { POLL_MS = 200, ASK_MS = 5000, RECORD_MAX = 65536 };

struct forget_arguments {
    const char *order;
    bool yes;
};

static const struct argument arguments[] = {
    {"--order", ARGUMENT_TEXT, offsetof(struct forget_arguments, order), "ID",
     "an order's id or number"},
    {"--yes", ARGUMENT_FLAG, offsetof(struct forget_arguments, yes), "", "do not ask"},
};

struct forget {
    const struct config *config;
    const struct forget_arguments *own;
    struct last_outcome *found;
    json_t *last; /* the order's last outcome, of found */
    struct resender *resender;
    int stop_fd;
    size_t parked;
    int64_t newest_parked_ms;
};

/* ---- which order ---- */

static bool find_order(struct forget *f, struct error *err)
{
    f->found = last_outcome_open(f->config, f->own->order, f->stop_fd, err);
    f->last = f->found != NULL ? last_outcome(f->found) : NULL;
    return f->last != NULL && (*json_text(f->last, "order_id") != '\0' ||
                               error_set(err, ERROR_FAILED, "it has no order id to be forgotten"));
}

/* A waiting retry would bring the order back. */
static bool is_at_rest(const struct forget *f, struct error *err)
{
    bool waits;
    return last_outcome_waits(f->found, &waits, err) &&
           (!waits || error_set(err, ERROR_FAILED,
                                "it waits to be sent; forget it once it is delivered or parked"));
}

static bool count_parked(struct forget *f, struct error *err)
{
    rd_kafka_message_t *m;
    struct slice id = outcome_slice(f->last, "order_id");
    progress_reading(f->config->parked_topic);
    struct reader *reader =
        reader_of_topic(f->config, f->config->parked_topic, "beginning", true, err);
    bool ok = reader != NULL;
    while (ok && !reader_at_end(reader) && (ok = signals_go_on(f->stop_fd, err)))
        if ((m = reader_next(reader, POLL_MS)) != NULL) {
            int64_t at_ms = rd_kafka_message_timestamp(m, NULL);
            if (slice_equal(parked_record_order_id(m), id)) {
                f->parked++;
                f->newest_parked_ms = at_ms > f->newest_parked_ms ? at_ms : f->newest_parked_ms;
            }
            rd_kafka_message_destroy(m);
        }
    reader_free(reader);
    return ok;
}

/* ---- records that remain, and until when ---- */

static const char *day_of(int64_t ms, char text[32])
{
    struct tm tm;
    time_t seconds = (time_t)(ms / 1000);
    strftime(text, 32, "%Y-%m-%d", gmtime_r(&seconds, &tm));
    return text;
}

/* from_ms: when its youngest record was written. */
static void report_kept(struct forget *f, const char *topic, const char *what, int64_t from_ms)
{
    struct error err = {0};
    char day[32];
    int64_t ms;
    if (!topic_retention_ask(resender_client(f->resender), topic, ASK_MS, &ms, &err))
        printf("  %s: %s, until its retention.ms has passed (not known: %s)\n", topic, what,
               err.text);
    else if (ms < 0)
        printf("  %s: %s, for ever: set its retention.ms\n", topic, what);
    else
        printf("  %s: %s, until about %s\n", topic, what, day_of(from_ms + ms, day));
}

static void report_what_stays(struct forget *f)
{
    char parked[64];
    int64_t settled_ms = json_whole(f->last, "settled_ms", -1),
            source_ms = json_whole(f->last, "timestamp_ms", -1);
    puts("Kafka keeps these until then:");
    snprintf(parked, sizeof parked, "%zu parked record%s", f->parked, f->parked == 1 ? "" : "s");
    if (f->parked > 0)
        report_kept(f, f->config->parked_topic, parked, f->newest_parked_ms);
    if (strcmp(json_text(f->last, "source"), "cdc") != 0)
        report_kept(f, f->config->retry_topic, "the record of its retry",
                    settled_ms >= 0 ? settled_ms : clock_wall_ms());
    report_kept(f, f->config->kafka_topic, "the shop's change events",
                source_ms >= 0 ? source_ms : clock_wall_ms());
    printf("  %s: its earlier outcomes (id, number, times), until the topic is compacted, a day or "
           "so\n",
           f->config->deliveries_topic);
    puts("What the webhook's receiver, the logs and the shop's database hold is not touched.");
    fflush(stdout);
}

/* ---- forgetting ---- */

/* No personal data; only the order's id, which is the key, and its record's coordinates. */
static bool write_marker(struct forget *f, struct error *err)
{
    struct buf b;
    struct slice id = outcome_slice(f->last, "order_id");
    const struct outcome_record record = {.state = slice_of("forgotten"),
                                          .order_id = id,
                                          .source = slice_of("cdc"),
                                          .topic = slice_of(json_text(f->last, "topic")),
                                          .partition = json_whole(f->last, "partition", -1),
                                          .offset = json_whole(f->last, "offset", -1),
                                          .timestamp_ms = -1,
                                          .lsn = -1,
                                          .status = -1,
                                          .first_attempt_ms = -1,
                                          .last_attempt_ms = -1,
                                          .settled_ms = clock_wall_ms(),
                                          .next_attempt_ms = -1,
                                          .member = slice_of("forget")};
    buf_init(&b, RECORD_MAX);
    bool ok = outcome_record_write(&record, &b);
    ok = ok ? resender_publish(f->resender, f->config->deliveries_topic, id,
                               (struct slice){b.data, b.len}, err)
            : error_set(err, ERROR_FAILED, "its id is too long to be written");
    buf_done(&b);
    return ok;
}

/* An outcome keyed by coordinates, from before the record could be read, is of the same record. */
static bool drop_coordinates(struct forget *f, struct error *err)
{
    char key[300];
    snprintf(key, sizeof key, "%s-%" PRId64 "-%" PRId64, json_text(f->last, "topic"),
             json_whole(f->last, "partition", -1), json_whole(f->last, "offset", -1));
    return resender_publish(f->resender, f->config->deliveries_topic, slice_of(key),
                            (struct slice){0}, err);
}

static void note_audit(const struct forget *f)
{
    command_audit("forget",
                  (const struct log_field[]){LOG_S("order", json_text(f->last, "order_id")), {0}});
}

static bool forget(struct forget *f, struct error *err)
{
    if (f->own->order == NULL || *f->own->order == '\0')
        return error_set(err, ERROR_CONFIG, "--order is missing: an order's id or number");
    if (!find_order(f, err) || !is_at_rest(f, err) || !count_parked(f, err) ||
        (f->resender = resender_new(f->config, err)) == NULL)
        return false;
    progress_end();
    printf("order %s, last outcome: %s; parked records: %zu\n", json_text(f->last, "order_id"),
           json_text(f->last, "state"), f->parked);
    fflush(stdout);
    if (!command_confirm("Forget it? It can not be sent again then.", f->own->yes, f->stop_fd,
                         err) ||
        !write_marker(f, err) || !drop_coordinates(f, err))
        return false;
    note_audit(f);
    puts("forgotten: it is gone from the dashboard, and redrive and retry leave it alone");
    report_what_stays(f);
    return true;
}

static bool run(struct config *config, const void *given, struct error *err)
{
    struct forget f = {.config = config, .own = given, .stop_fd = signals_of_command()};
    bool ok = forget(&f, err);
    signals_close(f.stop_fd);
    last_outcome_close(f.found);
    resender_free(f.resender);
    return ok;
}

static const char *const examples[] = {"forget --order CMD-000123", NULL};

const struct command command_forget = {
    .name = "forget",
    .summary = "forget one order: out of the dashboard, the outcomes and what may be redriven",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct forget_arguments),
    .needs = CONFIG_NEED_KAFKA,
    .examples = examples,
    .run = run};
