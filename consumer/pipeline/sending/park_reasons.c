#include "pipeline/sending/park_reasons.h"

#include <stdio.h>
#include <string.h>

void park_reasons_note(struct park_reasons *r, const char *reason)
{
    size_t i = 0;
    while (i < r->count && i < PARK_REASONS_MAX && strcmp(r->list[i].text, reason) != 0)
        i++;
    if (i == r->count)
        r->count++;
    struct park_reason *found = &r->list[i];
    if (found->count++ == 0)
        snprintf(found->text, sizeof found->text, "%s", i < PARK_REASONS_MAX ? reason : "other");
}
