/* last_answer: an endpoint's answer, fit to be kept: without the URL, our keys and the
 * customer's data. */
#ifndef PIPELINE_SENDING_LAST_ANSWER_H
#define PIPELINE_SENDING_LAST_ANSWER_H

#include "base/buf.h"
#include "delivery/delivery.h"
#include "delivery/redact.h"
#include "delivery/webhook.h"

enum { LAST_ANSWER_MAX = 256 }; /* bytes of an answer that are kept */

/* The answer before the present one, and its redacted text; zeroed: none. A receiver that answers
 * every order alike does not repeat an order's own data, and redacting costs a quarter of a
 * request. */
struct last_answer {
    uint64_t generation; /* of its endpoint: another one has other secrets */
    char raw[LAST_ANSWER_MAX], kept[REDACT_OUT_MAX];
    size_t raw_len, kept_len; /* raw_len 0: none */
    bool cut;
};

/* Written into `text`, which is emptied before. cut: the answer was longer. */
struct slice last_answer_redact(const struct webhook *webhook, const struct delivery *d,
                                struct slice answer, bool cut, struct buf *text);

/* Keeps the beginning in d->answer; `text` is used for a moment. `before` belongs to this webhook.
 */
void last_answer_note(struct last_answer *before, const struct webhook *webhook, struct delivery *d,
                      const struct http_result *result, struct buf *text);

#endif
