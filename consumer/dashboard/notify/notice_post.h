/* notice_post: requests of a thread that can wait for them: to notify.url and
 * notify.heartbeat_url. */
#ifndef DASHBOARD_NOTIFY_NOTICE_POST_H
#define DASHBOARD_NOTIFY_NOTICE_POST_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct notice_post;

/* One for each address: `option` names it in the log, which never holds the URL. Both borrowed.
 * `stopping` ends a request that is under way. */
struct notice_post *notice_post_new(const char *option, const char *url,
                                    const atomic_bool *stopping, struct error *err);
void notice_post_free(struct notice_post *post); /* accepts NULL */

/* Asks (GET; POST with a body of JSON), and waits for the answer, 10 s at most. True: 2xx. */
bool notice_post_ask(struct notice_post *post, const char *body);

/* The rest that the last answer asked for (Retry-After), in ms; 0: none. */
int64_t notice_post_rest_ms(const struct notice_post *post);

#endif
