#include "kafka/kafka_client_log.h"

#include "base/slice.h"
#include "kafka/advice.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SYSLOG_CRITICAL = 2, SYSLOG_WARNING = 4, FACILITIES_MAX = 32, EVERY_MS = 60000 };

/* Facilities whose lines also come as errors, by their callback; or are no news: that topics are
 * not to be made by looking at them is asked of brokers that do not know the question. */
static bool is_for_debugging(const char *facility)
{
    return strcmp(facility, "FAIL") == 0 || strcmp(facility, "ERROR") == 0 ||
           strcmp(facility, "AUTOCREATE") == 0;
}

/* kafka.properties.* go to consumers and producers alike: that one of the two has no use for a
 * property is as it should be. And what it tries again is librdkafka's own business. */
static bool is_known(const char *text)
{
    static const char again[] = ": retrying";
    size_t len = strlen(text), again_len = sizeof again - 1;
    return strstr(text, "will be ignored by this") != NULL ||
           (len > again_len && strcmp(text + len - again_len, again) == 0);
}

/* The trouble of a facility; NULL when there are too many of them. Under the lock. */
static struct log_limited *trouble_of(const char *facility)
{
    static struct {
        char facility[24];
        struct log_limited trouble;
    } known[FACILITIES_MAX];
    for (size_t i = 0; i < FACILITIES_MAX; i++) {
        if (known[i].facility[0] == '\0')
            snprintf(known[i].facility, sizeof known[i].facility, "%s", facility);
        if (strncmp(known[i].facility, facility, sizeof known[i].facility - 1) == 0)
            return &known[i].trouble;
    }
    return NULL;
}

static void warn(const char *facility, const char *text)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const char *advice = kafka_advice(text);
    const struct log_field hint = *advice != '\0' ? LOG_S("hint", advice) : (struct log_field){0};
    const struct log_field fields[] = {LOG_S("facility", facility), LOG_S("text", text), hint, {0}};
    pthread_mutex_lock(&lock);
    struct log_limited *trouble = trouble_of(facility);
    if (trouble != NULL)
        log_limited(trouble, clock_mono_ms(), EVERY_MS, "librdkafka", fields);
    pthread_mutex_unlock(&lock);
}

const char *kafka_log_text(const char *text)
{
    const char *thread_end = has_prefix(text, "[thrd:") ? strstr(text, "]: ") : NULL;
    return thread_end != NULL ? thread_end + 3 : text;
}

void kafka_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    text = kafka_log_text(text);
    if (level <= SYSLOG_CRITICAL)
        log_error("librdkafka", LOG_S("facility", facility), LOG_S("text", text));
    else if (level <= SYSLOG_WARNING && !is_for_debugging(facility) && !is_known(text))
        warn(facility, text);
    else
        log_debug("librdkafka", LOG_S("facility", facility), LOG_S("text", text));
}
