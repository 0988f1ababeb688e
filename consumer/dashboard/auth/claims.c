#include "dashboard/auth/claims.h"

#include "base/slice.h"

#include <string.h>

/* The first name of the path; *path becomes what follows its dot, NULL: nothing does. A name with
 * data NULL is malformed. */
static struct slice next_name(const char **path)
{
    const char *start = *path, *end;
    if (*start == '"') {
        end = strchr(++start, '"');
        if (end == NULL || (end[1] != '\0' && end[1] != '.') || end == start)
            return (struct slice){0};
        *path = end[1] == '.' ? end + 2 : NULL;
        return (struct slice){start, (size_t)(end - start)};
    }
    size_t len = strcspn(start, ".\"");
    const char *scheme = strstr(start, "://");
    if (scheme != NULL && scheme < start + len)
        len = strlen(start);
    end = start + len;
    if (len == 0 || *end == '"')
        return (struct slice){0};
    *path = *end == '.' ? end + 1 : NULL;
    return (struct slice){start, len};
}

bool claims_check_path(const char *path, struct error *err)
{
    while (path != NULL)
        if (next_name(&path).data == NULL)
            return error_set(err, ERROR_CONFIG,
                             "a path of claims is names with dots between, such as "
                             "app_metadata.role; a name may stand in quotes, and none is empty");
    return true;
}

bool claims_check_option(const char *path, struct error *err)
{
    struct error why = {0};
    return path == NULL || claims_check_path(path, &why) ||
           error_set(err, why.code, "auth.operator_claim: %s", why.text);
}

const json_t *claims_find(const json_t *claims, const char *path)
{
    const json_t *value = claims;
    while (value != NULL && path != NULL) {
        struct slice name = next_name(&path);
        value = name.data != NULL ? json_object_getn(value, name.data, name.len) : NULL;
        if (name.data == NULL)
            break;
    }
    return value;
}

void claims_put(json_t *claims, const char *path, json_t *value)
{
    json_t *at = claims;
    struct slice name = next_name(&path);
    for (; path != NULL && name.data != NULL; name = next_name(&path)) {
        json_t *inner = json_object();
        json_object_setn_new(at, name.data, name.len, inner);
        at = inner;
    }
    if (name.data != NULL)
        json_object_setn_new(at, name.data, name.len, value);
    else
        json_decref(value);
}
