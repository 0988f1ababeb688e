/* webhook: one attempt to deliver one body; delivery/policy/retry_policy decides what follows from
 * the answer. */
#ifndef DELIVERY_WEBHOOK_H
#define DELIVERY_WEBHOOK_H

#include "base/slice.h"
#include "config/config.h"
#include "delivery/redact.h"
#include "http/answer.h"
#include "http/http_client.h"

struct webhook;

/* Copies its options from the config: nothing is borrowed. */
struct webhook *webhook_new(struct http *http, const struct config *config, struct error *err);
void webhook_free(struct webhook *webhook); /* accepts NULL */

/* Takes URL, keys and headers from another config; attempts under way are not touched. On an error
 * everything stays as it was. Not for webhook.concurrency. */
bool webhook_reload(struct webhook *webhook, const struct config *config,
                    struct error *err) must_check;

/* Counts the reloads: an answer to an attempt of an earlier one is not about this endpoint.
 */
uint64_t webhook_endpoint_generation(const struct webhook *webhook);

/* "hooks.example.com#1a2b3c4d": the endpoint's host and an 8-hex fingerprint of the whole URL
 * (first bytes of its SHA-256): all of the secret that may be shown anywhere. Borrowed until the
 * next webhook_reload. */
const char *webhook_name(const struct webhook *webhook);

/* answer_refusal_words of an answer of this endpoint's. Returns ret_text. */
const char *webhook_refusal_words(const struct webhook *webhook, const struct http_result *result,
                                  char ret_text[REFUSAL_WORDS_MAX]);

/* Adds the secrets that an endpoint's answer must not repeat: URL and extra headers, those before
 * the last reload too. Borrowed until the next webhook_reload. */
void webhook_add_secrets(const struct webhook *webhook, struct redact *redact);

/* One attempt. */
struct webhook_message {
    const char *id;      /* webhook-id and Idempotency-Key */
    int attempt;         /* webhook-attempt: 1, 2, … */
    int64_t timestamp_s; /* webhook-timestamp: wall clock, seconds since the epoch */
    /* The record's own traceparent header; without it, or when it is not well-formed, one that is
     * derived from the id goes out. */
    struct slice traceparent;
    const char *source; /* webhook-source ("retry", "redrive", "replay"); NULL: no such header */
    const char *body;   /* borrowed until done */
    size_t body_len;
};

/* POSTs the body with the Content-Type of payload.shape, the headers above, webhook-signature when
 * there are signing keys (Standard Webhooks), and webhook.headers.*. done is called exactly once,
 * later. NULL (with err) when it could not even be started. */
struct http_request *webhook_post(struct webhook *webhook, const struct webhook_message *message,
                                  http_done *done, void *context, struct error *err);

/* True when url may be used: https, or http to loopback, or allow_http; a host; no userinfo, no
 * control characters or spaces. The error never repeats the URL. */
bool webhook_url_check(const char *url, bool allow_http, struct error *err) must_check;

#endif
