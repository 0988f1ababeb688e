/* redact: an endpoint's answer made fit to be kept: short, printable, without secrets and personal
 * data.
 *
 * A needle is found however it is written (unescape): in either case, percent-encoded once or more,
 * with the escapes of JSON (PHP writes "\u00e9" and "\/") or HTML's entities. A telephone number is
 * found by its digits. The time it takes grows with the text's length and the needles', not with
 * their product. */
#ifndef DELIVERY_REDACT_H
#define DELIVERY_REDACT_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>

enum { REDACT_NEEDLES_MAX = 128, REDACT_NEEDLE_MIN = 4, REDACT_OUT_MAX = 1024 };
enum { REDACT_DIGITS_MIN = 6, REDACT_DIGITS_MAX = 8 };

/* The texts that must not be shown; borrowed. */
struct redact {
    struct slice needles[REDACT_NEEDLES_MAX];
    size_t count;
    char digits[REDACT_DIGITS_MAX]; /* the last ones of a telephone number */
    size_t digit_count;             /* 0: none */
    bool cut;                       /* the text was cut: its end may be a needle's beginning */
};

/* Needles shorter than REDACT_NEEDLE_MIN are left out: "a" would redact everything. */
void redact_add(struct redact *redact, struct slice needle);

/* A text, whole and by its words: "Bearer TOKEN" is echoed as TOKEN, a full name by its parts. */
void redact_add_words(struct redact *redact, struct slice text);

/* A URL: whole, and by its path, its longer segments and its query, as an error page echoes them.
 */
void redact_add_url(struct redact *redact, const char *url);

/* The customer's own words and numbers in a rendered payload (JSON, either shape): client_* fields,
 * and the texts of "columns", where a template has columns of its own. *ret_held keeps the texts
 * alive until json_decref'd by redact_done. */
struct redact_payload {
    void *json;
};
void redact_add_payload(struct redact *redact, struct slice body, struct redact_payload *ret_held);
void redact_done(struct redact_payload *held);

/* Appends at most REDACT_OUT_MAX bytes of text's first UNESCAPE_MAX to b: needles become
 * "[redacted]", control characters a space, bytes that are not UTF-8 "?". */
void redact_apply(const struct redact *redact, struct slice text, struct buf *b);

#endif
