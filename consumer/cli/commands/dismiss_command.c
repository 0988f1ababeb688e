/* dismiss_command: a parked order that can never be sent needs no decision any more, until the
 * dismissal is taken back or the order has another outcome. */
#include "base/printable.h"
#include "base/time_text.h"
#include "cli/audit.h"
#include "cli/command.h"
#include "operator/last_outcome.h"
#include "operator/resender.h"
#include "sys/clock.h"
#include "sys/signals.h"
#include "terminal/progress.h"
#include "topics/control_record.h"
#include "topics/json_field.h"
#include "topics/outcome_reader.h"
#include "topics/outcome_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX = 512, READ_BACK_MS = 5000 };

struct dismiss_arguments {
    const char *order, *reason;
    bool undo;
};

static const struct argument arguments[] = {
    {"--order", ARGUMENT_TEXT, offsetof(struct dismiss_arguments, order), "ID",
     "an order's id or number; of a record without one, its key on the page"},
    {"--reason", ARGUMENT_TEXT, offsetof(struct dismiss_arguments, reason), "TEXT",
     "the reason, shown with the order and written to the audit log"},
    {"--undo", ARGUMENT_FLAG, offsetof(struct dismiss_arguments, undo), "",
     "take it back: the order needs a decision again"},
};

static bool check_arguments(const struct dismiss_arguments *own, struct error *err)
{
    if (own->order == NULL || *own->order == '\0')
        return error_set(err, ERROR_CONFIG, "--order is missing: an order's id or number");
    if (own->undo && own->reason != NULL)
        return error_set(err, ERROR_CONFIG, "--undo takes no --reason");
    return own->undo || control_reason_is_valid(own->reason) ||
           error_set(err, ERROR_CONFIG,
                     "--reason: 1 to %d bytes of UTF-8, to be shown with the order",
                     CONTROL_REASON_MAX);
}

/* True: nothing is left to do, and the text printed says so. */
static bool is_so_already(const json_t *last, bool undo)
{
    char at[TIMESTAMP_TEXT], by[CONTROL_BY_MAX + 1], reason[CONTROL_REASON_MAX + 1];
    const json_t *dismissed = json_object_get(last, "dismissed");
    bool stands = outcome_is_dismissed(last);
    if (undo && !stands)
        puts("it is not dismissed");
    if (undo || !stands)
        return undo && !stands;
    timestamp_text(json_whole(dismissed, "at_ms", -1), at);
    printf("it is dismissed already, since %s, by %s: %s\n", at,
           printable(json_text(dismissed, "by"), by, sizeof by),
           printable(json_text(dismissed, "reason"), reason, sizeof reason));
    return true;
}

struct dismiss {
    const struct config *config;
    const struct dismiss_arguments *own;
    struct last_outcome *found;
    struct resender *resender;
    char key[OUTCOME_KEY_MAX];
};

/* A retry that is under way would end in another outcome. */
static bool may_change(const struct dismiss *d, struct error *err)
{
    bool waits;
    char shown[NAME_MAX];
    const char *state = json_text(last_outcome(d->found), "state");
    if (strcmp(state, "parked") != 0)
        return error_set(err, ERROR_FAILED, "only a parked order is dismissed; it is %s",
                         printable(state, shown, sizeof shown));
    return last_outcome_waits(d->found, &waits, err) &&
           (!waits ||
            error_set(err, ERROR_FAILED, "it was asked for again: wait for what comes of it"));
}

static bool publish(struct dismiss *d, const json_t *outcome, struct error *err)
{
    char *text = json_dumps(outcome, JSON_COMPACT);
    bool ok = text != NULL ? resender_publish(d->resender, d->config->deliveries_topic,
                                              slice_of(d->key), slice_of(text), err)
                           : error_no_memory(err);
    free(text);
    return ok;
}

/* Another outcome may have been written since the last look, and compaction would keep the word:
 * that outcome is written once more. */
static bool read_back(struct dismiss *d, const json_t *word, struct error *err)
{
    json_t *between = NULL;
    bool ok = true;
    while (last_outcome_next(d->found, READ_BACK_MS) && !json_equal(last_outcome(d->found), word)) {
        json_decref(between);
        between = json_incref(last_outcome(d->found));
    }
    if (between != NULL)
        ok = publish(d, between, err) &&
             error_set(err, ERROR_FAILED,
                       "something else became of it meanwhile: it stays as it is");
    json_decref(between);
    return ok;
}

static bool write_word(struct dismiss *d, struct error *err)
{
    char by[COMMAND_WHO_MAX];
    int64_t now_ms = clock_wall_ms();
    json_t *word = json_deep_copy(last_outcome(d->found));
    command_who(by);
    bool ok = word != NULL && (d->own->undo ? outcome_restore(word, by, now_ms)
                                            : outcome_dismiss(word, by, d->own->reason, now_ms));
    ok = ok ? publish(d, word, err) && read_back(d, word, err) : error_no_memory(err);
    json_decref(word);
    return ok;
}

static bool dismiss(struct dismiss *d, struct error *err)
{
    char shown[NAME_MAX];
    progress_end();
    if (is_so_already(last_outcome(d->found), d->own->undo))
        return true;
    if (!may_change(d, err) || (d->resender = resender_new(d->config, err)) == NULL)
        return false;
    if (last_outcome_next(d->found, 0))
        return error_set(err, ERROR_FAILED, "something else became of it meanwhile: look again");
    outcome_key(last_outcome(d->found), d->key);
    if (!write_word(d, err))
        return false;
    command_audit(d->own->undo ? "restore" : "dismiss",
                  (const struct log_field[]){LOG_S("order", d->key),
                                             LOG_S("reason", d->own->undo ? "" : d->own->reason),
                                             {0}});
    printf(d->own->undo ? "taken back: order %s needs a decision again\n"
                        : "dismissed: order %s needs no decision any more, until its next outcome "
                          "or elementor-sync dismiss --undo\n",
           printable(d->key, shown, sizeof shown));
    return true;
}

static bool run(struct config *config, const void *given, struct error *err)
{
    struct dismiss d = {.config = config, .own = given};
    if (!check_arguments(d.own, err))
        return false;
    int stop_fd = signals_of_command();
    d.found = last_outcome_open(config, d.own->order, stop_fd, err);
    bool ok = d.found != NULL && dismiss(&d, err);
    resender_free(d.resender);
    last_outcome_close(d.found);
    signals_close(stop_fd);
    return ok;
}

static const char *const examples[] = {
    "dismiss --order CMD-000123 --reason \"cancelled by telephone\"",
    "dismiss --order CMD-000123 --undo", NULL};

const struct command command_dismiss = {
    .name = "dismiss",
    .summary =
        "a parked order that will never be sent needs no decision any more; --undo takes it back",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct dismiss_arguments),
    .needs = CONFIG_NEED_KAFKA,
    .examples = examples,
    .run = run};
