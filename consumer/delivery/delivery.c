#include "delivery/delivery.h"

#include <stdlib.h>
#include <string.h>

struct delivery *delivery_new(const struct slice texts[DELIVERY_TEXT_COUNT])
{
    size_t size = sizeof(struct delivery);
    for (size_t i = 0; i < DELIVERY_TEXT_COUNT; i++)
        size += texts[i].len;
    struct delivery *d = malloc(size);
    if (d == NULL)
        return NULL;
    memset(d, 0, sizeof *d);
    char *at = d->bytes;
    for (size_t i = 0; i < DELIVERY_TEXT_COUNT; i++) {
        d->text[i] = (struct slice){texts[i].data != NULL ? at : NULL, texts[i].len};
        if (texts[i].len > 0)
            memcpy(at, texts[i].data, texts[i].len);
        at += texts[i].len;
    }
    d->size = size;
    d->source = "cdc";
    d->class = "";
    d->detail = d->text[TEXT_DETAIL].data != NULL ? d->text[TEXT_DETAIL].data : "";
    d->first_attempt_ms = d->last_attempt_ms = d->timestamp_ms = d->lsn = d->event_ms = -1;
    return d;
}
