/* released_reader: how the release before tried orders stood in a commit reads its metadata, word
 * for word, so that a test does not agree with itself. */
#ifndef UNIT_OFFSETS_RELEASED_READER_H
#define UNIT_OFFSETS_RELEASED_READER_H

#include "offsets/offset_window.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_MAX = 3000 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Returns the number of bytes, or -1; stops at the first character outside the alphabet. */
static int decode(const char *text, uint8_t *bytes, size_t size, const char **ret_end)
{
    uint32_t bits = 0;
    int held = 0;
    size_t len = 0;
    const char *found;
    for (; *text != '\0' && (found = strchr(alphabet, *text)) != NULL; text++) {
        bits = bits << 6 | (uint32_t)(found - alphabet);
        held += 6;
        if (held < 8)
            continue;
        if (len == size)
            return -1;
        held -= 8;
        bytes[len++] = (uint8_t)(bits >> held);
    }
    *ret_end = text;
    return (int)len;
}

static bool take(const uint8_t **at, const uint8_t *end, int64_t *ret_number)
{
    uint64_t number = 0;
    for (int shift = 0; *at < end && shift < 63; shift += 7) {
        uint8_t byte = *(*at)++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_number = (int64_t)number;
            return number <= INT64_MAX;
        }
    }
    return false;
}

/* NULL when the bytes are not a list of runs. */
static struct offset_window_range *read_runs(const uint8_t *bytes, size_t len, int64_t at,
                                             size_t *ret_count)
{
    struct offset_window_range *ranges = malloc((len / 2 + 1) * sizeof *ranges);
    size_t count = 0;
    for (const uint8_t *byte = bytes; ranges != NULL && byte < bytes + len;) {
        int64_t open, run;
        if (!take(&byte, bytes + len, &open) || !take(&byte, bytes + len, &run) || run == 0 ||
            open > INT64_MAX - at || run > INT64_MAX - at - open) {
            free(ranges);
            return NULL;
        }
        ranges[count++] = (struct offset_window_range){at + open, at + open + run};
        at += open + run;
    }
    *ret_count = count;
    return ranges;
}

/* ".r5000", and ".n6", which is not for the window. */
static bool read_notes(const char *text, int64_t *ret_replay_until)
{
    while (*text != '\0') {
        char *end, kind = text[1];
        if (text[0] != '.' || (kind != 'r' && kind != 'n') || text[2] < '0' || text[2] > '9')
            return false;
        int64_t number = strtoll(text + 2, &end, 10);
        if (kind == 'r')
            *ret_replay_until = number;
        text = end;
    }
    return true;
}

static bool released_read(struct offset_window *w, const char *text, int64_t *ret_replay_until)
{
    uint8_t bytes[RUNS_MAX];
    int64_t replay_until = -1;
    const char *rest;
    char *end;
    size_t count;
    *ret_replay_until = -1;
    if (strncmp(text, "1.", 2) != 0 || strtoll(text + 2, &end, 10) != w->next || *end != '.')
        return false;
    int len = decode(end + 1, bytes, sizeof bytes, &rest);
    if (len < 0 || !read_notes(rest, &replay_until))
        return false;
    struct offset_window_range *ranges = read_runs(bytes, (size_t)len, w->next, &count);
    if (ranges == NULL)
        return false;
    w->known = ranges;
    w->known_count = count;
    *ret_replay_until = replay_until;
    return true;
}

#endif
