#include "config/load/expand.h"

#include "base/buf.h"
#include "base/slice.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 128, EXPANDED_MAX = 1024 * 1024 };

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

const char *config_look_up_variable(const void *environment, const char *name)
{
    for (char *const *e = environment; *e != NULL; e++) {
        const char *rest = after_prefix(*e, name);
        if (rest != NULL && *rest == '=')
            return rest[1] != '\0' ? rest + 1 : NULL;
    }
    return NULL;
}

/* Adds the value of the reference that begins at text with "${"; returns the text behind its "}".
 * NULL with err when it is malformed, or its variable is not set. */
static const char *add_reference(struct buf *b, const char *text, config_look_up *look_up,
                                 const void *context, struct error *err)
{
    char name[NAME_MAX_BYTES];
    text += 2;
    size_t len = strspn(text, NAME_CHARACTERS);
    const char *fallback = after_prefix(text + len, ":-");
    const char *end = fallback != NULL ? strchr(fallback, '}') : text + len;
    if (len == 0 || len >= sizeof name || (*text >= '0' && *text <= '9') || end == NULL ||
        *end != '}') {
        error_set(
            err, ERROR_CONFIG,
            "\"${\" does not begin a variable here; write ${NAME} or ${NAME:-default}, and $${ for "
            "the two characters themselves");
        return NULL;
    }
    memcpy(name, text, len);
    name[len] = '\0';
    const char *value = look_up(context, name);
    if (value != NULL)
        buf_add_text(b, value);
    else if (fallback != NULL)
        buf_add(b, fallback, (size_t)(end - fallback));
    else {
        error_set(err, ERROR_CONFIG, "${%s} is not set in the environment", name);
        return NULL;
    }
    return end + 1;
}

char *config_expand(const char *text, config_look_up *look_up, const void *context,
                    struct error *err)
{
    struct buf b;
    buf_init(&b, EXPANDED_MAX);
    while (text != NULL && *text != '\0') {
        if (has_prefix(text, "$${")) {
            buf_add_text(&b, "${");
            text += 3;
        } else if (has_prefix(text, "${")) {
            text = add_reference(&b, text, look_up, context, err);
        } else {
            buf_add_char(&b, *text++);
        }
    }
    size_t len;
    char *expanded = text != NULL ? buf_take(&b, &len) : NULL;
    if (text != NULL && expanded == NULL)
        error_set(err, ERROR_CONFIG, "is too long once its variables are filled in");
    buf_done(&b);
    return expanded;
}
