#include "check/check_internal.h"

#include "order/field_map.h"
#include "order/transform.h"
#include "registry/registry_reply.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTRY "registry"
#define SCHEMA "schema"
#define FIELDS "fields"

enum { URL_MAX = 1024, SCHEMA_MS = 10000, WAIT_MS = 20 };

/* ---- the registry ---- */

/* The length of a URL without the slashes at its end. */
static int trimmed(const char *url)
{
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    return (int)len;
}

static bool ask(struct check *c, const char *url, struct check_answer *ret_answer,
                struct error *err)
{
    struct http_endpoint endpoint = registry_endpoint(c->config);
    return check_get(c, &endpoint, url, ret_answer, err);
}

/* The request that every registry answers, without a schema: the list of its types. */
static bool answers_as_registry(const struct check_answer *answer)
{
    json_t *root = answer->status == 200 && answer->body != NULL
                       ? json_loadb(answer->body, answer->len, 0, NULL)
                       : NULL;
    bool is_list = json_is_array(root);
    json_decref(root);
    return is_list;
}

static bool ask_types(struct check *c, const char *base, struct check_answer *ret_answer,
                      struct error *err)
{
    char url[URL_MAX];
    snprintf(url, sizeof url, "%.*s/schemas/types", trimmed(base), base);
    return ask(c, url, ret_answer, err);
}

/* The path on the same host where a registry answers; false: none of the usual ones. */
static bool find_registry(struct check *c, char *ret_url, size_t size)
{
    static const char *const paths[] = {"/apis/ccompat/v7", "/apis/ccompat/v6", "/api/ccompat", ""};
    const char *url = c->config->registry_url;
    const char *host = strstr(url, "://") + 3;
    int origin = (int)(host - url) + (int)strcspn(host, "/?#");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct check_answer answer;
        struct error err = {0};
        snprintf(ret_url, size, "%.*s%s", origin, url, paths[i]);
        if (!ask_types(c, ret_url, &answer, &err))
            continue;
        bool found = answers_as_registry(&answer);
        free(answer.body);
        if (found)
            return true;
    }
    return false;
}

/* Redirects are never followed: the login would go to another host. */
static void fail_redirect(const char *url, const struct check_answer *answer, struct error *err)
{
    static const char asked[] = "/schemas/types";
    size_t len = strcspn(answer->redirect, "?#"), tail = sizeof asked - 1;
    while (len > 0 && answer->redirect[len - 1] == '/')
        len--;
    if (len > tail && memcmp(answer->redirect + len - tail, asked, tail) == 0)
        len -= tail;
    if (len > 0)
        error_set(err, ERROR_FAILED,
                  "%s answers with a redirect (status %d), which is never followed: set "
                  "registry.url to %.*s, where it leads",
                  url, answer->status, (int)len, answer->redirect);
    else
        error_set(err, ERROR_FAILED,
                  "%s answers with a redirect (status %d), which is never followed: set "
                  "registry.url to where it leads",
                  url, answer->status);
}

static void fail_registry(struct check *c, const struct check_answer *answer, struct error *err)
{
    char elsewhere[URL_MAX];
    const char *url = c->config->registry_url;
    if (answer->status == 0)
        error_set(err, ERROR_UNREACHABLE, "%s does not answer: %s", url, answer->failure);
    else if (answer->status == 401 || answer->status == 403)
        error_set(err, ERROR_FAILED,
                  "%s refuses the login (status %d): check registry.user and registry.password, or "
                  "registry.token",
                  url, answer->status);
    else if (answer->status >= 300 && answer->status < 400)
        fail_redirect(url, answer, err);
    else if (find_registry(c, elsewhere, sizeof elsewhere))
        error_set(err, ERROR_FAILED,
                  "%s answers, but not as a schema registry (status %d): its path is wrong; set "
                  "registry.url to %.150s, which does",
                  url, answer->status, elsewhere);
    else
        error_set(err, ERROR_FAILED,
                  "%s answers, but not as a schema registry (status %d): correct host, port and "
                  "path of registry.url (Apicurio's path is /apis/ccompat/v7)",
                  url, answer->status);
    report_fail(c->report, err, REGISTRY, "url");
}

static void nothing(void *context)
{
    (void)context;
}

/* Older registries do not list their types; all of them answer whether a schema exists. */
static bool knows_of_schemas(struct check *c)
{
    enum { NO_SUCH_SCHEMA = 40403 };
    char url[URL_MAX];
    struct check_answer answer = {0};
    struct error err = {0};
    snprintf(url, sizeof url, "%.*s/schemas/ids/1", trimmed(c->config->registry_url),
             c->config->registry_url);
    if (!ask(c, url, &answer, &err))
        return false;
    json_t *root = answer.body != NULL ? json_loadb(answer.body, answer.len, 0, NULL) : NULL;
    bool knows = json_integer_value(json_object_get(root, "error_code")) == NO_SUCH_SCHEMA ||
                 (answer.status == 200 && json_is_string(json_object_get(root, "schema")));
    json_decref(root);
    free(answer.body);
    return knows;
}

void check_registry(struct check *c)
{
    struct check_answer answer = {0};
    struct error err = {0};
    if (c->config->registry_url == NULL)
        return;
    if (!ask_types(c, c->config->registry_url, &answer, &err)) {
        report_fail(c->report, &err, REGISTRY, "url");
        return;
    }
    if (answers_as_registry(&answer) || (answer.status == 404 && knows_of_schemas(c))) {
        report_add(c->report, REPORT_OK, REGISTRY, "url", "%s answers in %lld ms",
                   c->config->registry_url, (long long)answer.took_ms);
        c->registry = registry_new(c->http, c->config, nothing, NULL, &err);
    } else {
        fail_registry(c, &answer, &err);
    }
    free(answer.body);
}

/* ---- the schema ---- */

/* The id of the newest schema under the topic's usual subject; 0: there is none. */
static int32_t ask_subject(struct check *c)
{
    char url[URL_MAX];
    const char *base = c->config->registry_url;
    struct check_answer answer = {0};
    struct error err = {0};
    snprintf(url, sizeof url, "%.*s/subjects/%s-value/versions/latest", trimmed(base), base,
             c->config->kafka_topic);
    if (!ask(c, url, &answer, &err))
        return 0;
    json_t *root = answer.body != NULL ? json_loadb(answer.body, answer.len, 0, NULL) : NULL;
    json_int_t id = answer.status == 200 ? json_integer_value(json_object_get(root, "id")) : 0;
    json_decref(root);
    free(answer.body);
    return id > 0 && id <= INT32_MAX ? (int32_t)id : 0;
}

/* True when the registry has this schema; requested directly, so that its own message is shown. */
static bool ask_schema(struct check *c, int32_t id, struct error *err)
{
    char url[URL_MAX];
    const char *base = c->config->registry_url;
    struct check_answer answer = {0};
    struct schema_reply reply = {0};
    snprintf(url, sizeof url, "%.*s/schemas/ids/%" PRId32, trimmed(base), base, id);
    if (!ask(c, url, &answer, err))
        return false;
    bool ok = answer.status == 0
                  ? error_set(err, ERROR_UNREACHABLE, "%s", answer.failure)
                  : schema_reply_read(answer.status, answer.body != NULL ? answer.body : "",
                                      answer.len, &reply, err) == SCHEMA_REPLY_SCHEMA;
    schema_reply_done(&reply);
    free(answer.body);
    return ok;
}

/* The schema with its references; NULL with err. */
static const char *await_schema(struct check *c, int32_t id, struct error *err)
{
    const char *schema = NULL;
    enum registry_answer answer;
    int64_t deadline_ms = clock_mono_ms() + SCHEMA_MS;
    while ((answer = registry_get(c->registry, id, &schema, err)) == REGISTRY_PENDING &&
           clock_mono_ms() < deadline_ms) {
        registry_turn(c->registry, clock_mono_ms());
        http_turn(c->http);
        loop_wait(c->loop, WAIT_MS);
    }
    if (answer == REGISTRY_PENDING)
        error_set(err, ERROR_UNREACHABLE, "the registry did not return it in time");
    return answer == REGISTRY_HAVE ? schema : NULL;
}

static void report_fields(struct check *c, const struct field_map *map)
{
    static const enum report_level levels[] = {
        [FIELD_FINE] = REPORT_OK, [FIELD_DOUBTFUL] = REPORT_WARN, [FIELD_HOPELESS] = REPORT_FAIL};
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        const struct field_source *source = &map->field[f];
        report_field(c->report, levels[source->fate], payload_field_names[f],
                     c->config->payload_column[f], source->type, source->becomes);
    }
}

/* Debezium and Connect use these names for a time without a zone; one with a zone comes as text. */
static void report_time_zone(struct check *c, const struct field_map *map)
{
    const char *type = map->field[FIELD_CONFIRMED_AT].type, *zone = c->config->payload_time_zone;
    bool is_local = strstr(type, "(local-timestamp-") != NULL ||
                    (strstr(type, "Timestamp)") != NULL && strstr(type, "ZonedTimestamp") == NULL);
    if (!is_local)
        return;
    report_add(c->report, strcmp(zone, "UTC") == 0 ? REPORT_WARN : REPORT_OK, FIELDS, "time zone",
               "column %s has none; its times are taken for those of payload.time_zone = %s: set "
               "it to the zone in which the shop writes them (Africa/Algiers), or make the column "
               "timestamptz",
               c->config->payload_column[FIELD_CONFIRMED_AT], zone);
}

/* Why a column that the table has may be missing: once, not with each field. */
static void report_absent(struct check *c, const struct field_map *map)
{
    if (map->has_absent)
        report_add(c->report, REPORT_NOTE, FIELDS, "absent columns",
                   "the records show: %s. A column of the table that is not among them is a "
                   "generated one (published from PostgreSQL 18 on; before, fill an ordinary "
                   "column by a trigger), left out by column.exclude.list or by the publication's "
                   "column list, or newer than the newest record",
                   map->columns);
}

static void report_rule(struct check *c, const struct field_map *map)
{
    static const enum report_level levels[] = {
        [FIELD_FINE] = REPORT_OK, [FIELD_DOUBTFUL] = REPORT_WARN, [FIELD_HOPELESS] = REPORT_FAIL};
    if (map->rule.fate != FIELD_FINE)
        report_field(c->report, levels[map->rule.fate], "rule.column", c->config->rule_column,
                     map->rule.type, map->rule.becomes);
}

static void report_owner(struct check *c, const struct field_map *map)
{
    if (c->config->auth_owner_column != NULL)
        report_field(c->report, map->owner.fate == FIELD_FINE ? REPORT_OK : REPORT_WARN,
                     "auth.owner_column", c->config->auth_owner_column, map->owner.type,
                     map->owner.becomes);
}

static void report_schema(struct check *c, int32_t id, const struct field_map *map)
{
    static const char *const shapes[] = {
        [PLAN_ENVELOPE] = "Debezium's envelope",
        [PLAN_UNWRAPPED] = "unwrapped rows (ExtractNewRecordState): they show no before",
        [PLAN_FOREIGN] = "no rows: a heartbeat or the like; its records are skipped"};
    bool fine = map->shape == PLAN_ENVELOPE;
    struct error err = {0};
    if (map->refused.code != ERROR_NONE) {
        error_set(&err, ERROR_FAILED, "schema %" PRId32 ": %.400s", id, map->refused.text);
        report_fail(c->report, &err, SCHEMA, "form");
    } else {
        report_add(c->report, fine ? REPORT_OK : REPORT_WARN, SCHEMA, "form",
                   "%s, id %" PRId32 ": %s", map->schema, id, shapes[map->shape]);
    }
    if (map->shape == PLAN_FOREIGN)
        return;
    report_rule(c, map);
    report_fields(c, map);
    report_owner(c, map);
    report_time_zone(c, map);
    report_absent(c, map);
}

void check_schema(struct check *c)
{
    struct error err = {0}, why = {0};
    struct field_map map;
    const struct plan_options options = transform_plan_options(c->config);
    if (c->registry == NULL || c->partitions == 0)
        return;
    bool of_record = c->sample.schema_id != 0;
    int32_t id = of_record ? c->sample.schema_id : ask_subject(c);
    if (id == 0) {
        report_add(c->report, REPORT_NOTE, SCHEMA, "form",
                   "no Avro record and no subject \"%s-value\" yet: nothing to check",
                   c->config->kafka_topic);
        return;
    }
    const char *schema = ask_schema(c, id, &why) ? await_schema(c, id, &why) : NULL;
    if (schema != NULL && field_map_of(schema, strlen(schema), &options, &map, &why)) {
        report_schema(c, id, &map);
        return;
    }
    error_set(&err, why.code == ERROR_UNREACHABLE ? ERROR_UNREACHABLE : ERROR_FAILED,
              "schema %" PRId32 "%s: %.300s", id, of_record ? " of the newest record" : "",
              why.text);
    report_fail(c->report, &err, SCHEMA, "form");
}
