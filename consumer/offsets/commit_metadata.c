#include "offsets/commit_metadata.h"

#include "base/slice.h"
#include "offsets/tried_text.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_MAX = 3000 /* bytes: 4 characters for 3, and the rest of the text, fit in 4096 */ };
enum {
    NOTES_MAX = 2 * 24 /* characters: ".r" and ".n" with a number each, the latter's writer is
                          kafka/consumer/start_offsets */
};

/* ---- base64url without padding (RFC 4648 §5) ---- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode(const uint8_t *bytes, size_t len, char *text)
{
    char *at = text;
    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (have > 1)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (have > 2)
            group |= bytes[i + 2];
        for (size_t c = 0; c <= have; c++)
            *at++ = alphabet[group >> (18 - 6 * c) & 63];
    }
    *at = '\0';
    return (size_t)(at - text);
}

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

/* ---- writing ---- */

struct writer {
    uint8_t bytes[RUNS_MAX];
    size_t len;
    int64_t told;     /* everything below is in the text */
    int64_t from, to; /* the settled run being gathered; empty when from == to */
    bool cut;
};

static bool put(struct writer *w, uint64_t number)
{
    do {
        if (w->len == sizeof w->bytes)
            return false;
        w->bytes[w->len++] = (uint8_t)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
    } while ((number >>= 7) != 0);
    return true;
}

/* Both numbers or none. */
static void flush(struct writer *w)
{
    if (w->from == w->to || w->cut)
        return;
    size_t before = w->len;
    if (put(w, (uint64_t)(w->from - w->told)) && put(w, (uint64_t)(w->to - w->from))) {
        w->told = w->to;
    } else {
        w->len = before;
        w->cut = true;
    }
}

static void settled(struct writer *w, int64_t from, int64_t to)
{
    if (from >= to)
        return;
    if (w->from < w->to && w->to == from) {
        w->to = to;
        return;
    }
    flush(w);
    w->from = from;
    w->to = to;
}

static void write_runs(const struct offset_window *w, struct writer *writer)
{
    int64_t at = offset_window_watermark(w);
    *writer = (struct writer){.told = at, .from = at, .to = at};
    for (uint64_t sequence = w->head; sequence != w->tail; sequence++) {
        const struct offset_window_entry *e = &w->ring[sequence & (w->room - 1)];
        if (e->settled)
            continue;
        settled(writer, at, e->offset);
        at = e->offset + 1;
    }
    settled(writer, at, w->next);
    for (size_t i = w->known_at; i < w->known_count; i++) {
        const struct offset_window_range *r = &w->known[i];
        settled(writer, r->from > w->next ? r->from : w->next, r->to);
    }
    flush(writer);
}

/* ".r" and the orders' digits, in what the text has left. Returns the number of characters. */
static size_t write_tried(struct tried_list *tried, int64_t watermark, size_t len, char *text)
{
    if (tried == NULL || len + 2 + NOTES_MAX >= COMMIT_METADATA_MAX)
        return 0;
    tried_forget_below(tried, watermark);
    size_t room = COMMIT_METADATA_MAX - NOTES_MAX - 2 - len;
    size_t digits = tried_write(tried, watermark, text + 2, room);
    if (digits == 0)
        return 0;
    text[0] = '.';
    text[1] = 'r';
    return digits + 2;
}

bool commit_metadata_write(const struct offset_window *w, int64_t replay_until,
                           struct tried_list *tried, char text[COMMIT_METADATA_MAX + 1])
{
    struct writer writer;
    int64_t watermark = offset_window_watermark(w);
    write_runs(w, &writer);
    size_t len = (size_t)snprintf(text, COMMIT_METADATA_MAX + 1, "1.%" PRId64 ".", watermark);
    len += encode(writer.bytes, writer.len, text + len);
    size_t attempts = write_tried(tried, watermark, len, text + len);
    len += attempts;
    if (replay_until >= 0 || attempts > 0)
        snprintf(text + len, COMMIT_METADATA_MAX + 1 - len, ".r%" PRId64,
                 replay_until >= 0 ? replay_until : 0);
    else
        text[writer.len > 0 ? len : 0] = '\0';
    return !writer.cut;
}

size_t commit_metadata_untold(const struct offset_window *w)
{
    struct writer writer;
    size_t count = 0;
    write_runs(w, &writer);
    for (uint64_t sequence = w->head; writer.cut && sequence != w->tail; sequence++) {
        const struct offset_window_entry *e = &w->ring[sequence & (w->room - 1)];
        count += e->settled && e->offset >= writer.told;
    }
    return count;
}

/* ---- reading ---- */

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

/* The last ".r" is the end of the replay, one before it holds the tried orders; ".n6" is not for
 * the window. */
static bool read_notes(const char *text, const char **ret_tried, int64_t *ret_replay_until)
{
    const char *last = NULL;
    int64_t until = 0;
    while (*text != '\0') {
        char *end, kind = text[1];
        if (text[0] != '.' || (kind != 'r' && kind != 'n') || text[2] < '0' || text[2] > '9')
            return false;
        int64_t number = strtoll(text + 2, &end, 10);
        if (kind == 'r') {
            *ret_tried = last;
            last = text + 2;
            until = number;
        }
        text = end;
    }
    *ret_replay_until = until > 0 ? until : -1;
    return true;
}

bool commit_metadata_read(struct offset_window *w, const char *text, struct tried_list *tried,
                          int64_t *ret_replay_until)
{
    uint8_t bytes[RUNS_MAX];
    int64_t replay_until = -1;
    const char *rest, *tried_text = NULL;
    char *end;
    size_t count;
    *ret_replay_until = -1;
    if (!has_prefix(text, "1.") || strtoll(text + 2, &end, 10) != w->next || *end != '.')
        return false;
    int len = decode(end + 1, bytes, sizeof bytes, &rest);
    if (len < 0 || !read_notes(rest, &tried_text, &replay_until))
        return false;
    struct offset_window_range *ranges = read_runs(bytes, (size_t)len, w->next, &count);
    if (ranges == NULL)
        return false;
    w->known = ranges;
    w->known_count = count;
    *ret_replay_until = replay_until;
    if (tried != NULL && tried_text != NULL)
        tried_read(tried, w->next, tried_text);
    return true;
}
