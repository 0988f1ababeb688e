/* retry_command: sends one order again, now, and reports the outcome. */
#include "base/printable.h"
#include "cli/audit.h"
#include "cli/command.h"
#include "kafka/reader.h"
#include "operator/requests.h"
#include "operator/resender.h"
#include "sys/clock.h"
#include "terminal/progress.h"
#include "topics/json_field.h"
#include "topics/outcome_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { POLL_MS = 200, PATIENCE_MS = 30000, TEXT_MAX = 512 };

struct retry_arguments {
    const char *order;
    int64_t timeout_ms;
    bool force;
};

static const struct argument arguments[] = {
    {"--order", ARGUMENT_TEXT, offsetof(struct retry_arguments, order), "ID",
     "an order's id or number"},
    {"--timeout", ARGUMENT_DURATION, offsetof(struct retry_arguments, timeout_ms), "D",
     "how long to wait for what comes of it (default 30s)"},
    {"--force", ARGUMENT_FLAG, offsetof(struct retry_arguments, force), "",
     "send it although it was delivered"},
};

struct retry {
    const struct config *config;
    const struct retry_arguments *own;
    struct outcomes *outcomes;
    struct resender *resender;
    json_t *last;        /* the order's last outcome */
    bool by_id, several; /* found by its id; else: more than one order has the number */
    char request[64];
};

static bool is_state(const json_t *outcome, const char *state)
{
    return strcmp(json_text(outcome, "state"), state) == 0;
}

/* Also an outcome with only the id of the order that was found by its number: that it was
 * forgotten. */
static bool names_order(const struct retry *r, const json_t *outcome)
{
    const char *id = json_text(outcome, "order_id");
    return strcmp(id, r->own->order) == 0 ||
           strcmp(json_text(outcome, "order_number"), r->own->order) == 0 ||
           (r->last != NULL && *id != '\0' && strcmp(json_text(r->last, "order_id"), id) == 0);
}

/* Ids and numbers may look alike: an order's id means that order. */
static void keep(struct retry *r, json_t *outcome)
{
    bool by_id = strcmp(json_text(outcome, "order_id"), r->own->order) == 0;
    if (r->by_id && !by_id) {
        json_decref(outcome);
        return;
    }
    r->by_id = by_id;
    r->several |= r->last != NULL &&
                  strcmp(json_text(r->last, "order_id"), json_text(outcome, "order_id")) != 0;
    json_decref(r->last);
    r->last = outcome;
}

/* False when none came within the time. */
static bool note_next(struct retry *r, int timeout_ms)
{
    json_t *outcome = outcomes_next_within(r->outcomes, timeout_ms);
    if (outcome != NULL && names_order(r, outcome))
        keep(r, outcome);
    else
        json_decref(outcome);
    return outcome != NULL;
}

static bool find_order(struct retry *r, struct error *err)
{
    while (!outcomes_caught_up(r->outcomes))
        if (note_next(r, POLL_MS))
            progress_one_more();
    if (r->several && !r->by_id)
        return error_set(err, ERROR_FAILED, "several orders have the number %.100s: give the id",
                         r->own->order);
    return r->last != NULL ||
           error_set(err, ERROR_FAILED,
                     "no outcome of order %.100s is known: either it was never confirmed, or it "
                     "is still to be read (see elementor-sync offsets)",
                     r->own->order);
}

/* A request for its last transition that has no answer yet; it becomes ours to wait for. */
static bool find_request(struct retry *r, bool *ret_found, struct error *err)
{
    struct request request;
    struct requests *requests = requests_new(r->config, err);
    while (requests != NULL && !requests_caught_up(requests))
        if (requests_next(requests, POLL_MS, &request) &&
            request.partition == json_whole(r->last, "partition", -1) &&
            request.offset == json_whole(r->last, "offset", -1)) {
            *ret_found = true;
            snprintf(r->request, sizeof r->request, "%s", request.id);
        }
    requests_free(requests);
    while (note_next(r, 0)) /* outcomes that were written meanwhile */
        ;
    if (*ret_found && strcmp(json_text(r->last, "request"), r->request) == 0)
        *ret_found = false;
    return requests != NULL;
}

/* True when the parked record belongs to the last outcome. */
static bool is_of(const rd_kafka_message_t *m, const json_t *outcome)
{
    struct parked_record record;
    const char *why;
    return parked_record_read(m, &record, &why) &&
           record.partition == json_whole(outcome, "partition", -1) &&
           record.offset == json_whole(outcome, "offset", -1) &&
           strcmp(record.topic, json_text(outcome, "topic")) == 0;
}

static rd_kafka_message_t *find_parked(struct retry *r, struct reader *reader)
{
    rd_kafka_message_t *m;
    while (reader != NULL && !reader_at_end(reader))
        if ((m = reader_next(reader, POLL_MS)) != NULL) {
            if (is_of(m, r->last))
                return m;
            rd_kafka_message_destroy(m);
        }
    return NULL;
}

/* The parked record's bytes, if it is there; *ret_found. */
static bool ask_parked(struct retry *r, const struct resend_ask *ask, bool *ret_found,
                       struct error *err)
{
    struct error ignored = {0}; /* the source may have what the parked topic has not */
    struct reader *reader =
        reader_of_topic(r->config, r->config->parked_topic, "beginning", true, &ignored);
    rd_kafka_message_t *m = find_parked(r, reader);
    bool ok = m != NULL && resender_parked(r->resender, m, ask, err);
    *ret_found = m != NULL;
    if (m != NULL)
        rd_kafka_message_destroy(m); /* before its reader, which would wait for it */
    reader_free(reader);
    return ok;
}

static bool ask(struct retry *r, struct error *err)
{
    const struct resend_ask ask = {.source = "retry",
                                   .request = r->request,
                                   .judged =
                                       strcmp(json_text(r->last, "reason"), "undecodable") != 0,
                                   .forced = is_state(r->last, "delivered")};
    bool found = false, ok = false;
    if (is_state(r->last, "parked"))
        ok = ask_parked(r, &ask, &found, err);
    if (found)
        return ok;
    if (strcmp(json_text(r->last, "topic"), r->config->kafka_topic) != 0)
        return error_set(err, ERROR_FAILED, "its original record is in another topic, \"%.200s\"",
                         json_text(r->last, "topic"));
    return resender_source(r->resender, (int32_t)json_whole(r->last, "partition", -1),
                           json_whole(r->last, "offset", -1),
                           json_whole(r->last, "timestamp_ms", -1),
                           slice_of(json_text(r->last, "order_id")), &ask, err);
}

static void say(const json_t *outcome)
{
    char id[TEXT_MAX], number[TEXT_MAX], word[TEXT_MAX];
    int64_t status = json_whole(outcome, "status", -1);
    printf("%s (%s): %s", printable(json_text(outcome, "order_id"), id, sizeof id),
           printable(json_text(outcome, "order_number"), number, sizeof number),
           printable(json_text(outcome, "state"), word, sizeof word));
    if (*json_text(outcome, "reason") != '\0')
        printf(", %s", printable(json_text(outcome, "reason"), word, sizeof word));
    if (status > 0)
        printf(", HTTP %" PRId64, status);
    printf(", attempts: %" PRId64 "\n", json_whole(outcome, "attempts", -1));
    fflush(stdout);
}

/* The outcome of our request; "retrying" is reported, and the wait goes on. */
static bool await_outcome(struct retry *r, struct error *err)
{
    int64_t patience = r->own->timeout_ms >= 0 ? r->own->timeout_ms : PATIENCE_MS;
    int64_t deadline = clock_mono_ms() + patience;
    progress_step("waiting for what comes of it", -1);
    while (clock_mono_ms() < deadline) {
        json_t *outcome = outcomes_next(r->outcomes);
        bool ours = outcome != NULL && strcmp(json_text(outcome, "request"), r->request) == 0;
        bool settled = ours && json_whole(outcome, "settled_ms", -1) >= 0;
        bool parked = settled && is_state(outcome, "parked");
        if (ours) {
            progress_end();
            say(outcome);
        }
        json_decref(outcome);
        if (settled)
            return !parked || error_set(err, ERROR_FAILED, "it was parked again");
    }
    return error_set(err, ERROR_FAILED,
                     "no outcome within %" PRId64 " s; the request stays in the retry "
                     "topic and is served as soon as a member can",
                     (patience + 999) / 1000);
}

/* Acts on the order's last outcome. */
static bool may_ask(const struct retry *r, struct error *err)
{
    if (is_state(r->last, "retrying"))
        return error_set(err, ERROR_FAILED,
                         "it is being retried already; nothing was asked for again");
    if (is_state(r->last, "forgotten"))
        return error_set(err, ERROR_FAILED, "it was forgotten; nothing was asked for again");
    if (is_state(r->last, "superseded"))
        return error_set(err, ERROR_FAILED,
                         "a later confirmation of it was delivered; nothing was asked for again");
    if (is_state(r->last, "overtaken") && !r->own->force)
        return error_set(
            err, ERROR_FAILED,
            "it was no longer confirmed when its turn came (rule.overtaken); nothing was "
            "asked for. --force sends it all the same");
    return !is_state(r->last, "delivered") || r->own->force ||
           error_set(err, ERROR_FAILED,
                     "it was delivered; nothing was asked for again. --force sends it once more");
}

static void write_audit(const struct retry *r)
{
    command_audit("retry",
                  (const struct log_field[]){LOG_S("order", json_text(r->last, "order_id")),
                                             LOG_S("request", r->request),
                                             LOG_S("forced", r->own->force ? "true" : "false"),
                                             {0}});
}

static bool retry(struct retry *r, struct error *err)
{
    if (r->own->order == NULL || *r->own->order == '\0')
        return error_set(err, ERROR_CONFIG, "--order is missing: an order's id or number");
    progress_reading(r->config->deliveries_topic);
    if ((r->outcomes = outcomes_new(r->config, err)) == NULL || !find_order(r, err))
        return false;
    progress_end();
    say(r->last);
    bool asked = false;
    if (!find_request(r, &asked, err))
        return false;
    progress_end();
    if (asked) {
        puts("it is asked for already; nothing was asked for again");
        return await_outcome(r, err);
    }
    if (!may_ask(r, err))
        return false;
    if (!retry_request_new(r->request, err))
        return false;
    progress_step("fetching its record", -1);
    if ((r->resender = resender_new(r->config, err)) == NULL || !ask(r, err))
        return false;
    write_audit(r);
    return await_outcome(r, err);
}

static bool run(struct config *config, const void *given, struct error *err)
{
    struct retry r = {.config = config, .own = given};
    bool ok = retry(&r, err);
    json_decref(r.last);
    outcomes_free(r.outcomes);
    resender_free(r.resender);
    return ok;
}

static const char *const examples[] = {"retry --order CMD-000123", NULL};

const struct command command_retry = {
    .name = "retry",
    .summary = "send one order again, parked or delivered, and say what came of it",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct retry_arguments),
    .needs = CONFIG_NEED_KAFKA,
    .examples = examples,
    .failure = "it was parked again, or it could not be done",
    .run = run};
