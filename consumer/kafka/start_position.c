#include "kafka/start_position.h"

#include "base/time_text.h"
#include "config/config.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define POSITION_TIMES "2026-11-22T09:00:00Z, 2026-11-22T10:00:00+01:00 or -1h (an hour ago)"

static bool read_offset(const char *text, int64_t *ret_offset)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 0)
        return false;
    *ret_offset = value;
    return true;
}

/* "-1h": that long ago. */
static bool read_ago(const char *text, int64_t *ret_ms)
{
    struct error ignored = {0};
    int64_t ago_ms;
    if (text[0] != '-' || !config_parse_duration(text + 1, &ago_ms, &ignored))
        return false;
    *ret_ms = clock_wall_ms() - ago_ms;
    return true;
}

static bool read_time(const char *text, int64_t *ret_ms)
{
    return read_ago(text, ret_ms) || timestamp_read_ms(text, strlen(text), ret_ms);
}

bool position_parse(const char *argument, const char *text, struct position *ret, struct error *err)
{
    int64_t value = 0;
    if (strcmp(text, "beginning") == 0)
        *ret = (struct position){POSITION_BEGINNING, 0};
    else if (read_offset(text, &value))
        *ret = (struct position){POSITION_OFFSET, value};
    else if (read_time(text, &value))
        *ret = (struct position){POSITION_TIME, value};
    else
        return error_set(
            err, ERROR_CONFIG,
            "%s: \"%s\" is neither beginning, nor an offset, nor a time such as " POSITION_TIMES,
            argument, text);
    return true;
}

bool position_parse_time(const char *argument, const char *text, int64_t *ret_ms, struct error *err)
{
    return read_time(text, ret_ms) ||
           error_set(err, ERROR_CONFIG, "%s: \"%s\" is not a time such as " POSITION_TIMES,
                     argument, text);
}
