#include "pipeline/sending/last_answer.h"

#include <stdlib.h>
#include <string.h>

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

static bool is_as_before(const struct last_answer *before, const struct webhook *webhook,
                         struct slice raw, bool cut)
{
    return raw.len > 0 && raw.len == before->raw_len && cut == before->cut &&
           webhook_endpoint_generation(webhook) == before->generation &&
           memcmp(raw.data, before->raw, raw.len) == 0;
}

static void remember(struct last_answer *before, const struct webhook *webhook, struct slice raw,
                     bool cut, struct slice kept)
{
    if (raw.len == 0 || kept.len > sizeof before->kept)
        return;
    before->generation = webhook_endpoint_generation(webhook);
    before->cut = cut;
    before->raw_len = raw.len;
    before->kept_len = kept.len;
    memcpy(before->raw, raw.data, raw.len);
    memcpy(before->kept, kept.data, kept.len);
}

/* Copied, since the outcome may be written long after the attempt. Without memory there is none. */
void last_answer_note(struct last_answer *before, const struct webhook *webhook, struct delivery *d,
                      const struct http_result *result, struct buf *text)
{
    bool cut = result->body_cut || result->body_len > LAST_ANSWER_MAX;
    const struct slice raw = {result->body, result->body_len < LAST_ANSWER_MAX ? result->body_len
                                                                               : LAST_ANSWER_MAX};
    struct slice kept = raw;
    free(d->answer);
    d->answer = NULL;
    if (is_as_before(before, webhook, raw, cut)) {
        kept = (struct slice){before->kept, before->kept_len};
    } else if (!is_harmless(raw) || cut) {
        kept = last_answer_redact(webhook, d, raw, cut, text);
        remember(before, webhook, raw, cut, kept);
    }
    if (kept.len > 0)
        d->answer = strndup(kept.data, kept.len);
}
