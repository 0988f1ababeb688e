/* redrive: the parked orders again, at a bounded rate. */
#include "core/hash.h"
#include "core/parked_list.h"
#include "core/position.h"
#include "core/printable.h"
#include "edge/clock.h"
#include "edge/kafka_header.h"
#include "edge/reader.h"
#include "outcomes.h"
#include "resender.h"
#include "verbs/confirm.h"
#include "verbs/verbs.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { POLL_MS = 200, REASONS_SHOWN = 20, SECOND_MS = 1000 };

struct options {
    const char *reason, *since;
    int64_t rate;
    bool yes;
};

static const struct argument arguments[] = {
    {"--reason", ARGUMENT_TEXT, offsetof(struct options, reason), "R",
     "only these: http:422, or missing: for all that begin so"},
    {"--since", ARGUMENT_TEXT, offsetof(struct options, since), "TIME",
     "only those parked since (2026-11-22T09:00:00Z)"},
    {"--rate", ARGUMENT_COUNT, offsetof(struct options, rate), "N", "a second (default 5)"},
    {"--yes", ARGUMENT_FLAG, offsetof(struct options, yes), "", "do not ask"},
};

struct redrive {
    const struct config *config;
    const struct options *own;
    int64_t since_ms;
    int stop_fd;
    struct parked_list list;
    struct resender *resender;
    size_t sent, failed;
    int64_t due_ms;
};

static uint64_t hash_of(const void *key, size_t len)
{
    return len > 0 ? hash_bytes(key, len, 0) | 1 : 0; /* 0 stands for none */
}

static void copy_reason(const rd_kafka_message_t *m, char *ret, size_t size)
{
    struct slice reason = kafka_header(m, "elementor-sync.reason");
    if (reason.len > 0) /* "%.*s" takes no NULL, of whatever length */
        snprintf(ret, size, "%.*s", (int)reason.len, reason.data);
}

/* What cannot be sent again, since it does not say where it came from, is passed by. */
static bool note(struct redrive *r, const rd_kafka_message_t *m)
{
    struct retry_order order;
    const char *why;
    if (!retry_order_of_parked(m, &order, &why))
        return true;
    struct parked_entry entry = {
        .source = {hash_of(order.topic, strlen(order.topic)), order.partition, order.offset},
        .parked_partition = m->partition,
        .parked_offset = m->offset,
        .parked_ms = rd_kafka_message_timestamp(m, NULL),
        .order = hash_of(order.order.data, order.order.len)};
    copy_reason(m, entry.reason, sizeof entry.reason);
    return parked_list_add(&r->list, &entry);
}

/* Also while it reads: from brokers that are gone that may take for ever. */
static bool may_go_on(const struct redrive *r, struct error *err)
{
    struct pollfd fd = {.fd = r->stop_fd, .events = POLLIN};
    return poll(&fd, 1, 0) <= 0 || error_set(err, ERROR_FAILED, "stopped; nothing was done");
}

static bool read_parked(struct redrive *r, struct error *err)
{
    bool ok = true;
    rd_kafka_message_t *m;
    struct reader *reader =
        reader_of_topic(r->config, r->config->parked_topic, "beginning", true, err);
    while (ok && reader != NULL && !reader_at_end(reader) && (ok = may_go_on(r, err)))
        if ((m = reader_next(reader, POLL_MS)) != NULL) {
            ok = note(r, m) || error_set(err, ERROR_NO_MEMORY, "no memory for the parked orders");
            rd_kafka_message_destroy(m);
        }
    reader_free(reader);
    parked_list_sort(&r->list);
    return ok && reader != NULL;
}

static void note_outcome(struct redrive *r, const json_t *outcome)
{
    const char *id = outcome_text(outcome, "order_id"), *topic = outcome_text(outcome, "topic");
    const struct parked_source source = {hash_of(topic, strlen(topic)),
                                         (int32_t)outcome_number(outcome, "partition"),
                                         outcome_number(outcome, "offset")};
    bool parked = strcmp(outcome_text(outcome, "state"), "parked") == 0;
    parked_list_outcome(&r->list, hash_of(id, strlen(id)), parked, &source);
}

static bool read_outcomes(struct redrive *r, struct error *err)
{
    struct outcomes *outcomes = outcomes_new(r->config, err);
    bool ok = outcomes != NULL;
    while (ok && !outcomes_caught_up(outcomes) && (ok = may_go_on(r, err))) {
        json_t *outcome = outcomes_next(outcomes);
        if (outcome != NULL)
            note_outcome(r, outcome);
        json_decref(outcome);
    }
    outcomes_free(outcomes);
    return ok;
}

/* How many of each reason; the list is small where it matters. */
static void show(const struct redrive *r)
{
    char reasons[REASONS_SHOWN][PARKED_REASON_MAX], shown[PARKED_REASON_MAX];
    size_t counts[REASONS_SHOWN] = {0}, known = 0, others = 0;
    for (size_t i = 0; i < r->list.count; i++) {
        size_t at = 0;
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
    printf("%8zu  parked orders to send again, in about %" PRId64 " s\n", r->list.count,
           ((int64_t)r->list.count + r->own->rate - 1) / r->own->rate);
    fflush(stdout);
}

/* Until the next one is due; true when the operator stops it. */
static bool rest(struct redrive *r)
{
    struct pollfd fd = {.fd = r->stop_fd, .events = POLLIN};
    int64_t now = clock_mono_ms();
    if (r->due_ms < now)
        r->due_ms = now;
    bool stopped = poll(&fd, 1, (int)(r->due_ms - now)) > 0;
    r->due_ms += SECOND_MS / r->own->rate;
    return stopped;
}

static bool send_one(struct redrive *r, const rd_kafka_message_t *m, struct error *err)
{
    char request[RETRY_REQUEST_MAX];
    const struct resend_ask ask = {.source = "redrive", .request = request};
    struct error why = {0};
    if (rest(r))
        return error_set(err, ERROR_FAILED, "stopped after %zu; the rest stays parked", r->sent);
    if (!retry_request_new(request))
        return error_set(err, ERROR_FAILED, "the system has no randomness");
    if (resender_parked(r->resender, m, &ask, &why)) {
        r->sent++;
        return true;
    }
    r->failed++;
    fprintf(stderr, "parked record %d/%lld: %s\n", (int)m->partition, (long long)m->offset,
            why.text);
    return why.code != ERROR_UNREACHABLE ||
           error_set(err, why.code, "after %zu: %.300s", r->sent, why.text);
}

static bool send_all(struct redrive *r, struct error *err)
{
    rd_kafka_message_t *m;
    bool ok = (r->resender = resender_new(r->config, err)) != NULL;
    struct reader *reader =
        ok ? reader_of_topic(r->config, r->config->parked_topic, "beginning", true, err) : NULL;
    while (ok && reader != NULL && r->sent + r->failed < r->list.count && !reader_at_end(reader))
        if ((m = reader_next(reader, POLL_MS)) != NULL) {
            ok = !parked_list_has(&r->list, m->partition, m->offset) || send_one(r, m, err);
            rd_kafka_message_destroy(m);
        }
    reader_free(reader);
    if (reader == NULL || !ok)
        return false;
    printf("%zu asked for again\n", r->sent);
    return r->sent == r->list.count ||
           error_set(err, ERROR_FAILED, "%zu of %zu could not be asked for; they stay parked",
                     r->list.count - r->sent, r->list.count);
}

static bool read_since(struct redrive *r, struct error *err)
{
    struct position since;
    if (r->own->since == NULL)
        return true;
    if (!position_parse("--since", r->own->since, &since, err))
        return false;
    r->since_ms = since.value;
    return since.kind == POSITION_TIME ||
           error_set(err, ERROR_CONFIG, "--since: \"%s\" is not a time", r->own->since);
}

static bool redrive(struct redrive *r, struct error *err)
{
    if (!read_since(r, err) || !read_parked(r, err) || !read_outcomes(r, err))
        return false;
    parked_list_select(&r->list, r->own->reason != NULL ? r->own->reason : "", r->since_ms);
    if (r->list.count == 0) {
        puts("nothing is parked that fits");
        return true;
    }
    show(r);
    return verb_confirm("Send them again?", r->own->yes, r->stop_fd, err) && send_all(r, err);
}

static bool run(struct config *config, const void *given, struct error *err)
{
    struct options own = *(const struct options *)given;
    if (own.rate < 0)
        own.rate = config->dashboard_redrive_rate;
    if (own.rate > SECOND_MS)
        return error_set(err, ERROR_CONFIG, "--rate: at most %d", SECOND_MS);
    struct redrive r = {.config = config, .own = &own, .stop_fd = verb_stop_signals()};
    bool ok = redrive(&r, err);
    close(r.stop_fd);
    parked_list_done(&r.list);
    resender_free(r.resender);
    return ok;
}

const struct verb verb_redrive = {.name = "redrive",
                                  .summary =
                                      "send parked orders again, after showing how many and why",
                                  .arguments = arguments,
                                  .argument_count = sizeof arguments / sizeof *arguments,
                                  .options_size = sizeof(struct options),
                                  .needs = CONFIG_NEED_KAFKA,
                                  .run = run};
