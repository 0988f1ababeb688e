#include "kafka/start_position.h"

#include "base/time_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
    size_t len = strlen(text);
    return timestamp_read_ms(text, len, ret_ms) && text[len - 1] == 'Z';
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

bool position_parse_time(const char *argument, const char *text, int64_t *ret_ms, struct error *err)
{
    struct position position = {.value = 0};
    if (!position_parse(argument, text, &position, err))
        return false;
    *ret_ms = position.value;
    return position.kind == POSITION_TIME ||
           error_set(err, ERROR_CONFIG, "%s: \"%s\" is not a time", argument, text);
}
