#include "check/check_internal.h"
#include "config/load/template_load.h"

#include "order/field_map.h"
#include "order/transform.h"
#include "registry/registry_reply.h"
#include "registry/schema_url.h"
#include "sys/clock.h"
#include "sys/url_list.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTRY "registry"
#define SCHEMA "schema"
#define FIELDS "fields"

enum { URL_MAX = 1024, SCHEMA_MS = 10000, WAIT_MS = 20 };

/* ---- the registry ---- */

static bool ask(struct check *c, const char *url, struct check_answer *ret_answer,
                struct error *err)
{
    struct registry_way way;
    if (!registry_way_init(&way, c->config, err))
        return false;
    bool ok = check_get(c, &way.endpoint, url, (const char *const *)way.headers, ret_answer, err);
    registry_way_done(&way);
    return ok;
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
    char url[URL_MAX + 32];
    snprintf(url, sizeof url, "%s/schemas/types", base);
    return ask(c, url, ret_answer, err);
}

/* The path on the same host where a registry answers; false: none of the usual ones. */
static bool find_registry(struct check *c, const char *url, char *ret_url, size_t size)
{
    static const char *const paths[] = {"/apis/ccompat/v7", "/apis/ccompat/v6", "/api/ccompat", ""};
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

static void explain_failure(struct check *c, const char *url, const struct check_answer *answer,
                            struct error *err)
{
    char elsewhere[URL_MAX];
    if (answer->status == 0)
        error_set(err, ERROR_UNREACHABLE, "%s does not answer: %s", url, answer->failure);
    else if (answer->status == 401 || answer->status == 403)
        error_set(err, ERROR_FAILED,
                  "%s refuses the login (status %d): check registry.user and registry.password, or "
                  "registry.token",
                  url, answer->status);
    else if (answer->status >= 300 && answer->status < 400)
        fail_redirect(url, answer, err);
    else if (find_registry(c, url, elsewhere, sizeof elsewhere))
        error_set(err, ERROR_FAILED,
                  "%s answers, but not as a schema registry (status %d): its path is wrong; set "
                  "registry.url to %.150s, which does",
                  url, answer->status, elsewhere);
    else
        error_set(err, ERROR_FAILED,
                  "%s answers, but not as a schema registry (status %d): correct host, port and "
                  "path of registry.url (Apicurio's path is /apis/ccompat/v7)",
                  url, answer->status);
}

static void nothing(void *context)
{
    (void)context;
}

/* Older registries do not list their types; all of them answer whether a schema exists. */
static bool knows_of_schemas(struct check *c, const char *base)
{
    enum { NO_SUCH_SCHEMA = 40403 };
    char url[URL_MAX + 32];
    struct check_answer answer = {0};
    struct error err = {0};
    snprintf(url, sizeof url, "%s/schemas/ids/1", base);
    if (!ask(c, url, &answer, &err))
        return false;
    json_t *root = answer.body != NULL ? json_loadb(answer.body, answer.len, 0, NULL) : NULL;
    bool knows = json_integer_value(json_object_get(root, "error_code")) == NO_SUCH_SCHEMA ||
                 (answer.status == 200 && json_is_string(json_object_get(root, "schema")));
    json_decref(root);
    free(answer.body);
    return knows;
}

/* True when a registry answers there; such an address is reported at once. */
static bool check_address(struct check *c, const char *base, struct error *err)
{
    struct check_answer answer = {0};
    if (!ask_types(c, base, &answer, err))
        return false;
    bool ok = answers_as_registry(&answer) || (answer.status == 404 && knows_of_schemas(c, base));
    if (ok)
        report_add(c->report, REPORT_OK, REGISTRY, "url", "%s answers in %lld ms", base,
                   (long long)answer.took_ms);
    else
        explain_failure(c, base, &answer, err);
    free(answer.body);
    return ok;
}

/* Of several addresses one is enough to read by. */
void check_registry(struct check *c)
{
    struct slice urls[URL_LIST_MAX];
    struct error err[URL_LIST_MAX] = {0};
    size_t count =
        c->config->registry_url != NULL ? url_list_split(c->config->registry_url, urls) : 0;
    for (size_t i = 0; i < count; i++) {
        char base[URL_MAX];
        snprintf(base, sizeof base, "%.*s", (int)urls[i].len, urls[i].data);
        if (check_address(c, base, &err[i]) && c->registry_base.data == NULL)
            c->registry_base = urls[i];
    }
    for (size_t i = 0; i < count; i++)
        if (err[i].code != ERROR_NONE && c->registry_base.data != NULL)
            report_add(c->report, REPORT_WARN, REGISTRY, "url", "%s", err[i].text);
        else if (err[i].code != ERROR_NONE)
            report_fail(c->report, &err[i], REGISTRY, "url");
    if (c->registry_base.data == NULL)
        return;
    struct error why = {0};
    c->registry = registry_new(c->http, c->config, nothing, NULL, &why);
    if (c->registry == NULL)
        report_fail(c->report, &why, REGISTRY, "url");
}

/* ---- the schema ---- */

/* The newest schema under the topic's usual subject; NONE: there is none. */
static struct schema_ref ask_subject(struct check *c)
{
    char url[URL_MAX];
    struct check_answer answer = {0};
    struct error err = {0};
    snprintf(url, sizeof url, "%.*s/subjects/%s-value/versions/latest", (int)c->registry_base.len,
             c->registry_base.data, c->config->kafka_topic);
    if (!ask(c, url, &answer, &err))
        return (struct schema_ref){0};
    json_t *root = answer.body != NULL ? json_loadb(answer.body, answer.len, 0, NULL) : NULL;
    json_int_t id = answer.status == 200 ? json_integer_value(json_object_get(root, "id")) : 0;
    json_decref(root);
    free(answer.body);
    return id > 0 ? schema_ref_id(id) : (struct schema_ref){0};
}

/* True when the registry has this schema; requested directly, so that its own message is shown. */
static bool ask_schema(struct check *c, struct slice base, const struct schema_ref *ref,
                       struct error *err)
{
    struct buf url;
    struct check_answer answer = {0};
    struct schema_reply reply = {0};
    buf_init(&url, URL_MAX);
    bool asked = schema_url(base, ref, false, &url, err) &&
                 (buf_ok(&url) || error_no_memory(err)) && ask(c, buf_text(&url), &answer, err);
    buf_done(&url);
    if (!asked)
        return false;
    bool ok = answer.status == 0
                  ? error_set(err, ERROR_UNREACHABLE, "%s", answer.failure)
                  : schema_reply_read((enum schema_ref_kind)ref->kind, answer.status,
                                      answer.body != NULL ? answer.body : "", answer.len, &reply,
                                      err) == SCHEMA_REPLY_SCHEMA;
    schema_reply_done(&reply);
    free(answer.body);
    return ok;
}

/* The names of the registry's contexts (Confluent): [".", ".shop"]; NULL: it has none. */
static json_t *ask_contexts(struct check *c)
{
    char url[URL_MAX];
    struct check_answer answer = {0};
    struct error err = {0};
    snprintf(url, sizeof url, "%.*s/contexts", (int)c->registry_base.len, c->registry_base.data);
    if (!ask(c, url, &answer, &err))
        return NULL;
    json_t *names = answer.status == 200 && answer.body != NULL
                        ? json_loadb(answer.body, answer.len, 0, NULL)
                        : NULL;
    free(answer.body);
    return names;
}

/* Looks for an unknown schema in the registry's contexts: each context counts its ids from 1. */
static bool find_context(struct check *c, const struct schema_ref *ref, char *ret_url, size_t size)
{
    enum { LOOKED_AT = 16 };
    json_t *names = ask_contexts(c);
    bool found = false;
    for (size_t i = 0; !found && i < json_array_size(names) && i < LOOKED_AT; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct error err = {0};
        if (name == NULL || strcmp(name, ".") == 0)
            continue;
        int len = snprintf(ret_url, size, "%.*s/contexts/%s", (int)c->registry_base.len,
                           c->registry_base.data, name[0] == '.' ? name + 1 : name);
        found = len > 0 && (size_t)len < size && ask_schema(c, slice_of(ret_url), ref, &err);
    }
    json_decref(names);
    return found;
}

/* The schema with its references; NULL with err. */
static const char *await_schema(struct check *c, const struct schema_ref *ref, struct error *err)
{
    const char *schema = NULL;
    enum registry_answer answer;
    int64_t deadline_ms = clock_mono_ms() + SCHEMA_MS;
    while ((answer = registry_get(c->registry, ref, &schema, err)) == REGISTRY_PENDING &&
           clock_mono_ms() < deadline_ms) {
        registry_turn(c->registry, clock_mono_ms());
        http_turn(c->http);
        loop_wait(c->loop, WAIT_MS);
    }
    if (answer == REGISTRY_PENDING)
        error_set(err, ERROR_UNREACHABLE, "the registry did not return it in time");
    return answer == REGISTRY_HAVE ? schema : NULL;
}

static const enum report_level fate_levels[] = {
    [FIELD_FINE] = REPORT_OK, [FIELD_DOUBTFUL] = REPORT_WARN, [FIELD_HOPELESS] = REPORT_FAIL};

static void report_fields(struct check *c, const struct field_map *map)
{
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        const struct field_source *source = &map->field[f];
        report_field(c->report, fate_levels[source->fate], payload_field_names[f],
                     c->config->payload_column[f], source->type, source->becomes);
    }
}

/* The columns that payload.template names. */
static void report_template(struct check *c, const struct field_map *map)
{
    const struct payload_template *template = c->config->template;
    for (size_t i = 0; template != NULL && i < template->column_count; i++)
        report_field(c->report, fate_levels[map->extra[i].fate], "payload.template",
                     template->columns[i], map->extra[i].type, map->extra[i].becomes);
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
    if (map->has_absent && *map->columns != '\0')
        report_add(c->report, REPORT_NOTE, FIELDS, "absent columns",
                   "the records show: %s. A column of the table that is not among them is a "
                   "generated one (published from PostgreSQL 18 on; before, fill an ordinary "
                   "column by a trigger), left out by column.exclude.list or by the publication's "
                   "column list, or newer than the newest record",
                   map->columns);
}

static void report_rule(struct check *c, const struct field_map *map)
{
    if (map->rule.fate != FIELD_FINE)
        report_field(c->report, fate_levels[map->rule.fate], "rule.column", c->config->rule_column,
                     map->rule.type, map->rule.becomes);
}

static void report_owner(struct check *c, const struct field_map *map)
{
    if (c->config->auth_owner_column != NULL)
        report_field(c->report, map->owner.fate == FIELD_FINE ? REPORT_OK : REPORT_WARN,
                     "auth.owner_column", c->config->auth_owner_column, map->owner.type,
                     map->owner.becomes);
}

static void report_schema(struct check *c, const char *id, const struct field_map *map)
{
    static const char *const shapes[] = {
        [PLAN_ENVELOPE] = "Debezium's envelope",
        [PLAN_UNWRAPPED] = "unwrapped rows (ExtractNewRecordState): they show no before",
        [PLAN_FOREIGN] = "no rows: a heartbeat or the like; its records are skipped"};
    bool fine = map->shape == PLAN_ENVELOPE;
    struct error err = {0};
    if (map->refused.code != ERROR_NONE) {
        error_set(&err, ERROR_FAILED, "schema %s: %.400s", id, map->refused.text);
        report_fail(c->report, &err, SCHEMA, "form");
    } else {
        report_add(c->report, fine ? REPORT_OK : REPORT_WARN, SCHEMA, "form", "%s, id %s: %s",
                   map->schema, id, shapes[map->shape]);
    }
    if (map->shape == PLAN_FOREIGN)
        return;
    report_rule(c, map);
    report_fields(c, map);
    report_template(c, map);
    report_owner(c, map);
    report_time_zone(c, map);
    report_absent(c, map);
}

void check_schema(struct check *c)
{
    struct error err = {0}, why = {0};
    struct field_map map;
    char id[SCHEMA_REF_TEXT_MAX], context[URL_MAX];
    const struct plan_options options = transform_plan_options(c->config);
    if (c->registry == NULL || c->partitions == 0)
        return;
    bool of_record = c->sample.schema.kind != SCHEMA_REF_NONE;
    const struct schema_ref ref = of_record ? c->sample.schema : ask_subject(c);
    schema_ref_text(&ref, id);
    if (ref.kind == SCHEMA_REF_NONE) {
        report_add(c->report, REPORT_NOTE, SCHEMA, "form",
                   "no Avro record and no subject \"%s-value\" yet: nothing to check",
                   c->config->kafka_topic);
        return;
    }
    const char *schema =
        ask_schema(c, c->registry_base, &ref, &why) ? await_schema(c, &ref, &why) : NULL;
    if (schema != NULL && field_map_of(schema, strlen(schema), &options,
                                       c->config->payload_amount_decimals, &map, &why)) {
        report_schema(c, id, &map);
        return;
    }
    bool elsewhere = schema == NULL && why.code == ERROR_UNDECODABLE &&
                     find_context(c, &ref, context, sizeof context);
    error_set(&err, why.code == ERROR_UNREACHABLE ? ERROR_UNREACHABLE : ERROR_FAILED,
              "schema %s%s: %.300s%s%.150s", id, of_record ? " of the newest record" : "", why.text,
              elsewhere ? "; a registry context has it: set registry.url to " : "",
              elsewhere ? context : "");
    report_fail(c->report, &err, SCHEMA, "form");
}
