#include "operator/last_outcome.h"

#include "operator/requests.h"
#include "sys/clock.h"
#include "sys/signals.h"
#include "terminal/progress.h"
#include "topics/json_field.h"
#include "topics/outcome_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 200 };

const char *outcome_key(const json_t *outcome, char ret[OUTCOME_KEY_MAX])
{
    const char *id = json_text(outcome, "order_id");
    if (*id != '\0')
        snprintf(ret, OUTCOME_KEY_MAX, "%s", id);
    else
        snprintf(ret, OUTCOME_KEY_MAX, "%s-%" PRId64 "-%" PRId64, json_text(outcome, "topic"),
                 json_whole(outcome, "partition", -1), json_whole(outcome, "offset", -1));
    return ret;
}

struct last_outcome {
    const struct config *config;
    const char *order;
    int stop_fd;
    struct outcomes *outcomes;
    json_t *last;
    bool by_key, several; /* found by its key; else: more than one order has the number */
};

/* True: it is of the order. */
static bool consider(struct last_outcome *l, json_t *outcome)
{
    char key[OUTCOME_KEY_MAX], last[OUTCOME_KEY_MAX];
    bool by_key = strcmp(outcome_key(outcome, key), l->order) == 0;
    if (!by_key && (l->by_key || strcmp(json_text(outcome, "order_number"), l->order) != 0))
        return false;
    l->several |= !by_key && l->last != NULL && strcmp(outcome_key(l->last, last), key) != 0;
    l->by_key = by_key;
    json_decref(l->last);
    l->last = json_incref(outcome);
    return true;
}

static bool read_all(struct last_outcome *l, struct error *err)
{
    progress_reading(l->config->deliveries_topic);
    l->outcomes = outcomes_new(l->config, err);
    bool ok = l->outcomes != NULL;
    while (ok && !outcomes_caught_up(l->outcomes) && (ok = signals_go_on(l->stop_fd, err))) {
        json_t *outcome = outcomes_next(l->outcomes);
        if (outcome != NULL)
            consider(l, outcome);
        progress_one_more();
        json_decref(outcome);
    }
    return ok;
}

static bool is_one(const struct last_outcome *l, struct error *err)
{
    if (l->several && !l->by_key)
        return error_set(err, ERROR_FAILED, "several orders have the number %.100s: give the id",
                         l->order);
    return l->last != NULL || error_set(err, ERROR_FAILED,
                                        "no outcome of order %.100s is known; a forgotten order is "
                                        "found by its id only",
                                        l->order);
}

struct last_outcome *last_outcome_open(const struct config *config, const char *order, int stop_fd,
                                       struct error *err)
{
    struct last_outcome *l = calloc(1, sizeof *l);
    if (l == NULL) {
        error_no_memory(err);
        return NULL;
    }
    *l = (struct last_outcome){.config = config, .order = order, .stop_fd = stop_fd};
    if (read_all(l, err) && is_one(l, err))
        return l;
    last_outcome_close(l);
    return NULL;
}

void last_outcome_close(struct last_outcome *l)
{
    if (l == NULL)
        return;
    outcomes_free(l->outcomes);
    json_decref(l->last);
    free(l);
}

json_t *last_outcome(struct last_outcome *l)
{
    return l->last;
}

bool last_outcome_next(struct last_outcome *l, int timeout_ms)
{
    int64_t deadline_ms = clock_mono_ms() + timeout_ms, left_ms = timeout_ms;
    bool found = false;
    while (!found && left_ms >= 0) {
        json_t *outcome = outcomes_next_within(l->outcomes, (int)left_ms);
        found = outcome != NULL && consider(l, outcome);
        left_ms = outcome != NULL ? deadline_ms - clock_mono_ms() : -1;
        json_decref(outcome);
    }
    return found;
}

bool last_outcome_waits(const struct last_outcome *l, bool *ret, struct error *err)
{
    struct request request;
    struct requests *requests = requests_new(l->config, err);
    bool ok = requests != NULL;
    *ret = strcmp(json_text(l->last, "state"), "retrying") == 0;
    while (ok && !requests_caught_up(requests) && (ok = signals_go_on(l->stop_fd, err)))
        if (requests_next(requests, POLL_MS, &request) &&
            request.partition == json_whole(l->last, "partition", -1) &&
            request.offset == json_whole(l->last, "offset", -1) &&
            strcmp(request.id, json_text(l->last, "request")) != 0)
            *ret = true;
    requests_free(requests);
    return ok;
}
