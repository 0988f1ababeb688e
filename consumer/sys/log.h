/* log: one event a line on standard error, logfmt or JSON; the only module that writes them.
 *
 *   log_info("started", LOG_S("topic", topic), LOG_I("partitions", n));
 *   ts=2026-11-22T09:15:30.123Z level=info event="started" topic=orders partitions=6
 *
 * No secret and no personal data may be passed in. Values are cut at 512 bytes and lines at 4 KiB,
 * between characters, and then end in "…"; fields that no longer fit are left out. Text in logfmt
 * is quoted only where it must be, the event always; control characters are escaped, and bytes that
 * are not UTF-8 shown as \xNN (logfmt) or U+FFFD (JSON). Callable from any thread (one write(2) a
 * line); log_setup only before threads start. */
#ifndef SYS_LOG_H
#define SYS_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* As LOG_LEVEL_* of config/config.h; AUDIT (who did what) is written whatever the level. */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_AUDIT };

struct log_field {
    const char *name; /* NULL ends a list */
    const char *text; /* NULL: the number counts */
    int64_t number;
};

#define LOG_S(name, text) ((struct log_field){(name), (text), 0})
#define LOG_I(name, number) ((struct log_field){(name), 0, (number)})

void log_setup(enum log_level least, bool json);
bool log_is_on(enum log_level level); /* whether a line of this level is written */
void log_event(enum log_level level, const char *event, const struct log_field *fields);

/* At least one field. */
#define LOG_LINE(level, event, ...) \
    log_event((level), (event), (const struct log_field[]){__VA_ARGS__, {0}})
#define log_debug(event, ...) LOG_LINE(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) LOG_LINE(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) LOG_LINE(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) LOG_LINE(LOG_ERROR, event, __VA_ARGS__)

/* Logs a repeated event once, then at most every `every_ms`, with the number of times in between;
 * and once more when it is over. An event that comes and goes within that time is not logged each
 * time, nor is its end: a flaky endpoint is worth a line a minute, not one for each order.
 * Zero-initialise one for each kind of event. */
struct log_limited {
    bool ever, said; /* said: and not yet that it is over */
    int64_t last_ms;
    int64_t repeats;
};
void log_limited(struct log_limited *t, int64_t now_ms, int64_t every_ms, const char *event,
                 const struct log_field *fields);
void log_recovered(struct log_limited *t, const char *event, const struct log_field *fields);

#endif
