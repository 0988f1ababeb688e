#include "dashboard/export/order_query.h"

#include <stdlib.h>
#include <string.h>

bool order_query_choice(const struct call *call, const char *name, const char *const words[],
                        int count, const char *refusal, int *ret)
{
    const char *text = NULL;
    if (!call_text(call, name, 16, &text))
        return false;
    for (int i = 0; text != NULL && i < count; i++)
        if (strcmp(text, words[i]) == 0) {
            *ret = i;
            return true;
        }
    if (text != NULL)
        call_bad(call, refusal);
    return text == NULL;
}

static bool read_status(const struct call *call, int *ret)
{
    enum { LEAST = 100, MOST = 599, DIGITS = 3 };
    const char *text = NULL;
    if (!call_text(call, "status", 8, &text))
        return false;
    if (text == NULL)
        return true;
    int status = strspn(text, "0123456789") == DIGITS && text[DIGITS] == '\0' ? atoi(text) : 0;
    *ret = strcmp(text, "none") == 0 ? VIEW_NO_STATUS : status;
    if (*ret == VIEW_NO_STATUS || (status >= LEAST && status <= MOST))
        return true;
    call_bad(call, "status: none, or 100 to 599");
    return false;
}

bool order_query_read(const struct call *call, struct order_filter *ret)
{
    enum { REASON_MAX = 64, SEARCH_MAX = 100 };
    static const char *const sources[] = {"cdc", "retry", "redrive", "replay"};
    int source = -1;
    *ret = (struct order_filter){.state = -1, .since_ms = -1, .until_ms = -1};
    if (!order_query_choice(call, "state", order_state_names, ORDER_STATE_COUNT,
                            "state: delivered, retrying, parked, overtaken or dismissed",
                            &ret->state) ||
        !call_text(call, "reason", REASON_MAX, &ret->reason) || !read_status(call, &ret->status) ||
        !order_query_choice(call, "source", sources, sizeof sources / sizeof *sources,
                            "source: cdc, retry, redrive or replay", &source) ||
        !call_text(call, "q", SEARCH_MAX, &ret->search) ||
        !call_number(call, "since_ms", 0, INT64_MAX, &ret->since_ms) ||
        !call_number(call, "until_ms", 0, INT64_MAX, &ret->until_ms))
        return false;
    ret->source = source >= 0 ? sources[source] : NULL;
    return true;
}
