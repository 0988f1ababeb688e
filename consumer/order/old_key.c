#include "order/old_key.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define NIL_UUID "00000000-0000-0000-0000-000000000000"

/* Debezium puts the empty value of its type in place of an id that the row before did not carry,
 * because a replica identity by index leaves it out. No order has it. */
static bool is_stand_in(const char *text, size_t len)
{
    return len == 0 || (len == 1 && *text == '0') ||
           (len == sizeof NIL_UUID - 1 && memcmp(text, NIL_UUID, len) == 0);
}

static enum old_key compare(const char *text, size_t len, const struct order_id *id)
{
    bool same = len == id->len && memcmp(text, id->text, len) == 0;
    return same || is_stand_in(text, len) ? OLD_KEY_SAME : OLD_KEY_CHANGED;
}

/* A number that is written as text may be base64: JsonConverter writes decimals so. */
static enum old_key compare_text(const json_t *value, const struct order_id *id,
                                 const struct column *id_column)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    enum old_key answer = compare(text, len, id);
    bool may_be_coded = id_column->kind != COLUMN_TEXT && strspn(text, "0123456789.-") != len;
    return answer == OLD_KEY_CHANGED && may_be_coded ? OLD_KEY_UNTOLD : answer;
}

static enum old_key compare_value(const json_t *value, const struct order_id *id,
                                  const struct column *id_column)
{
    char digits[32];
    if (json_is_string(value))
        return compare_text(value, id, id_column);
    if (!json_is_integer(value))
        return OLD_KEY_UNTOLD; /* the digits behind a point would be lost */
    int len = snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(value));
    return compare(digits, (size_t)len, id);
}

enum old_key old_key_compare(struct slice header, const char *column, const struct order_id *id,
                             const struct column *id_column)
{
    json_t *root =
        header.len > 0 ? json_loadb(header.data, header.len, JSON_ALLOW_NUL, NULL) : NULL;
    const json_t *key = root, *payload = json_object_get(root, "payload");
    if (json_is_object(payload) && json_object_get(root, "schema") != NULL)
        key = payload;
    enum old_key answer = compare_value(json_object_get(key, column), id, id_column);
    json_decref(root);
    return answer;
}
