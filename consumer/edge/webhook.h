/* webhook: one attempt to deliver one body; what to make of the answer is core/retry's decision. */
#ifndef EDGE_WEBHOOK_H
#define EDGE_WEBHOOK_H

#include "core/config.h"
#include "edge/http.h"

struct webhook;

/* config is borrowed for the webhook's life. */
struct webhook *webhook_new(struct http *http, const struct config *config, struct error *err);
void webhook_free(struct webhook *webhook); /* accepts NULL */

/* "hooks.example.com#1a2b3c4d": the endpoint's host and an 8-hex fingerprint of the whole URL
 * (first bytes of its SHA-256): all of the secret that may be shown anywhere. Lives as long as the
 * webhook. */
const char *webhook_name(const struct webhook *webhook);

/* POSTs body with Content-Type: application/json, webhook-id and Idempotency-Key (both = id),
 * webhook-attempt (1, 2, …). body is borrowed until done, which is called exactly once, later.
 * NULL (with err) when it could not even be started. */
struct http_request *webhook_post(struct webhook *webhook, const char *id, int attempt,
                                  const char *body, size_t body_len, http_done *done, void *context,
                                  struct error *err);

/* Whether url may be used: https, or http to loopback, or allow_http; a host; no userinfo, no
 * control characters or spaces. The error never repeats the URL. */
bool webhook_url_check(const char *url, bool allow_http, struct error *err) must_check;

#endif
