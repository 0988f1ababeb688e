#include "kafka/group/group_assignment.h"

/* version int16, then an array of {topic string, partitions array of int32}, then user data, which
 * is the assignor's own. All big-endian; lengths of strings are int16, of arrays int32. */
struct bytes {
    const uint8_t *data;
    size_t left;
    bool ok;
};

static uint32_t take_number(struct bytes *b, size_t size)
{
    uint32_t number = 0;
    b->ok = b->ok && b->left >= size;
    for (size_t i = 0; b->ok && i < size; i++)
        number = number << 8 | b->data[i];
    if (b->ok) {
        b->data += size;
        b->left -= size;
    }
    return number;
}

static struct slice take_text(struct bytes *b)
{
    size_t len = take_number(b, 2);
    b->ok = b->ok && len <= b->left; /* a negative length is a large one */
    const struct slice text = {b->ok ? (const char *)b->data : "", b->ok ? len : 0};
    if (b->ok) {
        b->data += len;
        b->left -= len;
    }
    return text;
}

bool group_assignment_read(const void *bytes, size_t size, group_assigned *take, void *context)
{
    struct bytes b = {bytes, size, bytes != NULL};
    (void)take_number(&b, 2);
    for (uint32_t topics = take_number(&b, 4); b.ok && topics > 0; topics--) {
        const struct slice topic = take_text(&b);
        for (uint32_t count = take_number(&b, 4); b.ok && count > 0; count--) {
            int32_t partition = (int32_t)take_number(&b, 4);
            if (b.ok)
                take(context, topic, partition);
        }
    }
    return b.ok;
}
