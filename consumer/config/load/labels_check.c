#include "config/load/labels_check.h"

#include <string.h>

enum { FORM_ID = FIELD_COUNT, FORM_NAME, NAMES };

static char as_php(char c)
{
    return c == ' ' || c == '.' || c == '[' ? '_' : c;
}

/* PHP writes "_" in place of characters that its variables' names cannot hold, and drops leading
 * blanks. */
static bool is_same_in_php(const char *a, const char *b)
{
    a += strspn(a, " ");
    b += strspn(b, " ");
    while (*a != '\0' && as_php(*a) == as_php(*b))
        a++, b++;
    return *a == *b;
}

bool labels_check(const struct config *config, struct error *err)
{
    const char *names[NAMES] = {[FORM_ID] = "form_id", [FORM_NAME] = "form_name"};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        names[f] =
            config->payload_label[f] != NULL ? config->payload_label[f] : payload_field_names[f];
    for (size_t f = 0; f < FIELD_COUNT; f++)
        for (size_t other = f + 1; other < NAMES; other++)
            if (is_same_in_php(names[f], names[other]))
                return error_set(err, ERROR_CONFIG,
                                 "payload.labels.%s: \"%s\" reaches a receiver in PHP under the "
                                 "name that \"%s\" has too; use another label",
                                 payload_field_names[f], names[f], names[other]);
    return true;
}
