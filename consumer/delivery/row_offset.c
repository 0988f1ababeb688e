#include "delivery/row_offset.h"

#include "base/digest/sha256.h"

static const int64_t first = INT64_C(1) << 52;

int64_t row_offset(struct slice order, int64_t confirmed_ms)
{
    unsigned char digest[SHA256_BYTES];
    uint64_t bits = (uint64_t)confirmed_ms * UINT64_C(0x9e3779b97f4a7c15);
    sha256(order.data, order.len, digest);
    for (int i = 0; i < 8; i++)
        bits ^= (uint64_t)digest[i] << (8 * i);
    return first | (int64_t)(bits & (uint64_t)(first - 1));
}

bool row_offset_is(int64_t offset)
{
    return offset >= first;
}
