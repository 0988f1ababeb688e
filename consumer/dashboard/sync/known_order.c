#include "dashboard/sync/known_order.h"

#include "dashboard/api/api.h"
#include "topics/owner.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- the right to see it ---- */

static bool may_see(const struct api *api, const struct caller *caller,
                    const struct order_facts *facts)
{
    return caller->right == AUTH_OPERATOR || api->config->auth_owner_column == NULL ||
           owner_is(api->config, slice_of(caller->subject), facts->owner);
}

bool known_order_facts(const struct api *api, const struct caller *caller, const char *key,
                       struct order_facts *ret)
{
    return view_facts(api->view, key, ret) && may_see(api, caller, ret);
}

/* ---- ids ---- */

static bool is_uuid(const char *text, size_t len)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (len != sizeof form - 1)
        return false;
    for (size_t i = 0; i < len; i++)
        if (form[i] == '-' ? text[i] != '-' : isxdigit((unsigned char)text[i]) == 0)
            return false;
    return true;
}

char *known_order_key(const struct api *api, const struct caller *caller, const char *name)
{
    static const char blanks[] = " \t\r\n";
    struct order_facts facts;
    if (known_order_facts(api, caller, name, &facts))
        return strdup(name);
    const char *start = name + strspn(name, blanks);
    size_t len = strlen(start);
    while (len > 0 && strchr(blanks, start[len - 1]) != NULL)
        len--;
    char *key = len > 0 ? strndup(start, len) : strdup(name);
    for (char *c = key; key != NULL && is_uuid(start, len) && *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return key;
}

/* ---- numbers ---- */

struct numbered {
    const struct api *api;
    const struct caller *caller;
    size_t count; /* of those that the caller may see */
    char *key;    /* the first of them */
};

static void take(void *context, const char *key)
{
    struct numbered *n = context;
    struct order_facts facts;
    if (!known_order_facts(n->api, n->caller, key, &facts))
        return;
    if (n->count++ == 0)
        n->key = strdup(key);
}

bool known_order_has_numbers(const struct api *api, const struct caller *caller)
{
    return caller->right == AUTH_OPERATOR || api->config->auth_owner_column != NULL;
}

enum known_number known_order_number(const struct api *api, const struct caller *caller,
                                     const char *number, char **ret_key)
{
    struct numbered n = {.api = api, .caller = caller};
    if (!known_order_has_numbers(api, caller))
        return NUMBER_NONE;
    view_number_each(api->view, number, take, &n);
    if (n.count == 1 && n.key != NULL) {
        *ret_key = n.key;
        return NUMBER_ONE;
    }
    free(n.key);
    return n.count > 1 ? NUMBER_SEVERAL : NUMBER_NONE;
}
