#include "demo/parts/schemas.h"

#include "base/slice.h"
#include "demo/parts/debezium.h"

#include <jansson.h>
#include <stdlib.h>

static const char prefix[] = "/schemas/ids/";

/* The answer as text, freed by the caller; NULL: not found. */
static char *find(const char *path)
{
    const char *id = after_prefix(path, prefix);
    if (id == NULL)
        return NULL;
    const char *schema = debezium_schema(atoi(id));
    json_t *answer = schema != NULL ? json_pack("{s:s}", "schema", schema) : NULL;
    char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
    json_decref(answer);
    return text;
}

static void answer(void *context, struct web_request *x)
{
    char *text = find(web_request_path(x));
    const char *body =
        text != NULL ? text : "{\"error_code\":40403,\"message\":\"Schema not found\"}";
    (void)context;
    web_request_reply(x, text != NULL ? 200 : 404, "application/vnd.schemaregistry.v1+json",
                      slice_of(body));
    free(text);
}

struct web *schemas_new(struct loop *loop, struct error *err)
{
    const struct web_callbacks callbacks = {answer, NULL, NULL};
    return web_new(loop, "127.0.0.1:0", "the demo's registry", &web_limits_default, &callbacks,
                   err);
}
