/* resend: writes the original record of an order that the view has into the retry topic. */
#ifndef DASHBOARD_API_RESEND_H
#define DASHBOARD_API_RESEND_H

#include "base/error.h"
#include "dashboard/view/view.h"

#include <sys/queue.h>

struct api;
struct caller;

LIST_HEAD(resends, resend);

enum resend_result { RESEND_WRITTEN, RESEND_GONE, RESEND_UNAVAILABLE };

typedef void resend_done(void *context, enum resend_result result, const char *request,
                         int64_t asked_ms);

/* source: "retry", "redrive" or "replay"; caller: who asked, not kept beyond the call. done: once,
 * later. False without memory, or when a resend of this order is under way. */
bool resend_start(struct api *api, const char *key, const struct order_facts *facts,
                  const char *source, const struct caller *caller, resend_done *done,
                  void *context) must_check;
bool resend_is_under_way(const struct api *api, const char *key);

#endif
