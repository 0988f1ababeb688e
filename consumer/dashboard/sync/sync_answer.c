#include "dashboard/sync/sync_answer.h"

#include "base/buf.h"
#include "dashboard/api/api.h"
#include "topics/json_field.h"

#include <stdio.h>
#include <string.h>

json_t *sync_state_json(const struct api *api, const char *order_id, const char *want,
                        const struct sync_snapshot *s)
{
    struct buf url;
    buf_init(&url, WEB_PATH_MAX);
    buf_add_text(&url, api->site.prefix);
    buf_add_text(&url, "/functions/v1/sync-order-elementor?order_id=");
    buf_add_escaped(&url, order_id);
    if (*want != '\0')
        buf_add_text(&url, "&confirmed_at=");
    buf_add_escaped(&url, want);
    json_t *answer = json_object();
    json_object_set_new(answer, "success", json_boolean(strcmp(s->status, "delivered") == 0));
    json_object_set_new(answer, "order_id", json_string(order_id));
    json_object_set_new(answer, "status", json_string(s->status));
    json_object_set_new(answer, "attempts",
                        s->attempts >= 0 ? json_integer(s->attempts) : json_null());
    json_object_set_new(answer, "confirmed_at",
                        s->confirmed_at != NULL && *s->confirmed_at != '\0'
                            ? json_string(s->confirmed_at)
                            : json_null());
    json_object_set_new(answer, "delivered_ms",
                        s->delivered_ms >= 0 ? json_integer(s->delivered_ms) : json_null());
    json_object_set_new(answer, "status_url", json_string(buf_text(&url)));
    buf_done(&url);
    return answer;
}

struct sync_snapshot sync_delivered_before(const json_t *transition)
{
    return (struct sync_snapshot){
        .status = "delivered",
        .attempts = (int)json_whole(transition, "attempts", -1),
        .confirmed_at = json_string_value(json_object_get(transition, "confirmed_at")),
        .delivered_ms = json_integer_value(json_object_get(transition, "settled_ms"))};
}

/* ---- orders that were never seen ---- */

const char sync_never_seen[] =
    "no confirmation of it was seen: order_id is the id of a row of the orders table (the column "
    "that payload.fields.order_id names), whose status is confirmed in the shop; numbers are "
    "looked up for operators, and for customers where auth.owner_column is set";

enum { ASKED_NAME = VIEW_KEY_MAX + 32 };

/* The time without a call, in ms, after which an order counts as new. */
static int64_t forget_ms(const struct api *api)
{
    enum { LEAST_MS = 60000 };
    return 2 * api->config->dashboard_unseen_timeout + LEAST_MS;
}

/* A transition's name among those that are asked for. */
static void write_name(char name[ASKED_NAME], const char *key, int64_t want_ms)
{
    snprintf(name, ASKED_NAME, "%lld %s", (long long)want_ms, key);
}

bool sync_note_unseen(struct api *api, const char *key, int64_t want_ms)
{
    char name[ASKED_NAME];
    write_name(name, key, want_ms);
    return asked_orders_note(&api->asked, name, forget_ms(api), api->now_ms) <
           api->config->dashboard_unseen_timeout;
}

bool sync_may_come(const struct api *api, const char *key, int64_t want_ms)
{
    char name[ASKED_NAME];
    write_name(name, key, want_ms);
    int64_t since_ms = asked_orders_since(&api->asked, name, forget_ms(api), api->now_ms);
    return since_ms >= 0 && since_ms < api->config->dashboard_unseen_timeout;
}
