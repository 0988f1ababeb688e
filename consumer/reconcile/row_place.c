#include "reconcile/row_place.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT = 24 };

static int32_t partition_of(const struct row_place *p, const void *key, size_t len)
{
    return rd_kafka_msg_partitioner_murmur2(NULL, key, len, p->partitions, NULL, NULL);
}

/* Avro's long; how many bytes, 0: none. */
static size_t read_long(const unsigned char *bytes, size_t len, int64_t *ret)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < len && i < 10; i++) {
        bits |= (uint64_t)(bytes[i] & 0x7f) << (7 * i);
        if ((bytes[i] & 0x80) != 0)
            continue;
        *ret = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
        return i + 1;
    }
    return 0;
}

static void add_long(struct buf *b, int64_t number)
{
    uint64_t bits = ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0);
    for (; bits >= 0x80; bits >>= 7)
        buf_add_char(b, (char)(unsigned char)(bits | 0x80));
    buf_add_char(b, (char)bits);
}

/* The key with so many bytes before the Avro: as a text, else as a number. */
static bool take_form(struct row_place *p, struct slice key, size_t lead)
{
    const unsigned char *bytes = (const unsigned char *)key.data;
    int64_t number;
    if (key.len <= lead || (lead > 0 && bytes[0] != 0))
        return false;
    size_t len = read_long(bytes + lead, key.len - lead, &number);
    if (len == 0)
        return false;
    if (number > 0 && (uint64_t)number == key.len - lead - len)
        p->form = ROW_KEY_TEXT;
    else if (len == key.len - lead)
        p->form = ROW_KEY_NUMBER;
    else
        return false;
    memcpy(p->lead, bytes, lead);
    p->lead_len = lead;
    return true;
}

static bool is_same(const struct row_place *a, const struct row_place *b)
{
    return a->form == b->form && a->lead_len == b->lead_len;
}

void row_place_learn(struct row_place *p, struct slice key, int32_t partition)
{
    static const size_t leads[] = {5, 9, 0};
    struct row_place found = {.partitions = p->partitions};
    bool known = false;
    if (p->form == ROW_KEY_OTHER || key.len == 0)
        return;
    for (size_t i = 0; i < sizeof leads / sizeof *leads && !known; i++)
        known = take_form(&found, key, leads[i]);
    known = known && (p->form == ROW_KEY_UNKNOWN || is_same(p, &found)) &&
            partition_of(p, key.data, key.len) == partition;
    if (known)
        *p = found;
    else
        p->form = ROW_KEY_OTHER;
}

static bool add_number_key(struct slice order, struct buf *b)
{
    char text[NUMBER_TEXT], *end;
    if (order.len == 0 || order.len >= sizeof text)
        return false;
    memcpy(text, order.data, order.len);
    text[order.len] = '\0';
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    add_long(b, number);
    return true;
}

int32_t row_place_of(const struct row_place *p, struct slice order, struct buf *key)
{
    bool known = p->form == ROW_KEY_TEXT || p->form == ROW_KEY_NUMBER;
    if (known)
        buf_add(key, p->lead, p->lead_len);
    if (p->form == ROW_KEY_TEXT) {
        add_long(key, (int64_t)order.len);
        buf_add(key, order.data, order.len);
    } else if (p->form == ROW_KEY_NUMBER) {
        known = add_number_key(order, key);
    }
    if (known && buf_ok(key))
        return partition_of(p, key->data, key->len);
    buf_reset(key);
    return partition_of(p, order.data, order.len);
}
