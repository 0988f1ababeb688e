/* registry: asks, waits, asks again.
 *
 *   registry_get ─▶ entry PENDING ─▶ start_due ─▶ (http) ─▶ on_answer ─▶ HAVE | MISSING | FAILED
 *                        ▲                                      │               ─▶ changed()
 *                        └──────────── due later ◀──────────────┘ trouble, a first "no such schema"
 *
 * Entries live in registry/schema_table; those that are PENDING are also in a list, which start_due
 * walks. */
#include "registry/registry.h"

#include "base/buf.h"
#include "base/printable.h"
#include "base/slice.h"
#include "registry/addresses.h"
#include "registry/schema_entry.h"
#include "registry/schema_table.h"
#include "registry/schema_url.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    URL_MAX = 8192,
    RETRY_FIRST_MS = 1000,
    RETRY_MAX_MS = 30 * 1000,
    MISS_INTERVAL_MS = 30 * 1000,
    TROUBLE_EVERY_MS = 60 * 1000,
};

#define GROUP_HEADER "X-Registry-GroupId"

struct registry {
    struct http *http;
    struct registry_way way;
    struct addresses addresses;
    struct schema_table schemas;
    void (*changed)(void *context);
    void *context;
    int64_t retry_first_ms, miss_interval_ms;
    struct registry_entry *pending;
    int in_flight;
    struct log_limited trouble; /* the registry does not answer as it should */
    struct log_limited full;    /* SCHEMA_TABLE_MAX reached */
    struct registry_trouble failing;
};

/* --- life ------------------------------------------------------------------------------ */

struct registry *registry_new(struct http *http, const struct config *config,
                              void (*changed)(void *context), void *context, struct error *err)
{
    struct addresses addresses = {0};
    if (!addresses_set(&addresses, config->registry_url)) {
        error_set(err, ERROR_CONFIG, "registry.url must be a URL such as https://host:8081");
        return NULL;
    }
    struct registry *registry = calloc(1, sizeof *registry);
    if (registry == NULL) {
        error_no_memory(err);
        return NULL;
    }
    registry->http = http;
    registry->changed = changed;
    registry->context = context;
    registry->addresses = addresses;
    registry->schemas.hash_key = config->hash_key;
    registry_set_pace(registry, RETRY_FIRST_MS, MISS_INTERVAL_MS);
    if (registry_way_init(&registry->way, config, err))
        return registry;
    registry_free(registry);
    return NULL;
}

void registry_reload(struct registry *registry, struct registry_way *way)
{
    registry_way_done(&registry->way);
    registry->way = *way;
    *way = (struct registry_way){0};
}

void registry_set_pace(struct registry *registry, int64_t retry_first_ms, int64_t miss_interval_ms)
{
    registry->retry_first_ms = retry_first_ms;
    registry->miss_interval_ms = miss_interval_ms;
}

void registry_free(struct registry *registry)
{
    if (registry == NULL)
        return;
    schema_table_done(&registry->schemas);
    registry_way_done(&registry->way);
    free(registry);
}

/* --- entries --------------------------------------------------------------------------- */

static void set_pending(struct registry *registry, struct registry_entry *entry)
{
    entry->answer = REGISTRY_PENDING;
    entry->due_ms = 0;
    entry->retry_ms = registry->retry_first_ms;
    entry->next_pending = registry->pending;
    registry->pending = entry;
}

/* NULL when there is no room: the id stays PENDING, which loses nothing, and the log has the
 * reason. */
static struct registry_entry *add(struct registry *registry, const struct schema_ref *schema)
{
    char id[SCHEMA_REF_TEXT_MAX];
    if (!schema_table_make_room(&registry->schemas)) {
        log_limited(&registry->full, clock_mono_ms(), TROUBLE_EVERY_MS, "schema cache full",
                    (struct log_field[]){LOG_I("schemas", SCHEMA_TABLE_MAX),
                                         LOG_S("id", schema_ref_text(schema, id)),
                                         {0}});
        return NULL;
    }
    struct registry_entry *entry = registry_entry_new(registry, schema);
    if (entry == NULL)
        return NULL;
    schema_table_insert(&registry->schemas, entry);
    set_pending(registry, entry);
    return entry;
}

/* The one place where an entry leaves PENDING: with a schema, or with `failure` set. */
static void settle(struct registry *registry, struct registry_entry *entry,
                   enum registry_answer answer, char *schema)
{
    struct registry_entry **link = &registry->pending;
    while (*link != entry)
        link = &(*link)->next_pending;
    *link = entry->next_pending;
    registry->in_flight -= registry_entry_drop_documents(entry);
    entry->schema = schema;
    entry->answer = answer;
}

/* --- requests -------------------------------------------------------------------------- */

/* The registry is not as it should be: said once, then calmly; this entry asks again later. */
static void retry_later(struct registry_entry *entry, const char *why)
{
    struct registry *registry = entry->registry;
    int64_t now_ms = clock_mono_ms();
    char id[SCHEMA_REF_TEXT_MAX];
    entry->tried = 0;
    if (registry->failing.since_ms == 0)
        registry->failing.since_ms = now_ms;
    printable(why, registry->failing.reason, sizeof registry->failing.reason);
    log_limited(
        &registry->trouble, now_ms, TROUBLE_EVERY_MS, "schema registry trouble",
        (struct log_field[]){LOG_S("reason", why),
                             LOG_S("id", schema_ref_text(&entry->ref, id)),
                             LOG_S("hint", "nothing is parked for this, the partitions that "
                                           "need the schema wait: elementor-sync check "
                                           "finds what is wrong with registry.*"),
                             {0}});
    if (entry->due_ms > now_ms)
        return; /* several of its documents failed at once: that is one trouble */
    entry->due_ms = now_ms + entry->retry_ms;
    entry->retry_ms = entry->retry_ms * 2 < RETRY_MAX_MS ? entry->retry_ms * 2 : RETRY_MAX_MS;
}

static void answers_again(struct registry *registry)
{
    registry->failing.since_ms = 0;
    log_recovered(&registry->trouble, "schema registry answers again", (struct log_field[]){{0}});
}

const struct registry_trouble *registry_trouble(const struct registry *registry)
{
    return registry->failing.since_ms != 0 ? &registry->failing : NULL;
}

/* An address is in trouble: the next one is asked at once, and none of them again before a wait.
 * Several documents may fail at the same one. */
static void try_elsewhere(struct registry_document *document, const char *why)
{
    struct registry_entry *entry = document->entry;
    struct registry *registry = entry->registry;
    addresses_fail(&registry->addresses, document->address, why, clock_mono_ms());
    entry->tried |= 1u << document->address;
    if (entry->tried == (1u << registry->addresses.count) - 1)
        retry_later(entry, why);
}

static bool render_url(const struct registry_document *document, struct buf *url, struct error *err)
{
    struct slice base = document->entry->registry->addresses.list[document->address];
    if (document->subject == NULL)
        return schema_url(base, &document->entry->ref, document->resolved, url, err);
    schema_url_of_subject(base, document->subject, document->version, url);
    return true;
}

static void on_answer(void *context, const struct http_result *result);

static bool start(struct registry *registry, struct registry_document *document)
{
    struct error err = {0};
    struct buf url;
    buf_init(&url, URL_MAX);
    document->address = addresses_next(&registry->addresses, document->entry->tried);
    bool rendered = render_url(document, &url, &err);
    if (rendered && buf_ok(&url))
        document->request = http_start(registry->http, &registry->way.endpoint, "GET",
                                       buf_text(&url), (const char *const *)registry->way.headers,
                                       NULL, 0, on_answer, document, &err);
    else
        error_set(&err, ERROR_FAILED, "the name of a referenced subject is too long");
    buf_done(&url);
    if (document->request == NULL) {
        retry_later(document->entry, err.text);
        return false;
    }
    registry->in_flight++;
    return true;
}

static void start_documents(struct registry *registry, struct registry_entry *entry)
{
    for (struct registry_document *d = entry->documents; d != NULL; d = d->next) {
        if (registry->in_flight >= REGISTRY_IN_FLIGHT_MAX)
            return;
        if (d->reply.schema == NULL && d->request == NULL && !start(registry, d))
            return;
    }
}

static void start_due(struct registry *registry, int64_t now_ms)
{
    for (struct registry_entry *entry = registry->pending; entry != NULL;
         entry = entry->next_pending)
        if (entry->due_ms <= now_ms)
            start_documents(registry, entry);
}

/* --- answers --------------------------------------------------------------------------- */

/* A document without memory is asked for again: dropping the text makes it due. */
static void ask_again(struct registry_document *document, const struct error *why)
{
    schema_reply_done(&document->reply);
    retry_later(document->entry, why->text);
}

/* Apicurio keeps subjects in groups, and a subject without one is looked for in the group
 * "default": another shop's schema of that name may lie there. */
static bool may_follow(const struct registry *registry, size_t address)
{
    if (!schema_url_is_apicurio(registry->addresses.list[address]))
        return true;
    for (size_t i = 0; registry->way.headers[i] != NULL; i++)
        if (has_prefix_any_case(registry->way.headers[i], GROUP_HEADER ":"))
            return true;
    return false;
}

/* The references of the schema itself are followed only where the registry does not resolve them:
 * its own resolution uses their group. */
static bool take_references(struct registry_document *document, struct error *err)
{
    struct registry_entry *entry = document->entry;
    size_t address = document->address;
    if (document->resolved) {
        if (registry_entry_take_resolved(document))
            return true;
        if (!may_follow(entry->registry, address))
            return error_set(err, ERROR_UNREACHABLE,
                             "the schema refers to others and the registry does not resolve them: "
                             "set registry.headers." GROUP_HEADER " to the group they lie in");
        return registry_entry_follow(entry->documents, err);
    }
    if (document->subject == NULL && document->reply.reference_count > 0)
        return registry_entry_resolve(entry, err);
    return registry_entry_follow(document, err);
}

/* Puts the schema together once all of it is there. */
static void complete(struct registry_entry *entry)
{
    char *schema;
    if (!registry_entry_complete(entry))
        return;
    schema = registry_entry_inline(entry, &entry->failure);
    if (schema != NULL || entry->failure.code != ERROR_NO_MEMORY) {
        settle(entry->registry, entry, schema != NULL ? REGISTRY_HAVE : REGISTRY_FAILED, schema);
        return;
    }
    ask_again(entry->documents, &entry->failure);
    entry->failure = (struct error){0};
}

static void take_schema(struct registry_document *document, struct schema_reply *reply)
{
    struct registry_entry *entry = document->entry;
    struct registry_document *root = entry->documents;
    registry_entry_take(document, reply);
    if (take_references(document, &entry->failure)) {
        complete(entry);
    } else if (entry->failure.code == ERROR_UNDECODABLE) {
        settle(entry->registry, entry, REGISTRY_FAILED, NULL);
    } else {
        ask_again(root, &entry->failure);
        entry->failure = (struct error){0};
    }
}

/* A missing reference proves nothing about the record: the schema that refers to it is there. */
static void miss_reference(const struct registry_document *document)
{
    struct error why = {0};
    error_set(&why, ERROR_UNREACHABLE,
              "the registry does not know subject %.200s, version %" PRId64
              ", which the schema refers to",
              document->subject, document->version);
    retry_later(document->entry, why.text);
}

/* A registry that was just restored, or lags behind its leader, may not know an id for a moment.
 * So it is believed only when it answers so again, later. */
static void take_missing(struct registry_document *document, const struct error *why)
{
    struct registry_entry *entry = document->entry;
    struct registry *registry = entry->registry;
    int64_t now_ms = clock_mono_ms();
    if (document->subject != NULL) {
        miss_reference(document);
        return;
    }
    if (document->missed_ms < 0) {
        document->missed_ms = now_ms;
        char id[SCHEMA_REF_TEXT_MAX];
        log_warn("schema unknown", LOG_S("id", schema_ref_text(&entry->ref, id)),
                 LOG_S("reason", why->text),
                 LOG_I("asked_again_in_ms", registry->miss_interval_ms));
    }
    if (now_ms - document->missed_ms < registry->miss_interval_ms) {
        entry->due_ms = document->missed_ms + registry->miss_interval_ms;
        return;
    }
    entry->missed_ms = now_ms;
    entry->failure = *why;
    settle(registry, entry, REGISTRY_MISSING, NULL);
}

/* A registry that does not know the resolved form answers with an error of its own. */
static bool is_not_offered(const struct registry_document *document,
                           const struct http_result *result)
{
    return document->resolved &&
           (result->status == 400 || result->status == 404 || result->status == 406 ||
            result->status == 422 || result->status == 500 || result->status == 501);
}

static void take_answer(struct registry_document *document, const struct http_result *result)
{
    struct registry_entry *entry = document->entry;
    struct schema_reply reply = {0};
    struct error why = {0};
    if (is_not_offered(document, result)) {
        take_schema(document, &reply);
        return;
    }
    enum schema_reply_kind kind =
        schema_reply_read((enum schema_ref_kind)entry->ref.kind, result->status, result->body,
                          result->body_len, &reply, &why);
    if (kind == SCHEMA_REPLY_TROUBLE) {
        try_elsewhere(document, why.text);
        return;
    }
    entry->tried = 0;
    if (kind != SCHEMA_REPLY_MISSING || document->subject == NULL)
        answers_again(entry->registry);
    if (kind == SCHEMA_REPLY_SCHEMA) {
        take_schema(document, &reply);
    } else if (kind == SCHEMA_REPLY_MISSING) {
        take_missing(document, &why);
    } else {
        entry->failure = why;
        settle(entry->registry, entry, REGISTRY_FAILED, NULL);
    }
    schema_reply_done(&reply);
}

static void on_answer(void *context, const struct http_result *result)
{
    struct registry_document *document = context;
    struct registry_entry *entry = document->entry; /* settling frees the document */
    struct registry *registry = entry->registry;
    document->request = NULL;
    registry->in_flight--;
    if (result->status == 0)
        try_elsewhere(document, result->failure);
    else if (result->body_cut)
        retry_later(entry, "the registry's answer is larger than 4 MiB");
    else
        take_answer(document, result);
    start_due(registry, clock_mono_ms());
    if (entry->answer != REGISTRY_PENDING)
        registry->changed(registry->context);
}

/* --- the interface --------------------------------------------------------------------- */

/* An id that the registry did not know may have been registered since. */
static void ask_if_stale(struct registry *registry, struct registry_entry *entry)
{
    if (entry->answer == REGISTRY_MISSING &&
        clock_mono_ms() - entry->missed_ms >= registry->miss_interval_ms &&
        registry_entry_ask(entry))
        set_pending(registry, entry);
}

/* A global id of another registry than Apicurio: no answer of its could be right. */
static bool can_ask(const struct registry *registry, const struct schema_ref *schema,
                    struct error *err)
{
    struct buf ignored;
    buf_init(&ignored, URL_MAX);
    bool can = schema_url(addresses_now(&registry->addresses), schema, false, &ignored, err);
    buf_done(&ignored);
    return can;
}

enum registry_answer registry_get(struct registry *registry, const struct schema_ref *schema,
                                  const char **ret_schema, struct error *err)
{
    char id[SCHEMA_REF_TEXT_MAX];
    struct registry_entry *entry = schema_table_find(&registry->schemas, schema);
    if (entry == NULL && !can_ask(registry, schema, err))
        return REGISTRY_FAILED;
    if (entry == NULL && (entry = add(registry, schema)) == NULL)
        return REGISTRY_PENDING;
    ask_if_stale(registry, entry);
    if (entry->answer == REGISTRY_HAVE)
        *ret_schema = entry->schema;
    else if (entry->answer != REGISTRY_PENDING)
        error_set(err, entry->failure.code, "schema %s: %s", schema_ref_text(schema, id),
                  entry->failure.text);
    else if (entry->due_ms == 0)
        start_documents(registry, entry);
    return entry->answer;
}

void registry_forget(struct registry *registry, const struct schema_ref *schema)
{
    struct registry_entry *entry = schema_table_find(&registry->schemas, schema);
    if (entry != NULL && entry->answer != REGISTRY_PENDING)
        schema_table_remove(&registry->schemas, entry);
}

int64_t registry_turn(struct registry *registry, int64_t now_ms)
{
    int64_t next_ms = -1;
    int in_flight = registry->in_flight;
    start_due(registry, now_ms);
    if (registry->in_flight > in_flight)
        return 0;
    for (const struct registry_entry *entry = registry->pending; entry != NULL;
         entry = entry->next_pending) {
        int64_t left = entry->due_ms - now_ms;
        if (left > 0 && (next_ms < 0 || left < next_ms))
            next_ms = left;
    }
    return next_ms;
}
