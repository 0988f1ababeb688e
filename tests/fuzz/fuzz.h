/* fuzz: what the fuzz targets share. A broken promise aborts, which libFuzzer reports. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "cdc/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stays on in every build, unlike assert. */
#define PROMISE(condition)                                                                  \
    do {                                                                                    \
        if (!(condition)) {                                                                 \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                        \
        }                                                                                   \
    } while (0)

static inline struct plan_options fuzz_plan_options(void)
{
    struct plan_options options = {
        .rule_column = "status", .rule_value = "confirmed", .prefix = "__", .op_assumed = true};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.columns[f] = payload_field_columns[f];
    return options;
}

/* A copy of exactly this length, so that ASan sees a read past its end. */
static inline uint8_t *fuzz_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    PROMISE(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

#endif
