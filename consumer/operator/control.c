#include "operator/control.h"

#include "kafka/reader.h"
#include "sys/clock.h"
#include "sys/signals.h"
#include "sys/wakeup.h"

enum { POLL_MS = 200, ACKNOWLEDGE_MS = 10000 };

static struct reader *open_topic(const struct config *config, struct error *err)
{
    struct error why = {0};
    struct reader *reader = reader_of_topic(config, config->control_topic, "beginning", true, &why);
    if (reader == NULL && why.code == ERROR_FAILED)
        error_set(err, ERROR_FAILED,
                  "%.200s (run makes it at its start; members of a release without it know no "
                  "pause)",
                  why.text);
    else if (reader == NULL)
        error_set(err, why.code, "%s", why.text);
    return reader;
}

bool control_read(const struct config *config, int stop_fd, struct control_word *ret,
                  struct error *err)
{
    struct reader *reader = open_topic(config, err);
    bool go_on = reader != NULL;
    *ret = (struct control_word){.paused = false};
    while (go_on && !reader_at_end(reader) && (go_on = signals_go_on(stop_fd, err))) {
        rd_kafka_message_t *m = reader_next(reader, POLL_MS);
        struct control_word word;
        if (m == NULL)
            continue;
        if (control_record_read(config, m, &word))
            *ret = word;
        rd_kafka_message_destroy(m);
    }
    reader_free(reader);
    return go_on;
}

struct writing {
    bool answered, acknowledged;
};

static void written(void *context, bool acknowledged)
{
    struct writing *w = context;
    w->answered = true;
    w->acknowledged = acknowledged;
}

bool control_write(const struct config *config, const struct control_word *word, struct error *err)
{
    struct writing writing = {.answered = false};
    int wake_fd = wakeup_new();
    struct publisher *publisher = publisher_new(config, wake_fd, err);
    bool ok = publisher != NULL &&
              control_record_write(publisher, config, word, clock_mono_ms() + ACKNOWLEDGE_MS,
                                   written, &writing, err);
    while (ok && !writing.answered) {
        publisher_turn(publisher, clock_mono_ms());
        if (!writing.answered)
            wakeup_wait(wake_fd, POLL_MS);
    }
    publisher_free(publisher);
    wakeup_free(wake_fd);
    return ok && (writing.acknowledged ||
                  error_set(err, ERROR_UNREACHABLE,
                            "the control topic \"%s\" did not acknowledge; it may or may not hold "
                            "the word: run the command again",
                            config->control_topic));
}
