/* plan_compiler: the state shared by plan_compile.c (the record's kind and its wanted fields),
 * plan_check.c (what a row must have),
 * plan_capture.c (code that captures) and plan_emit.c (code that skips, and the program under
 * construction).
 */
#ifndef CDC_PLAN_COMPILER_H
#define CDC_PLAN_COMPILER_H

#include "cdc/avro_schema.h"
#include "cdc/plan_internal.h"
#include "cdc/schema/avro_names.h"

/* Instructions, and entries of each table: a schema that needs more is refused. The work of
 * compiling is bounded by the schema's size: no sane schema needs so many for each of its bytes.
 */
#define CODE_MAX 1000000
#define CODE_LEAST 4096
#define CODE_PER_BYTE 8

/* A field that is wanted: either a value into a slot, or a record with wanted fields inside. */
struct want {
    const char *name;
    uint16_t slot;
    const struct want *inside; /* ends with name NULL */
    uint32_t mark;             /* of inside: the bool in struct change to set when it is there */
    bool gates;                /* of inside: stop once status and order id are known */
};

struct compiler {
    struct plan *plan;
    struct schema schema;
    avro_schema_t top; /* the record at the top, or in the union at the top; borrowed */
    const json_t *top_json;
    struct schema_record *wanted[SCHEMA_RECORDS_MAX]; /* records that need a routine, in order */
    size_t wanted_count;
    struct item {
        avro_schema_t type;
        uint32_t at; /* the ITEMS instruction to complete */
        bool map;
    } * items; /* item routines still to write */
    size_t item_count, item_cap;
    struct plan_call {
        uint32_t at;
        struct schema_record *record;
    } * calls; /* CALL instructions to complete */
    size_t call_count, call_cap;
    size_t room; /* instructions that this schema may have */
    bool failed;
    bool too_large; /* why it failed, other than for lack of memory */
};

/* The names to look for, as identifiers, as are the schema's own names. */
struct sought {
    const struct plan_options *options; /* as configured */
    char rule_column[SCHEMA_NAME_MAX];
    char columns[FIELD_COUNT][SCHEMA_NAME_MAX];
    char extra[CHANGE_EXTRA_MAX][SCHEMA_NAME_MAX];
    char owner_column[SCHEMA_NAME_MAX]; /* "": none */
    char op[SCHEMA_NAME_MAX]; /* these four: the fields that ExtractNewRecordState adds to a row */
    char lsn[SCHEMA_NAME_MAX];
    char source_lsn[SCHEMA_NAME_MAX];
    char source_ts_ms[SCHEMA_NAME_MAX];
    char table[4][SCHEMA_NAME_MAX]; /* the same: in the order of table_names */
};

/* ---- plan_check.c ---- */

/* Refuses what no order could be sent of; a schema that may be another table's is refused in the
 * plan. */
bool plan_check(struct compiler *c, const struct sought *sought, struct error *err);

bool row_has(avro_schema_t record, const char *identifier);
avro_schema_t row_type_of(avro_schema_t envelope); /* without its null branch; NULL: none */
const json_t *row_json_of(const struct compiler *c);
const json_t *row_field(const json_t *row, const char *identifier); /* NULL: none */

/* ---- plan_emit.c ---- */

/* Room for one more in a growing array; false (and failed) without memory or past its room. */
bool compiler_grow(struct compiler *c, void **array, size_t len, size_t *cap, size_t size);

#define GROW(c, owner, array, len, cap)                                       \
    compiler_grow((c), (void **)&(owner)->array, (owner)->len, &(owner)->cap, \
                  sizeof *(owner)->array)

/* Returns where the instruction stands; 0 after a failure (which then counts at the end). */
uint32_t emit(struct compiler *c, struct instruction instruction);

/* A union's switch; `branch` emits the code of each branch. */
typedef void emit_branch(struct compiler *c, avro_schema_t branch, size_t index,
                         const void *context);
void emit_union(struct compiler *c, avro_schema_t type, emit_branch *branch, const void *context);

void skip_type(struct compiler *c, avro_schema_t type);

/* Writes the routines and items that what was emitted so far calls for. */
void emit_routines(struct compiler *c);

/* ---- plan_capture.c ---- */

/* A record of which some fields are wanted. gates: stop once status and order id are known. */
void take_record(struct compiler *c, avro_schema_t record, const json_t *json,
                 const struct want *wants, bool gates);

/* Debezium's VariableScaleDecimal: a record of exactly scale (int) and value (bytes). */
bool is_scaled(avro_schema_t type, bool *ret_scale_first);

#endif
