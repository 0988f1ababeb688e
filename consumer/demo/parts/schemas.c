#include "demo/parts/schemas.h"

#include "demo/parts/debezium.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "/schemas/ids/";

/* The answer as text, freed by the caller; NULL: there is no such schema. */
static char *find(const char *path)
{
    if (strncmp(path, prefix, sizeof prefix - 1) != 0)
        return NULL;
    const char *schema = debezium_schema(atoi(path + sizeof prefix - 1));
    json_t *answer = schema != NULL ? json_pack("{s:s}", "schema", schema) : NULL;
    char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
    json_decref(answer);
    return text;
}

static enum MHD_Result answer(void *context, struct listener_request *request)
{
    char *text = find(request->path);
    (void)context;
    enum MHD_Result result = listener_reply(
        request, text != NULL ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND,
        text != NULL ? text : "{\"error_code\":40403,\"message\":\"Schema not found\"}",
        "Content-Type", "application/vnd.schemaregistry.v1+json");
    free(text);
    return result;
}

struct listener *schemas_new(struct loop *loop, struct error *err)
{
    return listener_new(loop, &(struct listener_events){NULL, answer, NULL}, err);
}
