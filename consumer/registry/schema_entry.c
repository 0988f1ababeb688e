#include "registry/schema_entry.h"

#include "registry/references.h"

#include <stdlib.h>
#include <string.h>

static void free_document(struct registry_document *document)
{
    schema_reply_done(&document->reply);
    free(document->subject);
    free(document);
}

static struct registry_document *add_document(struct registry_entry *entry, const char *subject,
                                              int64_t version, int depth)
{
    struct registry_document *document = calloc(1, sizeof *document);
    if (document == NULL)
        return NULL;
    if (subject != NULL && (document->subject = strdup(subject)) == NULL) {
        free(document);
        return NULL;
    }
    document->entry = entry;
    document->version = version;
    document->depth = depth;
    document->missed_ms = -1;
    struct registry_document **end = &entry->documents;
    while (*end != NULL)
        end = &(*end)->next;
    *end = document;
    entry->document_count++;
    return document;
}

struct registry_entry *registry_entry_new(struct registry *registry,
                                          const struct schema_ref *schema)
{
    struct registry_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->registry = registry;
    entry->ref = *schema;
    entry->answer = REGISTRY_PENDING;
    entry->missed_ms = -1;
    if (registry_entry_ask(entry))
        return entry;
    registry_entry_free(entry);
    return NULL;
}

bool registry_entry_ask(struct registry_entry *entry)
{
    struct registry_document *document = add_document(entry, NULL, 0, 0);
    if (document == NULL)
        return false;
    document->missed_ms = entry->missed_ms;
    entry->failure = (struct error){0};
    return true;
}

void registry_entry_free(struct registry_entry *entry)
{
    if (entry == NULL)
        return;
    registry_entry_drop_documents(entry);
    free(entry->schema);
    free(entry);
}

int registry_entry_drop_documents(struct registry_entry *entry)
{
    int ended = 0;
    while (entry->documents != NULL) {
        struct registry_document *document = entry->documents;
        entry->documents = document->next;
        if (document->request != NULL) {
            http_cancel(document->request);
            ended++;
        }
        free_document(document);
    }
    entry->document_count = 0;
    return ended;
}

static bool has_document(const struct registry_entry *entry, const struct schema_reference *wanted)
{
    for (const struct registry_document *d = entry->documents; d != NULL; d = d->next)
        if (d->subject != NULL && d->version == wanted->version &&
            strcmp(d->subject, wanted->subject) == 0)
            return true;
    return false;
}

void registry_entry_take(struct registry_document *document, struct schema_reply *reply)
{
    schema_reply_done(&document->reply);
    document->reply = *reply;
    *reply = (struct schema_reply){0};
}

bool registry_entry_follow(struct registry_document *document, struct error *err)
{
    struct registry_entry *entry = document->entry;
    for (size_t i = 0; i < document->reply.reference_count; i++) {
        const struct schema_reference *reference = &document->reply.references[i];
        if (has_document(entry, reference))
            continue; /* two refer to it, or a cycle */
        if (document->depth == REFERENCE_DEPTH || entry->document_count == DOCUMENTS_PER_SCHEMA)
            return error_set(err, ERROR_UNDECODABLE,
                             "the schema refers to more than %d others, or more than %d deep",
                             DOCUMENTS_PER_SCHEMA - 1, REFERENCE_DEPTH);
        if (add_document(entry, reference->subject, reference->version, document->depth + 1) ==
            NULL)
            return error_no_memory(err);
    }
    return true;
}

bool registry_entry_resolve(struct registry_entry *entry, struct error *err)
{
    struct registry_document *document = add_document(entry, NULL, 0, 0);
    if (document == NULL)
        return error_no_memory(err);
    document->resolved = true;
    return true;
}

static void take_out(struct registry_document *document)
{
    struct registry_document **link = &document->entry->documents;
    while (*link != document)
        link = &(*link)->next;
    *link = document->next;
    document->entry->document_count--;
    free_document(document);
}

bool registry_entry_take_resolved(struct registry_document *document)
{
    struct registry_document *root = document->entry->documents;
    bool resolved =
        document->reply.schema != NULL && strcmp(document->reply.schema, root->reply.schema) != 0;
    if (resolved) {
        free(root->reply.schema);
        root->reply.schema = document->reply.schema;
        document->reply.schema = NULL;
    }
    take_out(document);
    return resolved;
}

bool registry_entry_complete(const struct registry_entry *entry)
{
    for (const struct registry_document *d = entry->documents; d != NULL; d = d->next)
        if (d->reply.schema == NULL)
            return false;
    return true;
}

char *registry_entry_inline(const struct registry_entry *entry, struct error *err)
{
    const struct registry_document *root = entry->documents;
    if (root->next == NULL) { /* no references: the registry's own text, byte for byte */
        char *schema = strdup(root->reply.schema);
        if (schema == NULL)
            error_no_memory(err);
        return schema;
    }
    const char *referenced[DOCUMENTS_PER_SCHEMA];
    size_t count = 0;
    for (const struct registry_document *d = root->next; d != NULL; d = d->next)
        referenced[count++] = d->reply.schema;
    return schema_refs_inline(root->reply.schema, referenced, count, err);
}
