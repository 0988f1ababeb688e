#include "dashboard/api/transition.h"

#include "base/time_text.h"
#include "topics/json_field.h"

#include <string.h>

int64_t transition_time_ms(const char *text)
{
    char copy[48];
    int64_t ms;
    size_t len = strlen(text);
    if (len >= sizeof copy || len < 20)
        return -1;
    memcpy(copy, text, len + 1);
    copy[10] = copy[10] == ' ' ? 'T' : copy[10];
    return timestamp_read_ms(copy, len, &ms) ? ms : -1;
}

static bool is_superseded(const struct order_facts *facts)
{
    return strcmp(facts->reason, "superseded") == 0;
}

/* A settled transition of this time among those before the latest one. */
static const json_t *find_previous(const json_t *previous, int64_t want_ms)
{
    const json_t *one;
    size_t i;
    json_array_foreach (previous, i, one) {
        const char *at = json_string_value(json_object_get(one, "confirmed_at"));
        if (at != NULL && transition_time_ms(at) == want_ms)
            return one;
    }
    return NULL;
}

static bool is_delivered(const json_t *transition)
{
    return strcmp(json_text(transition, "state"), "delivered") == 0;
}

/* The latest by its own time, of those that were delivered. */
static const json_t *find_delivered(const json_t *previous)
{
    const json_t *one, *latest = NULL;
    int64_t latest_ms = INT64_MIN;
    size_t i;
    json_array_foreach (previous, i, one) {
        const char *at = json_string_value(json_object_get(one, "confirmed_at"));
        int64_t ms = at != NULL ? transition_time_ms(at) : -1;
        if (is_delivered(one) && ms > latest_ms) {
            latest = one;
            latest_ms = ms;
        }
    }
    return latest;
}

/* The last outcome may be of an older confirmation that was sent again since (a replay, a retry).
 * So the transitions before it are searched whatever their time. */
enum fit transition_fit(const struct order_facts *facts, const json_t *previous, int64_t want_ms,
                        const json_t **ret_before)
{
    int64_t latest_ms =
        facts->confirmed_at[0] != '\0' ? transition_time_ms(facts->confirmed_at) : -1;
    if (!is_superseded(facts) && (want_ms < 0 || latest_ms < 0 || latest_ms == want_ms))
        return FIT_LATEST;
    *ret_before = want_ms < 0 ? find_delivered(previous) : find_previous(previous, want_ms);
    if (is_delivered(*ret_before))
        return FIT_DELIVERED_BEFORE;
    if (want_ms < 0 || latest_ms < 0)
        return FIT_LATEST;
    if (want_ms <= latest_ms)
        return FIT_SUPERSEDED;
    return *ret_before != NULL ? FIT_PARKED_BEFORE : FIT_LATER;
}
