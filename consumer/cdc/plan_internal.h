/* plan_internal: the instruction set that plan_compile.c emits and plan_run.c executes. */
#ifndef CDC_PLAN_INTERNAL_H
#define CDC_PLAN_INTERNAL_H

#include "cdc/plan.h"

/* `slot` is the offset of a struct column within struct change. */
#define PLAN_OPERATIONS(X)                                                            \
    X(END)         /* of the program, of a routine, of an item */                     \
    X(SKIP_VARINT) /* a: how many in a row (int, long) */                             \
    X(SKIP_ENUM)   /* a: symbols */                                                   \
    X(SKIP_BOOLEAN)                                                                   \
    X(SKIP_BYTES)    /* a: how many (fixed, float, double) */                         \
    X(SKIP_BLOB)     /* a: how many in a row (string, bytes) */                       \
    X(SKIP_OPTIONAL) /* union of null (branch a) and a blob (the other of 0 and 1) */ \
    X(SWITCH)        /* union; a: branches; b: first entry in the jump table */       \
    X(JUMP)          /* a: target */                                                  \
    X(CALL)          /* a: routine's first instruction */                             \
    X(ITEMS)         /* array or map; a: the item's first instruction */              \
    X(TAKE_NULL)                                                                      \
    X(TAKE_TEXT) /* a: a time without a zone */                                       \
    X(TAKE_INT)  /* ticks; a: a time without a zone; b: a day */                      \
    X(TAKE_FLOAT)                                                                     \
    X(TAKE_DOUBLE)                                                                    \
    X(TAKE_ENUM)       /* a: symbols; b: first entry in the symbol table */           \
    X(TAKE_DECIMAL)    /* scale */                                                    \
    X(TAKE_FIXED)      /* a: bytes; scale: a decimal in a fixed */                    \
    X(TAKE_SCALED)     /* VariableScaleDecimal, scale first */                        \
    X(TAKE_SCALED_END) /* VariableScaleDecimal, value first */                        \
    X(TAKE_BOOLEAN)                                                                   \
    X(TAKE_OTHER) /* only notes it; the skipping instructions follow */               \
    X(COPY)       /* a: from which slot */                                            \
    X(MARK)       /* sets the bool at offset a of struct change */                    \
    X(GATE)       /* ends here when the status does not trigger */

enum plan_operation {
#define X(name) PLAN_##name,
    PLAN_OPERATIONS(X)
#undef X
};

struct instruction {
    uint8_t operation;
    uint8_t ticks;
    uint16_t slot;
    int32_t scale;
    uint32_t a, b;
};

struct plan {
    enum plan_shape shape;
    struct instruction *code;
    size_t code_len, code_cap;
    uint32_t *jumps; /* of SWITCH: target of each branch */
    size_t jump_len, jump_cap;
    char **symbols; /* of TAKE_ENUM: owned texts */
    size_t symbol_len, symbol_cap;
    char *rule_value;
    size_t rule_value_len;
    size_t extra_count; /* of plan_options */
    bool lacks_owner;   /* an owner column is asked for and its rows have none */
    char *refusal;      /* see plan_refusal */
    bool epoch_is_null; /* confirmed_at's default is 1970: a converter puts it in place of null */
};

#endif
