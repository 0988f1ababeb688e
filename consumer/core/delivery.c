#include "core/delivery.h"

#include "core/hash.h"

#include <stdlib.h>
#include <string.h>

struct delivery *delivery_new(const char *order_id, size_t order_id_len, const char *body,
                              size_t body_len)
{
    size_t size = sizeof(struct delivery) + order_id_len + body_len;
    struct delivery *d = malloc(size);
    if (d == NULL)
        return NULL;
    memset(d, 0, sizeof *d);
    d->size = size;
    memcpy(d->bytes, order_id, order_id_len);
    memcpy(d->bytes + order_id_len, body, body_len);
    d->order_id = d->bytes;
    d->order_id_len = order_id_len;
    d->order_hash = hash_bytes(order_id, order_id_len, 0);
    d->body = d->bytes + order_id_len;
    d->body_len = body_len;
    return d;
}
