#include "dashboard/sync/sync_request.h"

#include "dashboard/api/transition.h"

#include <stdio.h>
#include <string.h>

/* The name of an order: a text, or the digits of a whole number (orders.id bigint). */
static bool read_name(const json_t *value, char ret[VIEW_KEY_MAX + 1])
{
    ret[0] = '\0';
    if (json_is_integer(value)) {
        snprintf(ret, VIEW_KEY_MAX + 1, "%lld", (long long)json_integer_value(value));
        return true;
    }
    const struct slice text = {json_string_value(value), json_string_length(value)};
    if (!view_key_is_valid(text) || text.data[strspn(text.data, " \t\r\n")] == '\0')
        return false;
    memcpy(ret, text.data, text.len + 1);
    return true;
}

/* ---- a database webhook's body ---- */

static bool is_webhook(const json_t *body)
{
    return json_object_get(body, "order_id") == NULL &&
           json_is_string(json_object_get(body, "type")) && json_object_get(body, "record") != NULL;
}

static bool read_webhook(const json_t *body, const struct config *config, struct sync_request *ret,
                         struct error *err)
{
    const char *column = config->payload_column[FIELD_ORDER_ID];
    const char *type = json_string_value(json_object_get(body, "type"));
    const json_t *record = json_object_get(body, "record");
    if (strcmp(type, "INSERT") != 0 && strcmp(type, "UPDATE") != 0)
        return error_set(err, ERROR_CONFIG,
                         "type: the database webhook of an INSERT or an UPDATE; no other change "
                         "confirms an order");
    const json_t *status = json_object_get(record, config->rule_column);
    if (!read_name(json_object_get(record, column), ret->order))
        return error_set(err, ERROR_CONFIG,
                         "record.%s: a database webhook's record is a row of the orders table, "
                         "with its id in the column %s (payload.fields.order_id)",
                         column, column);
    ret->can_come =
        !json_is_string(status) || strcmp(json_string_value(status), config->rule_value) == 0;
    return true;
}

/* ---- a call's body ---- */

static bool read_call(const json_t *body, struct sync_request *ret, struct error *err)
{
    const json_t *at = json_object_get(body, "confirmed_at"),
                 *force = json_object_get(body, "force");
    if (!read_name(json_object_get(body, "order_id"), ret->order))
        return error_set(err, ERROR_CONFIG, "order_id: a text of 1 to %d bytes, or a whole number",
                         VIEW_KEY_MAX);
    if (force != NULL && !json_is_boolean(force) && !json_is_null(force))
        return error_set(err, ERROR_CONFIG, "force: true or false");
    ret->force = json_is_true(force);
    if (at == NULL || json_is_null(at))
        return true;
    ret->want_ms = json_is_string(at) ? transition_time_ms(json_string_value(at)) : -1;
    if (ret->want_ms < 0)
        return error_set(err, ERROR_CONFIG,
                         "confirmed_at: a time such as 2026-11-22T09:15:30.123Z");
    snprintf(ret->confirmed_at, sizeof ret->confirmed_at, "%s", json_string_value(at));
    return true;
}

bool sync_request_read(const json_t *body, const struct config *config, struct sync_request *ret,
                       struct error *err)
{
    *ret = (struct sync_request){.want_ms = -1, .can_come = true};
    return is_webhook(body) ? read_webhook(body, config, ret, err) : read_call(body, ret, err);
}
