/* last_answer: what an endpoint answered, fit to be kept. */
#include "pipeline/pipeline_internal.h"

#include "delivery/redact.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_KEPT = 256 };

struct slice fit_to_keep(struct pipeline *p, const struct delivery *d, struct slice response,
                         bool cut)
{
    struct redact redact = {.cut = cut};
    struct redact_payload held = {0};
    buf_reset(&p->text);
    if (response.len == 0)
        return (struct slice){0};
    webhook_add_secrets(p->webhook, &redact);
    redact_add_payload(&redact, d->text[TEXT_BODY], &held);
    redact_apply(&redact, response, &p->text);
    redact_done(&held);
    return (struct slice){p->text.data, p->text.len};
}

/* Shorter than any needle: nothing in it needs to be looked for. */
static bool is_harmless(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < ' ' || text.data[i] > '~')
            return false;
    return text.len < REDACT_NEEDLE_MIN;
}

/* Copied, since the outcome may be written long after the attempt. Without memory there is none. */
void note_answer(struct pipeline *p, struct delivery *d, const struct http_result *result)
{
    struct slice text = {result->body, result->body_len};
    bool cut = result->body_cut || text.len > ANSWER_KEPT;
    free(d->answer);
    d->answer = NULL;
    if (text.len > ANSWER_KEPT)
        text.len = ANSWER_KEPT;
    if (!is_harmless(text) || cut)
        text = fit_to_keep(p, d, text, cut);
    if (text.len > 0)
        d->answer = strndup(text.data, text.len);
}
