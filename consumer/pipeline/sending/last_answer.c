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

/* The answer before this one, and what was kept of it. A receiver that answers every order alike
 * does not repeat what is an order's own, and redacting costs a quarter of a request. Of the
 * thread: a pipeline has one. */
struct kept_answer {
    const struct webhook *webhook;
    uint64_t generation; /* of its endpoint: another one has other secrets */
    char raw[ANSWER_KEPT], kept[REDACT_OUT_MAX];
    size_t raw_len, kept_len; /* raw_len 0: none */
    bool cut;
};
static _Thread_local struct kept_answer before;

static bool is_as_before(const struct webhook *webhook, struct slice raw, bool cut)
{
    return raw.len > 0 && raw.len == before.raw_len && cut == before.cut &&
           webhook == before.webhook && webhook_endpoint_generation(webhook) == before.generation &&
           memcmp(raw.data, before.raw, raw.len) == 0;
}

static void remember(const struct webhook *webhook, struct slice raw, bool cut, struct slice kept)
{
    if (raw.len == 0 || raw.len > sizeof before.raw || kept.len > sizeof before.kept)
        return;
    before.webhook = webhook;
    before.generation = webhook_endpoint_generation(webhook);
    before.cut = cut;
    before.raw_len = raw.len;
    before.kept_len = kept.len;
    memcpy(before.raw, raw.data, raw.len);
    memcpy(before.kept, kept.data, kept.len);
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
    const struct slice raw = kept;
    if (is_as_before(webhook, raw, cut)) {
        kept = (struct slice){before.kept, before.kept_len};
    } else if (!is_harmless(raw) || cut) {
        kept = last_answer_redact(webhook, d, raw, cut, text);
        remember(webhook, raw, cut, kept);
    }
    if (kept.len > 0)
        d->answer = strndup(kept.data, kept.len);
}
