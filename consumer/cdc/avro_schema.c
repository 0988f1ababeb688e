#include "cdc/avro_schema.h"

#include "base/hash.h"
#include "base/slice.h"
#include "cdc/change.h"
#include "cdc/schema/avro_names.h"
#include "cdc/schema/schema_bare.h"
#include "cdc/schema/schema_lift.h"
#include "cdc/schema/schema_text.h"

#include <stdlib.h>
#include <string.h>

avro_schema_t schema_target(avro_schema_t type)
{
    while (is_avro_link(type))
        type = avro_schema_link_target(type);
    return type;
}

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* avro-c and this module recurse over the schema (never over data), so its depth is bounded. */
static bool depth_is_fine(const json_t *json, unsigned depth)
{
    if (depth > SCHEMA_DEPTH_MAX)
        return false;
    const char *key;
    json_t *value;
    size_t i;
    json_object_foreach ((json_t *)json, key, value) {
        if (!depth_is_fine(value, depth + 1))
            return false;
    }
    json_array_foreach (json, i, value) {
        if (!depth_is_fine(value, depth + 1))
            return false;
    }
    return true;
}

/* The record's place in the index, or the free one that it would take. */
static uint16_t *slot_of(const struct schema *s, avro_schema_t type)
{
    static const struct hash_key plain; /* addresses: an attacker cannot choose them */
    size_t i = hash_keyed(&plain, &type, sizeof type) % SCHEMA_INDEX;
    while (s->index[i] != 0 && s->records[s->index[i] - 1].type != type)
        i = (i + 1) % SCHEMA_INDEX;
    return &s->index[i];
}

struct schema_record *schema_record_of(const struct schema *s, avro_schema_t type)
{
    uint16_t at = *slot_of(s, type);
    return at != 0 ? &s->records[at - 1] : NULL;
}

static bool collect(struct schema *s, avro_schema_t type);

static bool collect_record(struct schema *s, avro_schema_t record)
{
    if (schema_record_of(s, record) != NULL)
        return true;
    if (s->record_count == SCHEMA_RECORDS_MAX)
        return false;
    s->records[s->record_count] = (struct schema_record){.type = record};
    *slot_of(s, record) = (uint16_t)++s->record_count;
    for (size_t i = 0; i < avro_schema_record_size(record); i++)
        if (!collect(s, avro_schema_record_field_get_by_index(record, (int)i)))
            return false;
    return true;
}

/* Notes every record type within this one. */
static bool collect(struct schema *s, avro_schema_t type)
{
    type = schema_target(type);
    if (is_avro_record(type))
        return collect_record(s, type);
    if (is_avro_array(type))
        return collect(s, avro_schema_array_items(type));
    if (is_avro_map(type))
        return collect(s, avro_schema_map_values(type));
    if (is_avro_union(type))
        for (size_t i = 0; i < avro_schema_union_size(type); i++)
            if (!collect(s, avro_schema_union_branch(type, (int)i)))
                return false;
    return true;
}

bool schema_takes_bytes(const struct schema *s, avro_schema_t type)
{
    type = schema_target(type);
    if (is_avro_null(type))
        return false;
    if (is_avro_fixed(type))
        return avro_schema_fixed_size(type) > 0;
    return !is_avro_record(type) || schema_record_of(s, type)->takes_bytes;
}

/* Which records have a field of which record type, as lists by the field's type. */
struct users {
    uint32_t first[SCHEMA_RECORDS_MAX]; /* place in `users`, plus 1; 0: none */
    struct user {
        uint32_t record, next;
    } * users;
    uint32_t count;
    uint32_t marked[SCHEMA_RECORDS_MAX]; /* records that take bytes, whose users are to be marked */
    size_t marked_count;
};

static void mark(struct schema *s, struct users *u, size_t record)
{
    if (s->records[record].takes_bytes)
        return;
    s->records[record].takes_bytes = true;
    u->marked[u->marked_count++] = (uint32_t)record;
}

static void note_fields(struct schema *s, struct users *u, size_t record)
{
    avro_schema_t type = s->records[record].type;
    for (size_t i = 0; i < avro_schema_record_size(type); i++) {
        avro_schema_t field = schema_target(avro_schema_record_field_get_by_index(type, (int)i));
        if (is_avro_record(field)) {
            size_t used = (size_t)(schema_record_of(s, field) - s->records);
            u->users[u->count] = (struct user){(uint32_t)record, u->first[used]};
            u->first[used] = ++u->count;
        } else if (schema_takes_bytes(s, field)) {
            mark(s, u, record);
        }
    }
}

/* The least fixed point of "a record takes bytes when a field of it does", in time linear in the
 * number of fields. A record that holds only itself has no values; it stays at "none", which is
 * harmless. */
static bool mark_takes_bytes(struct schema *s)
{
    size_t fields = 1;
    for (size_t i = 0; i < s->record_count; i++)
        fields += avro_schema_record_size(s->records[i].type);
    struct users *u = calloc(1, sizeof *u);
    if (u == NULL)
        return false;
    u->users = calloc(fields, sizeof *u->users);
    bool ok = u->users != NULL;
    for (size_t i = 0; ok && i < s->record_count; i++)
        note_fields(s, u, i);
    while (ok && u->marked_count > 0)
        for (uint32_t at = u->first[u->marked[--u->marked_count]]; at != 0;) {
            const struct user user = u->users[at - 1];
            at = user.next;
            mark(s, u, user.record);
        }
    free(u->users);
    free(u);
    return ok;
}

/* avro-c reads the rewritten names, not the original ones, and no annotation at all. */
static bool parse_avro(struct schema *s, struct error *err)
{
    json_t *bare = schema_bare(s->json, err);
    if (bare == NULL)
        return false;
    char *text = json_dumps(bare, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(bare);
    if (text == NULL)
        return error_no_memory(err);
    bool ok = avro_schema_from_json_length(text, strlen(text), &s->avro) == 0;
    free(text);
    if (!ok) {
        s->avro = NULL;
        error_set(err, ERROR_UNDECODABLE, "the schema is not a valid Avro schema: %s",
                  avro_strerror());
    }
    return ok;
}

bool schema_parse(struct schema *s, const char *text, size_t len, struct error *err)
{
    *s = (struct schema){0};
    s->json = schema_text_parse(text, len, err);
    if (s->json == NULL)
        return false;
    if (!depth_is_fine(s->json, 0))
        return error_set(err, ERROR_UNDECODABLE, "the schema is nested deeper than %d",
                         SCHEMA_DEPTH_MAX);
    s->definitions = json_object();
    if (s->definitions == NULL)
        return error_no_memory(err);
    if (!schema_names_resolve(&s->json, s->definitions, err) || !schema_lift(s->json, err) ||
        !parse_avro(s, err))
        return false;
    s->records = calloc(SCHEMA_RECORDS_MAX, sizeof *s->records);
    s->index = calloc(SCHEMA_INDEX, sizeof *s->index);
    if (s->records == NULL || s->index == NULL)
        return error_no_memory(err);
    if (!collect(s, s->avro))
        return error_set(err, ERROR_UNDECODABLE, "the schema has more than %d record types",
                         SCHEMA_RECORDS_MAX);
    return mark_takes_bytes(s) || error_no_memory(err);
}

void schema_done(struct schema *s)
{
    if (s->avro != NULL)
        avro_schema_decref(s->avro);
    json_decref(s->definitions);
    json_decref(s->json);
    free(s->records);
    free(s->index);
    *s = (struct schema){0};
}

const json_t *schema_json_resolve(const struct schema *s, const json_t *type)
{
    const char *name = json_string_value(type);
    const json_t *definition = name != NULL ? json_object_get(s->definitions, name) : NULL;
    return definition != NULL ? definition : type;
}

const json_t *schema_json_field(const json_t *record, size_t index)
{
    return json_object_get(json_array_get(json_object_get(record, "fields"), index), "type");
}

const json_t *schema_json_branch(const json_t *type, size_t branch)
{
    return json_is_array(type) ? json_array_get(type, branch) : type;
}

static bool has_text(const json_t *type, const char *key, const char *text)
{
    return strcmp(string_of(type, key), text) == 0;
}

bool schema_is_decimal(const json_t *type)
{
    return has_text(type, "connect.name", "org.apache.kafka.connect.data.Decimal") ||
           has_text(type, "logicalType", "decimal");
}

int32_t schema_decimal_scale(const json_t *type)
{
    const json_t *scale = json_object_get(type, "scale");
    if (scale == NULL)
        scale = json_object_get(json_object_get(type, "connect.parameters"), "scale");
    long long value = json_is_integer(scale)  ? json_integer_value(scale)
                      : json_is_string(scale) ? strtoll(json_string_value(scale), NULL, 10)
                                              : 0;
    return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

/* Dates, times of day, years and spans: annotated, but not points in time. */
static bool is_no_time(const json_t *type)
{
    static const char *const prefixes[] = {"io.debezium.time.", "org.apache.kafka.connect.data."};
    const char *name = string_of(type, "connect.name"), *logical = string_of(type, "logicalType");
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (has_prefix(name, prefixes[i]))
            return true;
    return strcmp(logical, "date") == 0 || has_prefix(logical, "time-");
}

uint8_t schema_time_ticks(const json_t *type)
{
    static const struct {
        const char *key, *text;
        uint8_t ticks;
    } times[] = {
        {"connect.name", "io.debezium.time.Timestamp", 3},
        {"connect.name", "org.apache.kafka.connect.data.Timestamp", 3},
        {"connect.name", "io.debezium.time.MicroTimestamp", 6},
        {"connect.name", "io.debezium.time.NanoTimestamp", 9},
        {"logicalType", "timestamp-millis", 3},
        {"logicalType", "timestamp-micros", 6},
        {"logicalType", "local-timestamp-millis", 3},
        {"logicalType", "timestamp-nanos", 9},
        {"logicalType", "local-timestamp-micros", 6},
        {"logicalType", "local-timestamp-nanos", 9},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (has_text(type, times[i].key, times[i].text))
            return times[i].ticks;
    return is_no_time(type) ? COLUMN_TICKS_NO_TIME : 0;
}

bool schema_is_day(const json_t *type)
{
    return has_text(type, "connect.name", "io.debezium.time.Date") ||
           has_text(type, "connect.name", "org.apache.kafka.connect.data.Date") ||
           has_text(type, "logicalType", "date");
}

bool schema_time_is_local(const json_t *type)
{
    static const char *const names[] = {
        "io.debezium.time.Timestamp", "io.debezium.time.MicroTimestamp",
        "io.debezium.time.NanoTimestamp", "io.debezium.time.IsoTimestamp",
        "org.apache.kafka.connect.data.Timestamp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (has_text(type, "connect.name", names[i]))
            return true;
    return has_prefix(string_of(type, "logicalType"), "local-timestamp-");
}
