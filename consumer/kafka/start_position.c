#include "kafka/start_position.h"

#include "base/time_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static bool read_time(const char *text, int64_t *ret_ms)
{
    struct tm tm = {0};
    size_t len = strlen(text);
    if (!timestamp_is_rfc3339(text, len) || text[len - 1] != 'Z')
        return false;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == NULL)
        return false;
    *ret_ms =
        (int64_t)timegm(&tm) * 1000 + (*rest == '.' ? (int64_t)(strtod(rest, NULL) * 1000) : 0);
    return true;
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
        return error_set(err, ERROR_CONFIG,
                         "%s: \"%s\" is neither beginning, nor an offset, nor a time such as "
                         "2026-11-22T09:00:00Z",
                         argument, text);
    return true;
}
