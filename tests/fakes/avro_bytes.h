/* avro_bytes: Avro's binary encoding, as tests write it (specification 1.11, "Binary Encoding"). */
#ifndef FAKES_AVRO_BYTES_H
#define FAKES_AVRO_BYTES_H

#include "base/buf.h"

#include <stdint.h>
#include <string.h>

static inline void avro_add_long(struct buf *b, int64_t value)
{
    uint64_t zigzag = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
    for (; zigzag >= 0x80; zigzag >>= 7)
        buf_add_char(b, (char)(zigzag | 0x80));
    buf_add_char(b, (char)zigzag);
}

/* string and bytes */
static inline void avro_add_blob(struct buf *b, const void *data, size_t len)
{
    avro_add_long(b, (int64_t)len);
    buf_add(b, data, len);
}

static inline void avro_add_text(struct buf *b, const char *text)
{
    avro_add_blob(b, text, strlen(text));
}

static inline void avro_add_double(struct buf *b, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (unsigned i = 0; i < sizeof bits; i++)
        buf_add_char(b, (char)(bits >> 8 * i));
}

static inline void avro_add_float(struct buf *b, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (unsigned i = 0; i < sizeof bits; i++)
        buf_add_char(b, (char)(bits >> 8 * i));
}

#endif
