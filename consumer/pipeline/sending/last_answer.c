#include "pipeline/sending/last_answer.h"

#include "delivery/redact.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_KEPT = 256 };

struct slice last_answer_redact(const struct webhook *webhook, const struct delivery *d,
                                struct slice answer, bool cut, struct buf *text)
{
    struct redact redact = {.cut = cut};
    struct redact_payload held = {0};
    buf_reset(text);
    if (answer.len == 0)
        return (struct slice){0};
    webhook_add_secrets(webhook, &redact);
    redact_add_payload(&redact,
                       d->text[d->text[TEXT_NESTED].data != NULL ? TEXT_NESTED : TEXT_BODY], &held);
    redact_apply(&redact, answer, text);
    redact_done(&held);
    return (struct slice){text->data, text->len};
}

/* Shorter than any needle: it cannot contain one. */
static bool is_harmless(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < ' ' || text.data[i] > '~')
            return false;
    return text.len < REDACT_NEEDLE_MIN;
}

/* Copied, since the outcome may be written long after the attempt. Without memory there is none. */
void last_answer_note(const struct webhook *webhook, struct delivery *d,
                      const struct http_result *result, struct buf *text)
{
    struct slice kept = {result->body, result->body_len};
    bool cut = result->body_cut || kept.len > ANSWER_KEPT;
    free(d->answer);
    d->answer = NULL;
    if (kept.len > ANSWER_KEPT)
        kept.len = ANSWER_KEPT;
    if (!is_harmless(kept) || cut)
        kept = last_answer_redact(webhook, d, kept, cut, text);
    if (kept.len > 0)
        d->answer = strndup(kept.data, kept.len);
}
