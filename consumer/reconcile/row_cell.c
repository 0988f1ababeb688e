#include "reconcile/row_cell.h"

#include "base/decimal.h"
#include "base/time_text.h"
#include "cdc/change.h"
#include "reconcile/row_time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 400, DECIMAL_ROOM = 256, MICROS = 6 };

const json_t *row_cell_type(const struct schema *schema, const json_t *type)
{
    size_t i;
    json_t *branch;
    if (!json_is_array(type))
        return schema_json_resolve(schema, type);
    json_array_foreach (type, i, branch)
        if (!json_is_string(branch) || strcmp(json_string_value(branch), "null") != 0)
            return schema_json_resolve(schema, branch);
    return NULL;
}

static bool has_name(const json_t *type, const char *name)
{
    const char *text = json_string_value(json_object_get(type, "connect.name"));
    return text != NULL && strcmp(text, name) == 0;
}

/* With a NUL; false: too long to be a number, or with one within. */
static bool copy(struct slice text, char ret[NUMBER_MAX])
{
    if (text.len == 0 || text.len >= NUMBER_MAX || memchr(text.data, '\0', text.len) != NULL ||
        strchr(" \t\n\v\f\r", text.data[0]) != NULL)
        return false;
    memcpy(ret, text.data, text.len);
    ret[text.len] = '\0';
    return true;
}

/* ---- texts ---- */

/* Debezium's ZonedTimestamp has the digits of the column, six by default; its IsoTimestamp has no
 * more than there are. */
static bool set_time_text(avro_value_t *cell, int64_t us, bool shortest)
{
    struct buf b;
    unsigned digits = MICROS;
    buf_init(&b, TIMESTAMP_TEXT * 2);
    for (; shortest && digits > 0 && us % 10 == 0; digits--)
        us /= 10;
    bool ok = digits > 0 ? timestamp_add(&b, us, digits) : timestamp_add_text(&b, us, "", 0);
    ok = ok && avro_value_set_string(cell, buf_text(&b)) == 0;
    buf_done(&b);
    return ok;
}

static bool set_text(avro_value_t *cell, const json_t *type, struct slice text,
                     const struct time_zone *zone)
{
    struct row_time time;
    bool instant = has_name(type, "io.debezium.time.ZonedTimestamp");
    bool local = has_name(type, "io.debezium.time.IsoTimestamp");
    if (instant || local)
        return row_time_read(text, zone, &time) &&
               set_time_text(cell, instant ? time.us : time.local_us, local);
    char *copied = strndup(text.data, text.len);
    bool ok = copied != NULL && strlen(copied) == text.len &&
              avro_value_set_string_len(cell, copied, text.len + 1) == 0;
    free(copied);
    return ok;
}

static bool set_enum(avro_value_t *cell, struct slice text)
{
    char *copied = strndup(text.data, text.len);
    int symbol =
        copied != NULL ? avro_schema_enum_get_by_name(avro_value_get_schema(cell), copied) : -1;
    free(copied);
    return symbol >= 0 && avro_value_set_enum(cell, symbol) == 0;
}

/* ---- numbers ---- */

static bool read_whole(const json_t *type, struct slice text, const struct time_zone *zone,
                       int64_t *ret)
{
    char number[NUMBER_MAX], *end;
    struct row_time time;
    uint8_t ticks = schema_time_ticks(type);
    if (ticks == COLUMN_TICKS_NO_TIME)
        return false;
    if (ticks != 0) {
        if (!row_time_read(text, zone, &time))
            return false;
        int64_t us = schema_time_is_local(type) ? time.local_us : time.us;
        *ret = ticks < MICROS ? us / timestamp_unit(MICROS - ticks)
                              : us * timestamp_unit(ticks - MICROS);
        return true;
    }
    if (!copy(text, number))
        return false;
    errno = 0;
    *ret = strtoll(number, &end, 10);
    return errno == 0 && end != number && *end == '\0';
}

static bool read_real(struct slice text, double *ret)
{
    char number[NUMBER_MAX], *end;
    if (!copy(text, number))
        return false;
    *ret = strtod(number, &end);
    return end != number && *end == '\0';
}

static bool set_decimal(avro_value_t *cell, const json_t *type, struct slice text)
{
    uint8_t bytes[DECIMAL_ROOM];
    size_t len;
    if (!schema_is_decimal(type) ||
        !decimal_read(text.data, text.len, schema_decimal_scale(type), bytes, sizeof bytes, &len))
        return false;
    if (avro_value_get_type(cell) == AVRO_BYTES)
        return avro_value_set_bytes(cell, bytes, len) == 0;
    size_t size = (size_t)avro_schema_fixed_size(avro_value_get_schema(cell));
    if (size < len || size > sizeof bytes)
        return false;
    memmove(bytes + size - len, bytes, len); /* the sign before it */
    memset(bytes, (bytes[size - len] & 0x80) != 0 ? 0xff : 0, size - len);
    return avro_value_set_fixed(cell, bytes, size) == 0;
}

/* A numeric without a scale of its own: {scale, value}. */
static bool set_variable_decimal(avro_value_t *cell, const json_t *type, struct slice text)
{
    uint8_t bytes[DECIMAL_ROOM];
    avro_value_t scale, value;
    const char *point = memchr(text.data, '.', text.len);
    int32_t digits = point != NULL ? (int32_t)(text.data + text.len - point - 1) : 0;
    size_t len;
    return has_name(type, "io.debezium.data.VariableScaleDecimal") &&
           decimal_read(text.data, text.len, digits, bytes, sizeof bytes, &len) &&
           avro_value_get_by_name(cell, "scale", &scale, NULL) == 0 &&
           avro_value_get_by_name(cell, "value", &value, NULL) == 0 &&
           avro_value_set_int(&scale, digits) == 0 && avro_value_set_bytes(&value, bytes, len) == 0;
}

/* As COPY writes them. */
static bool set_boolean(avro_value_t *cell, struct slice text)
{
    bool yes = slice_is(text, "t") || slice_is(text, "true");
    return (yes || slice_is(text, "f") || slice_is(text, "false")) &&
           avro_value_set_boolean(cell, yes) == 0;
}

bool row_cell_set(avro_value_t *cell, const json_t *type, struct slice text,
                  const struct time_zone *zone)
{
    int64_t whole;
    double real;
    switch (avro_value_get_type(cell)) {
    case AVRO_STRING: return set_text(cell, type, text, zone);
    case AVRO_ENUM: return set_enum(cell, text);
    case AVRO_BOOLEAN: return set_boolean(cell, text);
    case AVRO_INT32:
        return read_whole(type, text, zone, &whole) && whole >= INT32_MIN && whole <= INT32_MAX &&
               avro_value_set_int(cell, (int32_t)whole) == 0;
    case AVRO_INT64:
        return read_whole(type, text, zone, &whole) && avro_value_set_long(cell, whole) == 0;
    case AVRO_FLOAT: return read_real(text, &real) && avro_value_set_float(cell, (float)real) == 0;
    case AVRO_DOUBLE: return read_real(text, &real) && avro_value_set_double(cell, real) == 0;
    case AVRO_BYTES:
    case AVRO_FIXED: return set_decimal(cell, type, text);
    case AVRO_RECORD: return set_variable_decimal(cell, type, text);
    default: return false;
    }
}
