#include "registry/registry_reply.h"

#include "base/slice.h"
#include "cdc/schema/schema_rules.h"
#include "cdc/schema/schema_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static enum schema_reply_kind trouble(struct error *err, const char *why)
{
    error_set(err, ERROR_UNREACHABLE, "the registry's answer %s", why);
    return SCHEMA_REPLY_TROUBLE;
}

void schema_reply_done(struct schema_reply *reply)
{
    free(reply->schema);
    for (size_t i = 0; i < reply->reference_count; i++)
        free(reply->references[i].subject);
    free(reply->references);
    *reply = (struct schema_reply){0};
}

static bool add_reference(struct schema_reply *reply, const json_t *reference, struct error *err)
{
    const char *subject = json_string_value(json_object_get(reference, "subject"));
    const json_t *version = json_object_get(reference, "version");
    if (subject == NULL || !json_is_integer(version))
        return error_set(err, ERROR_UNREACHABLE,
                         "the registry's answer holds a reference without subject and version");
    char *copy = strdup(subject);
    if (copy == NULL)
        return error_no_memory(err);
    reply->references[reply->reference_count++] = (struct schema_reference){
        .subject = copy,
        .version = json_integer_value(version),
    };
    return true;
}

static bool add_references(struct schema_reply *reply, const json_t *references, struct error *err)
{
    if (references == NULL || json_is_null(references))
        return true;
    if (!json_is_array(references))
        return error_set(err, ERROR_UNREACHABLE,
                         "the registry's answer holds no list of references");
    size_t count = json_array_size(references);
    if (count == 0)
        return true;
    reply->references = calloc(count, sizeof *reply->references);
    if (reply->references == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < count; i++)
        if (!add_reference(reply, json_array_get(references, i), err))
            return false;
    return true;
}

static enum schema_reply_kind read_schema(const json_t *root, struct schema_reply *ret_reply,
                                          struct error *err)
{
    const json_t *type = json_object_get(root, "schemaType"); /* absent: AVRO */
    const char *schema = json_string_value(json_object_get(root, "schema"));
    if (json_is_string(type) && strcmp(json_string_value(type), "AVRO") != 0) {
        error_set(err, ERROR_UNDECODABLE, "the schema is of type %.40s, not AVRO",
                  json_string_value(type));
        return SCHEMA_REPLY_FOREIGN;
    }
    const char *rule = schema_rules_whole(root);
    if (rule != NULL) {
        error_set(err, ERROR_CONFIG,
                  "the registry's rule \"%s\" encrypts whole records, and this program does not "
                  "decrypt: let the connector write the orders unencrypted",
                  rule);
        return SCHEMA_REPLY_FOREIGN;
    }
    if (schema == NULL)
        return trouble(err, "holds no schema");
    struct schema_reply reply = {.schema = schema_rules_note(root, schema, err)};
    if (reply.schema == NULL)
        return SCHEMA_REPLY_TROUBLE;
    if (!add_references(&reply, json_object_get(root, "references"), err)) {
        schema_reply_done(&reply);
        return SCHEMA_REPLY_TROUBLE;
    }
    *ret_reply = reply;
    return SCHEMA_REPLY_SCHEMA;
}

/* Confluent and Karapace: 40401 subject, 40402 version, 40403 schema not found. Apicurio 3 names
 * the exception; before its error codes Apicurio had a sentence only. */
static bool is_about_a_schema(const json_t *root)
{
    static const char *const names[] = {"ContentNotFound", "VersionNotFound"};
    static const char *const messages[] = {"No content with ", "No artifact with ", "No version "};
    json_int_t code = json_integer_value(json_object_get(root, "error_code"));
    const char *name = json_string_value(json_object_get(root, "name"));
    const char *message = json_string_value(json_object_get(root, "message"));
    bool found = code >= 40401 && code <= 40403;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        found |= has_prefix(name, names[i]);
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        found |= has_prefix(message, messages[i]);
    return found;
}

/* Any other 404 speaks of the path or of a gateway's route. Giving up a schema for that would park
 * every record. */
static enum schema_reply_kind read_missing(const json_t *root, struct error *err)
{
    json_int_t code = json_integer_value(json_object_get(root, "error_code"));
    if (!is_about_a_schema(root))
        return trouble(err, "is a 404 that does not speak of a schema: is registry.url right?");
    error_set(err, ERROR_UNDECODABLE, "the registry has no such schema (error code %lld)",
              (long long)(code != 0 ? code : 404));
    return SCHEMA_REPLY_MISSING;
}

/* Apicurio's own API: the schema itself, which a union at the top makes an array. Read as leniently
 * as the plan's compiler reads it. */
static enum schema_reply_kind read_bare(const char *body, size_t len,
                                        struct schema_reply *ret_reply, struct error *err)
{
    struct error why = {0};
    json_t *root = schema_text_parse(body, len, &why);
    bool is_schema = json_is_object(root) || json_is_array(root);
    json_decref(root);
    if (!is_schema && why.code != ERROR_NO_MEMORY)
        return trouble(err, "is no schema");
    ret_reply->schema = is_schema ? strndup(body, len) : NULL;
    if (ret_reply->schema != NULL)
        return SCHEMA_REPLY_SCHEMA;
    error_no_memory(err);
    return SCHEMA_REPLY_TROUBLE;
}

enum schema_reply_kind schema_reply_read(enum schema_ref_kind asked, int status, const char *body,
                                         size_t len, struct schema_reply *ret_reply,
                                         struct error *err)
{
    if (status != 200 && status != 404) {
        error_set(err, ERROR_UNREACHABLE, "the registry answers with status %d%s", status,
                  status == 401 || status == 403 ? ": check registry.user, .password or .token"
                                                 : "");
        return SCHEMA_REPLY_TROUBLE;
    }
    if (status == 200 && asked == SCHEMA_REF_GLOBAL)
        return read_bare(body, len, ret_reply, err);
    json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    enum schema_reply_kind kind;
    if (!json_is_object(root))
        kind =
            trouble(err, status == 404 ? "is a 404 that is no JSON object: is registry.url right?"
                                       : "is no JSON object");
    else
        kind = status == 404 ? read_missing(root, err) : read_schema(root, ret_reply, err);
    json_decref(root);
    return kind;
}
