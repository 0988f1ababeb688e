#include "registry/schema_url.h"

#include <inttypes.h>
#include <string.h>

#define CCOMPAT "/apis/ccompat"
#define OWN_API "/apis/registry/v2" /* Apicurio 3 answers it too */

static size_t apicurio_root(struct slice base)
{
    const char *at = memmem(base.data, base.len, CCOMPAT, strlen(CCOMPAT));
    return at != NULL ? (size_t)(at - base.data) : SIZE_MAX;
}

bool schema_url_is_apicurio(struct slice base)
{
    return apicurio_root(base) != SIZE_MAX;
}

static bool add_global(struct slice base, int64_t id, struct buf *url, struct error *err)
{
    size_t root = apicurio_root(base);
    if (root == SIZE_MAX)
        return error_set(err, ERROR_CONFIG,
                         "a global id is Apicurio's, and registry.url is not Apicurio's: write its "
                         "address with the path " CCOMPAT "/v7");
    buf_add(url, base.data, root);
    buf_addf(url, OWN_API "/ids/globalIds/%" PRId64 "?dereference=true", id);
    return true;
}

bool schema_url(struct slice base, const struct schema_ref *schema, bool resolved, struct buf *url,
                struct error *err)
{
    char text[SCHEMA_REF_TEXT_MAX];
    if (schema->kind == SCHEMA_REF_GLOBAL)
        return add_global(base, schema->number, url, err);
    buf_add(url, base.data, base.len);
    buf_add_text(url, schema->kind == SCHEMA_REF_GUID ? "/schemas/guids/" : "/schemas/ids/");
    buf_add_text(url, schema_ref_text(schema, text));
    if (resolved)
        buf_add_text(url, "?format=resolved&dereference=true");
    return true;
}

/* Subjects may hold anything ("orders/value", ":.ctx:orders"). */
void schema_url_of_subject(struct slice base, const char *subject, int64_t version, struct buf *url)
{
    buf_add(url, base.data, base.len);
    buf_add_text(url, "/subjects/");
    buf_add_escaped(url, subject);
    buf_addf(url, "/versions/%" PRId64, version);
}
