#include "topics/settings/topic_keeps.h"

#include "config/value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HOUR_MS (INT64_C(3600) * 1000)
#define DAY_MS (24 * HOUR_MS)

enum { QUANTITY_TEXT = 32, ENOUGH_DAYS = 3 /* a weekend and its Monday */ };

struct keeps_verdict {
    enum topic_keeps keeps;
    char *why;
};

static void fault(struct keeps_verdict *v, enum topic_keeps keeps, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fault(struct keeps_verdict *v, enum topic_keeps keeps, const char *format, ...)
{
    size_t len = strlen(v->why);
    va_list args;
    if (len > 0)
        len += (size_t)snprintf(v->why + len, TOPIC_KEEPS_TEXT - len, "; ");
    va_start(args, format);
    vsnprintf(v->why + len, TOPIC_KEEPS_TEXT - len, format, args);
    va_end(args);
    v->keeps = keeps > v->keeps ? keeps : v->keeps;
}

/* Compaction spares what is younger than its lag. */
static void judge_compaction(struct keeps_verdict *v, const struct topic_settings *s)
{
    if (strstr(s->policy, "compact") == NULL)
        return;
    fault(v, s->compaction_lag_ms < ENOUGH_DAYS * DAY_MS ? TOPIC_LOSES : TOPIC_KEEPS_LITTLE,
          "cleanup.policy=%s keeps only the newest change of each order: a confirmation is gone "
          "once the order has changed again; set cleanup.policy=delete",
          s->policy);
}

static void judge_retention(struct keeps_verdict *v, const struct topic_settings *s)
{
    char text[QUANTITY_TEXT];
    bool by_time = strcmp(s->policy, "compact") != 0;
    if (by_time && s->retention_ms >= 0 && s->retention_ms < ENOUGH_DAYS * DAY_MS)
        fault(v, s->retention_ms < HOUR_MS ? TOPIC_LOSES : TOPIC_KEEPS_LITTLE,
              "retention.ms=%" PRId64 " (%s): what is not delivered by then (an outage, a stop of "
              "the program) is lost; set retention.ms=604800000 (a week) or more",
              s->retention_ms,
              config_quantity_format(CONFIG_QUANTITY_DURATION, s->retention_ms, text, sizeof text));
    if (by_time && s->retention_bytes >= 0)
        fault(v, TOPIC_KEEPS_LITTLE,
              "retention.bytes=%" PRId64 ": a busy day pushes out what is not delivered yet; set "
              "retention.bytes=-1, and a limit by time",
              s->retention_bytes);
}

enum topic_keeps topic_keeps_orders(const struct topic_settings *settings,
                                    char ret_why[TOPIC_KEEPS_TEXT])
{
    struct keeps_verdict v = {.keeps = TOPIC_KEEPS, .why = ret_why};
    *ret_why = '\0';
    if (settings->policy[0] == '\0')
        return TOPIC_KEEPS;
    judge_compaction(&v, settings);
    judge_retention(&v, settings);
    return v.keeps;
}
