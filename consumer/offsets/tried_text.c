#include "offsets/tried_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BETWEEN "8"
#define END '9'

enum { COUNT_MOST = 100000000 /* attempts; far from what an int holds */ };
#define AGE_MOST_S (INT64_C(100) * 365 * 24 * 3600)
#define TIME_MOST_MS (INT64_C(1) << 50)

enum number { /* in this order in the text */
              NUMBER_DISTANCE,
              NUMBER_ATTEMPTS,
              NUMBER_FIRST,
              NUMBER_AGE,
              NUMBER_COUNTED,
              NUMBER_FAULTS,
              NUMBER_UNKNOWN,
              NUMBER_TIMEOUTS,
              NUMBERS,
              ORDER_TEXT_MAX = NUMBERS * 23 /* a number of 64 bits, and what stands behind it */
};

/* The order before; for the first one the committed offset and no time. */
struct before {
    int64_t offset, first_ms;
};

/* ---- writing ---- */

static uint64_t folded(int64_t number)
{
    uint64_t size = number < 0 ? (uint64_t) - (number + 1) : (uint64_t)number;
    return 2 * size + (number < 0);
}

static int64_t unfolded(uint64_t number)
{
    return number % 2 == 1 ? -(int64_t)(number / 2) - 1 : (int64_t)(number / 2);
}

static size_t write_order(const struct tried *order, const struct before *before,
                          char text[ORDER_TEXT_MAX + 1])
{
    const uint64_t numbers[NUMBERS] = {
        [NUMBER_DISTANCE] = (uint64_t)(order->offset - before->offset),
        [NUMBER_ATTEMPTS] = 2 * (uint64_t)order->attempts + order->others_since,
        [NUMBER_FIRST] = folded(order->first_ms - before->first_ms),
        [NUMBER_AGE] = (uint64_t)order->age_ms / 1000,
        [NUMBER_COUNTED] = (uint64_t)order->counted,
        [NUMBER_FAULTS] = (uint64_t)order->endpoint_faults,
        [NUMBER_UNKNOWN] = (uint64_t)order->unknown,
        [NUMBER_TIMEOUTS] = (uint64_t)order->timeouts};
    size_t count = NUMBERS, len = 0;
    while (numbers[count - 1] == 0 && count > 1)
        count--;
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, ORDER_TEXT_MAX + 1 - len, "%s%" PRIo64,
                                i > 0 ? BETWEEN : "", numbers[i]);
    text[len++] = END;
    return len;
}

size_t tried_write(const struct tried_list *l, int64_t from, char *text, size_t room)
{
    struct before before = {from, 0};
    size_t len = 0;
    for (size_t i = 0; i < l->count; i++) {
        char one[ORDER_TEXT_MAX + 1];
        const struct tried *order = &l->list[i];
        size_t more = write_order(order, &before, one);
        if (more > room - len)
            break;
        memcpy(text + len, one, more);
        len += more;
        before = (struct before){order->offset, order->first_ms};
    }
    text[len] = '\0';
    return len;
}

/* ---- reading ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The numbers of one order, those that are left out as 0; false when there is none such. */
static bool read_numbers(const char **text, uint64_t ret[NUMBERS])
{
    const char *at = *text;
    memset(ret, 0, NUMBERS * sizeof *ret);
    for (size_t i = 0; is_digit(*at); i++, at++) {
        char *end;
        errno = 0;
        uint64_t number = strtoull(at, &end, 8); /* stops at an 8 or 9 */
        if (errno != 0 || end == at)
            return false;
        if (i < NUMBERS)
            ret[i] = number;
        at = end;
        if (*at == END) {
            *text = at + 1;
            return true;
        }
        if (!is_digit(*at))
            return false;
    }
    return false;
}

static bool is_possible(const uint64_t numbers[NUMBERS], const struct before *before, bool first)
{
    for (size_t i = NUMBER_COUNTED; i < NUMBERS; i++)
        if (numbers[i] > COUNT_MOST)
            return false;
    int64_t since = unfolded(numbers[NUMBER_FIRST]);
    return numbers[NUMBER_ATTEMPTS] / 2 >= 1 && numbers[NUMBER_ATTEMPTS] / 2 <= COUNT_MOST &&
           numbers[NUMBER_AGE] <= AGE_MOST_S &&
           numbers[NUMBER_DISTANCE] < (uint64_t)(INT64_MAX - before->offset) &&
           (first || numbers[NUMBER_DISTANCE] > 0) && since >= -TIME_MOST_MS &&
           since <= TIME_MOST_MS && before->first_ms + since >= 0 &&
           before->first_ms + since <= TIME_MOST_MS;
}

static struct tried order_of(const uint64_t numbers[NUMBERS], const struct before *at)
{
    return (struct tried){.offset = at->offset,
                          .attempts = (int)(numbers[NUMBER_ATTEMPTS] / 2),
                          .counted = (int)numbers[NUMBER_COUNTED],
                          .endpoint_faults = (int)numbers[NUMBER_FAULTS],
                          .unknown = (int)numbers[NUMBER_UNKNOWN],
                          .timeouts = (int)numbers[NUMBER_TIMEOUTS],
                          .first_ms = at->first_ms,
                          .age_ms = (int64_t)numbers[NUMBER_AGE] * 1000,
                          .others_since = numbers[NUMBER_ATTEMPTS] % 2 == 1,
                          .others_until = TRIED_ELSEWHERE};
}

void tried_read(struct tried_list *l, int64_t from, const char *text)
{
    struct before before = {from, 0};
    uint64_t numbers[NUMBERS];
    while (is_digit(*text)) {
        size_t count = l->count;
        if (count < TRIED_MAX && read_numbers(&text, numbers) &&
            is_possible(numbers, &before, count == 0)) {
            before.offset += (int64_t)numbers[NUMBER_DISTANCE];
            before.first_ms += unfolded(numbers[NUMBER_FIRST]);
            const struct tried order = order_of(numbers, &before);
            tried_note(l, &order);
        }
        if (l->count == count) { /* too many, or no memory, or not in this form */
            l->unread = true;
            return;
        }
    }
}
