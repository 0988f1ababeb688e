/* order_id: what order ids look like to an index: in no order. The same of the same number. */
#ifndef BENCH_ORDER_ID_H
#define BENCH_ORDER_ID_H

#include <stdint.h>
#include <stdio.h>

static inline uint64_t order_id_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    return x * 0x94d049bb133111ebu;
}

static inline void order_id(uint64_t n, char text[37])
{
    uint64_t a = order_id_mix(n + 1), b = order_id_mix(a);
    snprintf(text, 37, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff), (unsigned)(b & 0xfff),
             (unsigned long long)(b >> 16));
}

#endif
