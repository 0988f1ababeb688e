/* schema_entry: one schema as far as it is known, and the documents it is put together from. For
 * registry.c alone; does no I/O.
 *
 *   entry 7 ─▶ document (schemas/ids/7) ─▶ document (schemas/ids/7, resolved)
 *                                          else document (subjects/address/versions/2) ─▶ …
 *
 * A document is one answer of the registry: the schema of the id itself, the same with all that it
 * refers to, or a referenced one. */
#ifndef REGISTRY_SCHEMA_ENTRY_H
#define REGISTRY_SCHEMA_ENTRY_H

#include "registry/registry.h"
#include "registry/registry_reply.h"

enum { DOCUMENTS_PER_SCHEMA = 64, REFERENCE_DEPTH = 16 };

struct registry_document {
    struct registry_entry *entry;
    struct registry_document *next;
    char *subject; /* NULL: the document of the id itself */
    bool resolved; /* the id's, with the definitions of what it refers to */
    int64_t version;
    int depth;                    /* references followed from the id to here */
    struct http_request *request; /* in flight */
    size_t address;               /* which of the registry's it was sent to */
    struct schema_reply reply;    /* reply.schema: NULL until it has been answered */
    int64_t missed_ms;            /* when the registry first said that it has none; -1: never */
};

struct registry_entry {
    struct registry *registry;
    struct registry_entry *next_in_bucket, *next_pending;
    struct schema_ref ref;
    enum registry_answer answer;
    char *schema;         /* HAVE */
    struct error failure; /* MISSING, FAILED */
    int64_t missed_ms;    /* MISSING: when the registry last said so; else -1 */
    struct registry_document *documents;
    int document_count;
    int64_t due_ms, retry_ms; /* PENDING: when to ask again, and the delay after the next trouble */
    unsigned tried;           /* addresses in trouble since it last waited: a bit each */
};

/* An entry that is PENDING, with its first document; NULL without memory. */
struct registry_entry *registry_entry_new(struct registry *registry,
                                          const struct schema_ref *schema);

/* Gives an entry without documents its first one, which remembers an earlier miss. */
bool registry_entry_ask(struct registry_entry *entry) must_check;
void registry_entry_free(struct registry_entry *entry); /* accepts NULL */

/* Moves the answer in. */
void registry_entry_take(struct registry_document *document, struct schema_reply *reply);

/* Adds the documents that a document refers to, each once. */
bool registry_entry_follow(struct registry_document *document, struct error *err) must_check;

/* Adds the request for the id's schema in its resolved form. */
bool registry_entry_resolve(struct registry_entry *entry, struct error *err) must_check;

/* The registry resolved the schema, rather than repeat it: then the resolved one is the
 * id's. Takes that document out, whichever it is. */
bool registry_entry_take_resolved(struct registry_document *document);

/* All documents have been answered. */
bool registry_entry_complete(const struct registry_entry *entry);

/* Puts the documents together; malloced, NULL when they do not fit. */
char *registry_entry_inline(const struct registry_entry *entry, struct error *err);

/* Ends the requests in flight, frees the documents; returns how many requests that were. */
int registry_entry_drop_documents(struct registry_entry *entry);

#endif
