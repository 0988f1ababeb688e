#include "check/tally.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define CUT "…"

/* The visible part of the text. */
static void show(const char *text, size_t len, char ret[TALLY_TEXT])
{
    size_t at = 0;
    while (len > 0) {
        size_t size = utf8_char_size(text, len), step = size > 0 ? size : 1;
        if (at + step > TALLY_TEXT - sizeof CUT) {
            memcpy(ret + at, CUT, sizeof CUT);
            return;
        }
        bool is_shown = size > 1 ? (unsigned char)text[0] != 0xc2 || (unsigned char)text[1] >= 0xa0
                                 : size == 1 && *text >= 0x20 && *text != 0x7f;
        if (is_shown)
            memcpy(ret + at, text, step);
        else
            ret[at] = '?';
        at += is_shown ? step : 1;
        text += step;
        len -= step;
    }
    ret[at] = '\0';
}

void tally_add(struct tally *tally, const char *text, size_t len)
{
    char shown[TALLY_TEXT];
    show(text, len, shown);
    tally->total++;
    for (size_t i = 0; i < tally->used; i++)
        if (strcmp(tally->entries[i].text, shown) == 0) {
            tally->entries[i].count++;
            return;
        }
    if (tally->used == TALLY_ENTRIES) {
        tally->others++;
        return;
    }
    memcpy(tally->entries[tally->used].text, shown, sizeof shown);
    tally->entries[tally->used++].count = 1;
}

/* The entry that comes next: the most frequent of those not listed, the first of equals. */
static size_t next_of(const struct tally *tally, const bool *listed)
{
    size_t next = tally->used;
    for (size_t i = 0; i < tally->used; i++)
        if (!listed[i] &&
            (next == tally->used || tally->entries[i].count > tally->entries[next].count))
            next = i;
    return next;
}

const char *tally_list(const struct tally *tally, const char *quote, char *text, size_t size)
{
    bool listed[TALLY_ENTRIES] = {false};
    size_t len = 0;
    int64_t others = tally->others;
    snprintf(text, size, "none");
    for (size_t n = 0; n < tally->used; n++) {
        char entry[TALLY_TEXT + 32];
        size_t i = next_of(tally, listed);
        int wrote = snprintf(entry, sizeof entry, "%s%s%s%s (%" PRId64 ")", len > 0 ? ", " : "",
                             quote, tally->entries[i].text, quote, tally->entries[i].count);
        listed[i] = true;
        if (wrote <= 0 || len + (size_t)wrote + 32 > size) {
            others += tally->entries[i].count;
            continue;
        }
        memcpy(text + len, entry, (size_t)wrote + 1);
        len += (size_t)wrote;
    }
    if (others > 0)
        snprintf(text + len, size - len, "%sothers (%" PRId64 ")", len > 0 ? " and " : "", others);
    return text;
}
