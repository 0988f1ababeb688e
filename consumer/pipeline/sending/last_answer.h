/* last_answer: what an endpoint answered, fit to be kept: without the URL, our keys and the
 * customer's data. */
#ifndef PIPELINE_SENDING_LAST_ANSWER_H
#define PIPELINE_SENDING_LAST_ANSWER_H

#include "base/buf.h"
#include "delivery/delivery.h"
#include "delivery/webhook.h"

/* Written into `text`, which is emptied before. cut: the answer was longer. */
struct slice last_answer_redact(const struct webhook *webhook, const struct delivery *d,
                                struct slice answer, bool cut, struct buf *text);

/* Keeps the beginning in d->answer; `text` is used for a moment. */
void last_answer_note(const struct webhook *webhook, struct delivery *d,
                      const struct http_result *result, struct buf *text);

#endif
