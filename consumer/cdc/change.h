/* change: the fields that a plan captured of one change event; plain values that borrow the
 * record's bytes.
 *
 * Valid only as long as the record's bytes and the plan that filled it. Nothing here is owned. */
#ifndef CDC_CHANGE_H
#define CDC_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The payload's fields in their order: enum, JSON name, default column, shape, required.
 * Shapes: TEXT is always a JSON string; NUMBER and WHOLE are JSON numbers; TIME is a string. */
#define PAYLOAD_FIELDS(X)                                              \
    X(ORDER_ID, "order_id", "id", TEXT, true)                          \
    X(ORDER_NUMBER, "order_number", "order_number", TEXT, true)        \
    X(CLIENT_NAME, "client_name", "client_name", TEXT, true)           \
    X(CLIENT_PHONE, "client_phone", "client_phone", TEXT, true)        \
    X(CLIENT_ADDRESS, "client_address", "client_address", TEXT, false) \
    X(CLIENT_CITY, "client_city", "client_city", TEXT, false)          \
    X(PRODUCT_NAME, "product_name", "product_name", TEXT, true)        \
    X(QUANTITY, "quantity", "quantity", WHOLE, true)                   \
    X(UNIT_PRICE, "unit_price", "unit_price", NUMBER, true)            \
    X(TOTAL_AMOUNT, "total_amount", "total_amount", NUMBER, true)      \
    X(STATUS, "status", "status", TEXT, false)                         \
    X(CONFIRMED_AT, "confirmed_at", "confirmed_at", TIME, false)

enum payload_field {
#define X(id, name, column, shape, required) FIELD_##id,
    PAYLOAD_FIELDS(X)
#undef X
        FIELD_COUNT
};

/* A column's value. */
enum column_kind {
    COLUMN_ABSENT,  /* the writer's schema has no such column (or the bytes before it ended the run)
                     */
    COLUMN_NULL,    /* there, and null */
    COLUMN_TEXT,    /* data, len: UTF-8 as written, not yet checked; Avro string or enum symbol */
    COLUMN_INT,     /* number: Avro int or long; `ticks` when it is a time */
    COLUMN_FLOAT,   /* real: Avro float, widened */
    COLUMN_DOUBLE,  /* real */
    COLUMN_DECIMAL, /* data, len: big-endian two's complement; value = unscaled * 10^-scale */
    COLUMN_BOOLEAN, /* number: 0 or 1 */
    COLUMN_OTHER    /* a type that feeds nothing: plain bytes, array, record… */
};

/* ticks of a number that is not a point in time by its schema: a day, a time of day, a span. */
enum { COLUMN_TICKS_NO_TIME = 255 };

struct column {
    enum column_kind kind;
    bool local;    /* a time of a column without a zone, as schema_time_is_local has it */
    bool is_day;   /* of COLUMN_INT: days since 1970-01-01; ticks is then COLUMN_TICKS_NO_TIME */
    uint8_t ticks; /* of COLUMN_INT: digits after the second, 3 ms, 6 µs, 9 ns; 0 = not annotated */
    int32_t scale; /* of COLUMN_DECIMAL: digits after the point; may be negative */
    size_t len;
    union { /* by kind */
        const char *data;
        int64_t number;
        double real;
    };
};

/* Columns that may be captured besides the payload's own. */
enum { CHANGE_EXTRA_MAX = 32 };

struct change {
    struct column field[FIELD_COUNT];
    struct column status;        /* after's rule column, which decides */
    struct column before_status; /* before's; ABSENT when the event carries no before image */
    struct column owner;         /* after's auth.owner_column */
    struct column op;            /* TEXT: "c" "u" "d" "r" "t" "m" */
    struct column deleted;       /* unwrapped records: __deleted, TEXT "true" or a boolean */
    struct column lsn;           /* INT: source.lsn or __lsn */
    struct column event_ms;      /* INT: source.ts_ms or __source_ts_ms, ms since the epoch */
    struct column table;         /* TEXT: source.table, __table or __source_table */
    struct column table_schema;  /* TEXT: source.schema, __schema or __source_schema */
    bool has_row;                /* an after image is there (always, for unwrapped records) */
    bool has_before;             /* a before image is there */
    bool is_null;       /* the whole value is null: an optional struct at the top of the schema */
    bool stopped_early; /* reading ended at a status that does not trigger: what is captured
                           is status and order id, nothing behind them was examined */
    size_t extra_count;
    struct column extra[CHANGE_EXTRA_MAX]; /* after's, in the order of plan_options; only the first
                                              extra_count are set */
};

/* True when it is a boolean that is true. */
bool column_is_true(const struct column *c);

/* True when a text column holds exactly this text. */
bool column_is_text(const struct column *c, const char *text);

/* Debezium's placeholder for an unchanged TOASTed column whose value the event does not carry. */
bool column_is_unavailable(const struct column *c);

/* Puts that placeholder in place of the connector's own one (unavailable.value.placeholder; len
 * bytes), in whatever column it stands. */
void change_mark_unavailable(struct change *change, const char *placeholder, size_t len);

enum field_shape { SHAPE_TEXT, SHAPE_NUMBER, SHAPE_WHOLE, SHAPE_TIME };

struct field_rule {
    enum field_shape shape;
    bool required;
};

extern const struct field_rule payload_field_rules[FIELD_COUNT];
extern const char *const payload_field_names[FIELD_COUNT];
extern const char *const payload_field_columns[FIELD_COUNT]; /* default columns */

#endif
